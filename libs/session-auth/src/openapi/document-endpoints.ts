import { Logger, type Type } from '@nestjs/common';
import type * as Swagger from '@nestjs/swagger';
import { HTTP_STATUS_BY_CODE, type SessionAuthErrorCode } from '../errors/error-codes.js';
import { realmPart } from '../realms/realm-name.js';
import { makeAnswerModels, type AnswerModels } from './answer-models.js';
import { describeEndpoints, type EndpointDescription } from './endpoint-descriptions.js';

/** The options of the application that the documentation depends on. */
export interface DocumentedOptions {
  readonly realm: string;
  readonly csrfHeader: string;
  /** @default 'email' */
  readonly loginField?: string;
  /** Paths that plain forms lead to, by the names of endpoints, with `Failed` for a refusal. @default none */
  readonly redirects?: object;
}

const PACKAGE = '@nestjs/swagger';

/**
 * Documents the ready-made endpoints for OpenAPI if `@nestjs/swagger` is installed; otherwise does nothing.
 *
 * The package is loaded here, not on import, so that nothing depends on it. Its decorators write to the controller's
 * methods; each call writes them again, for the options of the application that boots.
 */
export async function documentEndpoints(
  controller: Type<object>,
  options: DocumentedOptions,
  load: () => Promise<typeof Swagger> = () => import('@nestjs/swagger'),
): Promise<void> {
  let swagger: typeof Swagger;
  try {
    swagger = await load();
  } catch (error) {
    if (!isNotInstalled(error)) {
      new Logger('SessionAuth').warn(
        `the endpoints are not documented, because ${PACKAGE} cannot be loaded: ${String(error)}`,
      );
    }
    return;
  }
  swagger.ApiTags(`Session${realmPart(options.realm, ' (', ')')}`)(controller);
  const models = makeAnswerModels(swagger, options.loginField);
  swagger.ApiExtraModels(models.Error)(controller);
  const endpoints = describeEndpoints(swagger, models);
  const prototype = controller.prototype as Record<string, object | undefined>;
  for (const [name, endpoint] of Object.entries(endpoints)) {
    const handler = prototype[name];
    // one of `endpoints.except`
    if (handler === undefined) continue;
    forget(handler);
    for (const decorate of decoratorsOf(swagger, models, name, endpoint, options)) {
      decorate(prototype, name, { value: handler });
    }
  }
}

function decoratorsOf(
  { ApiBody, ApiConsumes, ApiCookieAuth, ApiHeader, ApiOperation, ApiResponse, getSchemaPath }: typeof Swagger,
  models: AnswerModels,
  name: string,
  endpoint: EndpointDescription,
  { realm, csrfHeader, redirects = {} }: DocumentedOptions,
): MethodDecorator[] {
  const { summary, description, answer, body, more = [] } = endpoint;
  const cookie = { 'Set-Cookie': { description: 'The session cookie.', schema: { type: 'string' as const } } };
  const decorators = [
    ApiOperation({ operationId: `SessionAuth_${realmPart(realm, '', '_')}${name}`, summary, description }),
    ApiResponse({ description: summary, ...answer, ...(endpoint.setsCookie ? { headers: cookie } : {}) }),
    ...more,
  ];
  if (body !== undefined) decorators.push(ApiBody({ type: body }));
  if (name in redirects || `${name}Failed` in redirects) {
    const location = { Location: { description: 'A path of this origin.', schema: { type: 'string' as const } } };
    decorators.push(ApiResponse({ status: 303, description: 'After a plain HTML form.', headers: location }));
    if (body !== undefined) decorators.push(ApiConsumes('application/json', 'application/x-www-form-urlencoded'));
  }
  if (endpoint.needsSession) decorators.push(ApiCookieAuth(`${realmPart(realm, '', '-')}cookie`));
  if (endpoint.needsCsrfToken) {
    decorators.push(ApiHeader({ name: csrfHeader, required: true, description: 'A token of `GET csrf`.' }));
  }
  for (const [status, codes] of byStatus(endpoint.refusals)) {
    const properties = { code: { type: 'string', enum: codes }, realm: { type: 'string', enum: [realm] } };
    decorators.push(
      ApiResponse({
        status,
        description: codes.map((code) => `\`${code}\``).join(' or '),
        schema: { allOf: [{ $ref: getSchemaPath(models.Error) }, { type: 'object', properties }] },
        ...(WAITS.includes(status) ? { headers: RETRY_AFTER } : {}),
      }),
    );
  }
  return decorators;
}

const WAITS = [429, 503];
const RETRY_AFTER = { 'Retry-After': { description: 'Seconds.', schema: { type: 'integer' as const } } };

function byStatus(codes: readonly SessionAuthErrorCode[]): Map<number, SessionAuthErrorCode[]> {
  const grouped = new Map<number, SessionAuthErrorCode[]>();
  for (const code of codes) {
    const status = HTTP_STATUS_BY_CODE[code];
    grouped.set(status, [...(grouped.get(status) ?? []), code]);
  }
  return grouped;
}

/** A module may boot in several applications of a process: their metadata must not add up. */
function forget(handler: object): void {
  for (const key of Reflect.getMetadataKeys(handler) as unknown[]) {
    if (typeof key === 'string' && key.startsWith('swagger/')) Reflect.deleteMetadata(key, handler);
  }
}

function isNotInstalled(error: unknown): boolean {
  const { code, message } = error as { readonly code?: unknown; readonly message?: unknown };
  return (code === 'ERR_MODULE_NOT_FOUND' || code === 'MODULE_NOT_FOUND') && String(message).includes(`'${PACKAGE}'`);
}
