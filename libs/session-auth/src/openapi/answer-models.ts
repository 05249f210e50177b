import type * as Swagger from '@nestjs/swagger';
import { HTTP_STATUS_BY_CODE } from '../errors/error-codes.js';

type Property = Swagger.ApiPropertyOptions;
type Model = new () => object;

/** The requests and responses of the endpoints, as OpenAPI's named schemas. */
export interface AnswerModels {
  readonly Login: Model;
  readonly Reauthentication: Model;
  readonly LoginAnswer: Model;
  readonly SessionAnswer: Model;
  readonly CsrfAnswer: Model;
  readonly SessionListItem: Model;
  readonly Revoked: Model;
  readonly Error: Model;
}

const text = (description: string, more: object = {}): Property => ({ type: String, description, ...more });
const time = (description: string, more: object = {}): Property => text(description, { format: 'date-time', ...more });
const roles: Property = { type: [String], description: 'As they were at login, or at the last change.' };
const optional = { required: false };
const csrfToken = text(
  'Send it with unsafe requests. The text differs in every response; all tokens of the session are valid.',
);
const password = { format: 'password', minLength: 1, maxLength: 1024 };
const authentication: Property = {
  type: String,
  enum: ['password', 'remember-me', 'custom'],
  required: false,
  description: 'How the user was authenticated; absent for an anonymous session.',
};

const session: Record<string, Property> = {
  id: text('The public handle. It names the session, but authenticates nobody.'),
  realm: text('The realm of the session.', { example: 'default' }),
  userId: text('Absent for an anonymous session.', optional),
  email: text('The address of the account, if it has one.', optional),
  roles,
  createdAt: time('When the login took place.'),
  authenticatedAt: time('When the user last proved their identity.', optional),
  authentication,
  factors: {
    type: 'object',
    additionalProperties: { type: 'string', format: 'date-time' },
    description: 'The further factors proved in this session, by name, and when.',
    example: { totp: '2026-01-31T12:00:00.000Z' },
  },
  lastActivityAt: time('To the precision of the touch interval.'),
  expiresAt: time('When the session ends without further requests.'),
  absoluteExpiresAt: time('When the session ends even if it is in use.'),
  ip: text('The address of the last request.', optional),
  userAgent: text('The `User-Agent` of the last request.', optional),
};

/**
 * Makes the schemas with the decorators of the given `@nestjs/swagger`.
 *
 * @param loginField the field of a login that contains the login name
 */
export function makeAnswerModels({ ApiProperty }: typeof Swagger, loginField = 'email'): AnswerModels {
  /** All names have a prefix, so that they do not clash with the application's: OpenAPI has one namespace for all. */
  const model = (name: string, properties: Readonly<Record<string, Property>>): Model => {
    const named = { [`SessionAuth${name}`]: class {} }[`SessionAuth${name}`]!;
    for (const [key, property] of Object.entries(properties)) ApiProperty(property)(named.prototype, key);
    return named;
  };
  const Session = model('Session', session);
  const User = model('User', { id: text('The id of the account.'), email: text('Its address.', optional), roles });
  // realms may differ in it, and would share the schema
  const loginName = loginField === 'email' ? 'Login' : `LoginBy_${loginField}`;
  return {
    Login: model(loginName, {
      [loginField]: text('The login name, usually an address.', {
        minLength: 1,
        maxLength: 254,
        example: 'ada@example.com',
      }),
      password: text('At most 72 bytes in UTF-8.', password),
      rememberMe: { type: Boolean, required: false, default: false, description: 'Stay signed in on this device.' },
    }),
    Reauthentication: model('Reauthentication', { password: text('The password of the signed-in user.', password) }),
    LoginAnswer: model('LoginAnswer', { user: { type: User }, session: { type: Session }, csrfToken }),
    SessionAnswer: model('SessionAnswer', { ...session, csrfToken }),
    CsrfAnswer: model('CsrfAnswer', {
      csrfToken,
      headerName: text('The header to send it in.', { example: 'x-csrf-token' }),
      fieldName: text('The form field to send it in, for pages without scripts.', { example: 'csrf_token' }),
    }),
    SessionListItem: model('SessionListItem', {
      id: session['id']!,
      current: { type: Boolean, description: 'Whether it is the session of this request.' },
      device: text('Browser and system in words.', { example: 'Firefox on Linux' }),
      ip: session['ip']!,
      createdAt: session['createdAt']!,
      lastActivityAt: session['lastActivityAt']!,
      expiresAt: session['expiresAt']!,
      authentication,
    }),
    Revoked: model('Revoked', { revoked: { type: 'integer', minimum: 0, description: 'How many sessions ended.' } }),
    Error: model('Error', {
      statusCode: { type: 'integer', description: 'The HTTP status again.' },
      code: text('Stable, for programs.', { enum: Object.keys(HTTP_STATUS_BY_CODE), enumName: 'SessionAuthErrorCode' }),
      message: text('For people; may change.'),
      realm: text('The realm of the route.', { example: 'default' }),
      factors: {
        type: [String],
        required: false,
        description: 'With `further_factor_required`: the accepted factors.',
      },
    }),
  };
}
