import type * as Swagger from '@nestjs/swagger';
import { HTTP_STATUS_BY_CODE } from '../errors/error-codes.js';

type Property = Swagger.ApiPropertyOptions;
type Model = new () => object;

/** What the endpoints take and answer, as OpenAPI's named schemas. */
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
const csrfToken = text('To be sent with unsafe requests. Of fresh text in every answer; any of the session is good.');
const password = { format: 'password', minLength: 1, maxLength: 1024 };
const authentication: Property = {
  type: String,
  enum: ['password', 'remember-me', 'custom'],
  required: false,
  description: 'How the session came to be; absent for an anonymous one.',
};

const session: Record<string, Property> = {
  id: text('The public handle: names the session, authenticates nobody.'),
  realm: text('The realm that the session is of.', { example: 'default' }),
  userId: text('Absent for an anonymous session.', optional),
  email: text('The address of the account, if it has one.', optional),
  roles,
  createdAt: time('When the login took place.'),
  authenticatedAt: time('When the user last proved who they are.', optional),
  authentication,
  factors: {
    type: 'object',
    additionalProperties: { type: 'string', format: 'date-time' },
    description: 'The further factors proved in this session, by name, and when.',
    example: { totp: '2026-01-31T12:00:00.000Z' },
  },
  lastActivityAt: time('To the precision of the touch interval.'),
  expiresAt: time('When the session ends if nothing more is heard.'),
  absoluteExpiresAt: time('When the session ends whatever happens.'),
  ip: text('The address that the session was last seen from.', optional),
  userAgent: text('The `User-Agent` that the session was last seen with.', optional),
};

/**
 * Makes the schemas, by decorators of a `@nestjs/swagger` that is at hand.
 *
 * @param loginField the field of a login that the login name is in
 */
export function makeAnswerModels({ ApiProperty }: typeof Swagger, loginField = 'email'): AnswerModels {
  /** Names begin alike, so that they meet none of the application's: OpenAPI has one space of names for all. */
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
    Reauthentication: model('Reauthentication', { password: text('Of the user who is signed in.', password) }),
    LoginAnswer: model('LoginAnswer', { user: { type: User }, session: { type: Session }, csrfToken }),
    SessionAnswer: model('SessionAnswer', { ...session, csrfToken }),
    CsrfAnswer: model('CsrfAnswer', {
      csrfToken,
      headerName: text('The header to send it in.', { example: 'x-csrf-token' }),
      fieldName: text('The form field to send it in, where there is no script.', { example: 'csrf_token' }),
    }),
    SessionListItem: model('SessionListItem', {
      id: session['id']!,
      current: { type: Boolean, description: 'Whether it is the one that asks.' },
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
        description: 'With `further_factor_required`: the further factors of which one is asked for.',
      },
    }),
  };
}
