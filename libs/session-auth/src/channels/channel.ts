import type { ArgumentsHost } from '@nestjs/common';
import { IncomingMessage } from 'node:http';
import { SessionAuthError } from '../errors/session-auth.error.js';
import type { GraphqlSettings } from './graphql.options.js';
import { operationOf } from './graphql-operation.js';

/**
 * Finds the request and the response of a handler outside of HTTP: those that brought the operation, or opened its
 * connection. The methods are those of Nest's HTTP context.
 */
export interface Channel {
  /** The object that identifies an open connection, if there is one: its client, or the request that opened it. */
  readonly connection?: object;
  getRequest<T>(): T;
  /**
   * Returns the response that cookies can be written to, or an {@link AbsentResponse}.
   *
   * @throws SessionAuthError `request_not_bound` for a connection: its session must be checked when it is opened
   */
  getResponse<T>(): T;
}

/** The usual places of the request in the context of a GraphQL operation: see {@link channelOf}. */
interface UsualContext {
  readonly req?: unknown;
  readonly request?: unknown;
  readonly reply?: unknown;
  readonly res?: unknown;
  readonly response?: unknown;
  readonly extra?: unknown;
}

/** Stands for a missing response. Its head counts as written. */
export class AbsentResponse {
  readonly headersSent = true;
  readonly isAbsent = true;
  getHeader(): undefined {
    return undefined;
  }
  removeHeader(): void {
    // there is no head
  }
}

/**
 * Returns the channel of a context that is not HTTP.
 *
 * In GraphQL the request is what `graphql.request` returns. By default it is the first of `reply.request`, `req` and
 * `request` in the operation's context that is a request. The response is `reply`, `res` or `response`, or on Express
 * the request's own. An operation over a WebSocket has the request that opened it in `extra.request`, of the context or
 * of its `req`.
 *
 * @throws SessionAuthError `request_not_bound` when there is no request, `session_required` for messages of
 *   microservices, which never have one
 */
export function channelOf(host: ArgumentsHost, settings: GraphqlSettings): Channel {
  const type = host.getType<string>();
  if (type === 'graphql') return channelOfOperation(operationOf(host).context, settings);
  if (type === 'rpc') throw new SessionAuthError('session_required', 'messages of microservices have no session');
  if (type !== 'ws')
    throw new SessionAuthError('request_not_bound', `there is no request in a context of type '${type}'`);
  const client = host.switchToWs().getClient<{ readonly request?: unknown }>();
  // socket.io keeps the request that opened the connection, ws does not
  return connection(client, client.request, WITHOUT_ADAPTER);
}

/** Returns the object that all handlers of an operation or a connection share; undefined without one. */
export function ownerOf(host: ArgumentsHost): object | undefined {
  const type = host.getType<string>();
  const owner: unknown = type === 'graphql' ? operationOf(host).context : type === 'ws' ? host.getArgByIndex(0) : null;
  return typeof owner === 'object' && owner !== null ? owner : undefined;
}

function channelOfOperation(context: unknown, settings: GraphqlSettings): Channel {
  const usual = (context ?? {}) as UsualContext;
  const { reply } = usual;
  const asked = settings.request?.(usual as Readonly<Record<string, unknown>>);
  const request = asked ?? [propertyOf(reply, 'request'), usual.req, usual.request].find(isRequest);
  if (isRequest(request)) {
    return isHandshake(request)
      ? connection(request, request, WITHOUT_HANDSHAKE)
      : { getRequest: <T>() => request as T, getResponse: <T>() => responseOf(usual, request) as T };
  }
  const opening = [usual.req, usual].map((each) => propertyOf(propertyOf(each, 'extra'), 'request')).find(isRequest);
  if (opening === undefined) throw new SessionAuthError('request_not_bound', NO_REQUEST);
  return connection(opening, opening, WITHOUT_HANDSHAKE);
}

/** Returns the response that belongs to a request, or an {@link AbsentResponse}. */
function responseOf({ reply, res, response }: UsualContext, request: object): object {
  return [reply, res, response, propertyOf(request, 'res')].find(isResponse) ?? new AbsentResponse();
}

function connection(standing: object, request: unknown, message: string): Channel {
  const refuse = (): never => {
    throw new SessionAuthError('request_not_bound', message);
  };
  const getRequest = isRequest(request) ? <T>() => request as T : refuse;
  return { connection: standing, getRequest, getResponse: refuse };
}

/**
 * Whether the value is a request that a server has parsed. Mercurius keeps the headers of a client's first message at
 * the same place, and these are not trusted.
 */
function isRequest(value: unknown): value is object {
  const message = value instanceof IncomingMessage ? value : (propertyOf(value, 'raw') ?? value);
  return Array.isArray(propertyOf(message, 'rawHeaders'));
}

function isResponse(value: unknown): value is object {
  return typeof propertyOf(value, 'getHeader') === 'function';
}

/** Whether a request opened a WebSocket. A request that falsely claims to be one is refused like one. */
function isHandshake(request: object): boolean {
  return /^websocket$/i.test(String(propertyOf(propertyOf(request, 'headers'), 'upgrade')));
}

function propertyOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}

const NO_REQUEST =
  'there is no request in the context of this GraphQL operation: return { req, res } (Express) or { req, reply } (Fastify) ' +
  'from the option context of GraphQLModule, or set graphql.request of SessionAuthModule';
const WITHOUT_HANDSHAKE =
  'the request that opened the WebSocket of this GraphQL operation was not checked: add onConnect: connectSession() ' +
  "to subscriptions['graphql-ws'] of GraphQLModule (Apollo), or context: sessionContext() to subscription (Mercurius), " +
  'of nestjs-session-auth/graphql, or send it over HTTP';
const WITHOUT_ADAPTER =
  'the request that opened this connection was not checked: ' +
  'app.useWebSocketAdapter(withSessions(new IoAdapter(app), app)), or with WsAdapter, before app.listen()';
