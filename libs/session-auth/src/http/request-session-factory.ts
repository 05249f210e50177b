import { Inject, Injectable, type ExecutionContext } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { IncomingMessage } from 'node:http';
import { channelOf } from '../channels/channel.js';
import { GRAPHQL_SETTINGS, type GraphqlSettings } from '../channels/graphql.options.js';
import { SessionAuthError } from '../errors/session-auth.error.js';
import type { AdapterRequest, AdapterResponse } from './adapter.js';
import { HttpExchange } from './http-exchange.js';
import { connectionOf } from './connection.js';
import type { ConnectionSession } from './connection-session.js';
import type { Session } from '../session/session.js';
import { PASSIVE } from './passive.decorator.js';
import { RequestServices } from './request-services.js';
import { RequestSession } from './request-session.js';
import type { HttpRouteSession, SeveralSessions } from './several-sessions.js';

/** The property of the raw message, which middleware and adapters may wrap, that holds its session. */
const ROUTE_SESSION = Symbol('nestjs-session-auth');

type Bindable = object & { [ROUTE_SESSION]?: HttpRouteSession };

const reflector = new Reflector();

/** By handler and class. */
const metadata = new WeakMap<object, WeakMap<object, Map<string, unknown>>>();

/**
 * Makes and finds the {@link RequestSession} of a request in a realm. It needs neither middleware nor `req.session`.
 */
@Injectable()
export class RequestSessionFactory {
  constructor(
    readonly services: RequestServices,
    @Inject(GRAPHQL_SETTINGS) private readonly graphql: GraphqlSettings = {},
  ) {}

  /**
   * Returns the session of the request of a handler's context, and binds it now if it is not bound yet. For a message
   * over a connection, returns the connection's session.
   *
   * @throws SessionAuthError as {@link channelOf}, outside of HTTP
   */
  of(context: ExecutionContext): RequestSession | ConnectionSession {
    const channel = context.getType() === 'http' ? undefined : channelOf(context, this.graphql);
    const connection = channel?.connection && connectionOf(channel.connection);
    if (connection !== undefined) return connection.inRealm(this.services);
    const http = channel ?? context.switchToHttp();
    const request = http.getRequest<AdapterRequest>();
    const raw = bindableOf(request);
    const bound = raw[ROUTE_SESSION];
    if (bound instanceof RequestSession && bound.services === this.services) return bound;
    // a route of another realm passed the request on
    if (bound !== undefined) return (raw[ROUTE_SESSION] = bound.present.inRealm(this.services));
    const exchange = new HttpExchange(request, http.getResponse<AdapterResponse>());
    const made = new RequestSession(exchange, this.services, isPassive(context, exchange));
    raw[ROUTE_SESSION] = made;
    return made;
  }

  /**
   * Returns the session of a request in this realm, even if its route belongs to another realm.
   *
   * @throws SessionAuthError `request_not_bound`
   */
  get(request: object): RequestSession {
    return getRequestSession(request).inRealm(this.services);
  }

  /**
   * Returns the live session of a request in this realm, or the present session of an open connection. For a
   * connection, pass the request that opened it or the client of a gateway.
   *
   * @throws SessionAuthError `request_not_bound`, `session_store_unavailable`
   */
  load(owner: object): Promise<Session | undefined> {
    const connection = connectionOf(owner);
    if (connection === undefined) return this.get(owner).load();
    return connection.hasEnded ? Promise.resolve(undefined) : connection.inRealm(this.services).load();
  }

  /**
   * Returns the session of a request, and binds it first if necessary. For middleware, which runs before the router: it
   * does not know whether the handler is passive.
   */
  bind(request: AdapterRequest, response: AdapterResponse): RequestSession {
    const raw = bindableOf(request);
    const bound = raw[ROUTE_SESSION];
    if (bound !== undefined) return bound.present.inRealm(this.services);
    const exchange = new HttpExchange(request, response);
    const made = new RequestSession(exchange, this.services, isPassive(undefined, exchange));
    raw[ROUTE_SESSION] = made;
    return made;
  }

  /**
   * Returns the request of a handler's context that the application's own code sees, also for a GraphQL operation.
   *
   * @throws SessionAuthError as of {@link channelOf}
   */
  requestOf(context: ExecutionContext): object {
    return (context.getType() === 'http' ? context.switchToHttp() : channelOf(context, this.graphql)).getRequest();
  }
}

const OF_CONNECTION =
  'a message over an open connection cannot set cookies: log in and out over HTTP, or end the session by its handle';

/** Binds the sessions of a request in all realms of its route. */
export function bindSeveral(request: object, sessions: SeveralSessions): void {
  bindableOf(request)[ROUTE_SESSION] = sessions;
}

/** The session bound to a request; undefined before guards have run. */
export function boundTo(request: object): HttpRouteSession | undefined {
  return bindableOf(request)[ROUTE_SESSION];
}

/**
 * Returns the session bound to a request, in the realm or realms of its route.
 *
 * @throws SessionAuthError `request_not_bound` before guards have run (in middleware) and without the module
 */
export function routeSessionOf(request: object): HttpRouteSession {
  const bound = bindableOf(request)[ROUTE_SESSION];
  if (bound !== undefined) return bound;
  if (connectionOf(request) !== undefined) throw new SessionAuthError('request_not_bound', OF_CONNECTION);
  throw new SessionAuthError(
    'request_not_bound',
    'this request has not passed the guard of SessionAuthModule: import the module, and read the session in guards or later, not in middleware',
  );
}

/**
 * As {@link routeSessionOf}, in the one realm that applies to the request.
 *
 * @throws SessionAuthError `request_not_bound`
 */
export function getRequestSession(request: object): RequestSession {
  return routeSessionOf(request).present;
}

/**
 * Express passes the raw message itself to handlers, Fastify a wrapper. The session is set on the array of the headers:
 * see docs/decisions/0023-nothing-on-express-messages.md.
 */
function bindableOf(request: object): Bindable {
  if (request instanceof IncomingMessage) return request.rawHeaders ?? request;
  const { raw } = request as { readonly raw?: Partial<IncomingMessage> | null };
  return typeof raw === 'object' && raw !== null ? (raw.rawHeaders ?? raw) : request;
}

/** Returns the realm that applies to a request; undefined before guards have run. */
export function realmOfRequest(request: object): string | undefined {
  return boundTo(request)?.present.realm;
}

/** Whether a request does not count as activity of the user. A GraphQL request may serve several handlers. */
function isPassive(context: ExecutionContext | undefined, { method, headers }: HttpExchange): boolean {
  if (method !== 'GET' && method !== 'HEAD') return false;
  if (headers['x-session-passive'] !== undefined) return true;
  const purpose = headers['sec-purpose'];
  if (typeof purpose === 'string' && /^\s*prefetch\b/i.test(purpose)) return true;
  if (context?.getType() !== 'http') return false;
  return metadataOf<boolean>(PASSIVE, context) === true;
}

/**
 * Returns what a decorator has set on the handler of a context, or else on its class. Looked up once, because that
 * takes a microsecond.
 */
export function metadataOf<T>(key: string, context: ExecutionContext): T | undefined {
  const [handler, type] = [context.getHandler(), context.getClass()];
  let ofHandler = metadata.get(handler);
  if (ofHandler === undefined) metadata.set(handler, (ofHandler = new WeakMap()));
  let known = ofHandler.get(type);
  if (known === undefined) ofHandler.set(type, (known = new Map<string, unknown>()));
  if (!known.has(key)) known.set(key, reflector.getAllAndOverride<unknown>(key, [handler, type]));
  return known.get(key) as T | undefined;
}
