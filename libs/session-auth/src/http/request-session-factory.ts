import { Injectable, type ExecutionContext } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { IncomingMessage } from 'node:http';
import { SessionAuthError } from '../errors/session-auth.error.js';
import type { AdapterRequest, AdapterResponse } from './adapter.js';
import { HttpExchange } from './http-exchange.js';
import { PASSIVE } from './passive.decorator.js';
import { RequestServices } from './request-services.js';
import { RequestSession } from './request-session.js';
import type { RouteSession, SeveralSessions } from './several-sessions.js';

/** Under which name the raw message, which middleware and adapters may wrap, holds its session. */
const ROUTE_SESSION = Symbol('nestjs-session-auth');

type Bindable = object & { [ROUTE_SESSION]?: RouteSession };

const reflector = new Reflector();

/**
 * Makes and finds the {@link RequestSession} of a request in a realm. It needs neither middleware nor `req.session`.
 */
@Injectable()
export class RequestSessionFactory {
  constructor(readonly services: RequestServices) {}

  /** The session of the request of a handler's context, bound to it now if it was not yet. */
  of(context: ExecutionContext): RequestSession {
    const http = context.switchToHttp();
    const request = http.getRequest<AdapterRequest>();
    const raw = bindableOf(request);
    const bound = raw[ROUTE_SESSION];
    if (bound instanceof RequestSession && bound.services === this.services) return bound;
    // from a route of another realm, which has handed the request on
    if (bound !== undefined) return (raw[ROUTE_SESSION] = bound.present.inRealm(this.services));
    const exchange = new HttpExchange(request, http.getResponse<AdapterResponse>());
    const made = new RequestSession(exchange, this.services, isPassive(context, exchange));
    raw[ROUTE_SESSION] = made;
    return made;
  }

  /**
   * The session of a request in this realm, whatever realm its route is of.
   *
   * @throws SessionAuthError `request_not_bound`
   */
  get(request: object): RequestSession {
    return getRequestSession(request).inRealm(this.services);
  }

  /** Binds a session to a request that no handler is asked for. */
  bind(request: AdapterRequest, response: AdapterResponse): RequestSession {
    const made = new RequestSession(new HttpExchange(request, response), this.services);
    bindableOf(request)[ROUTE_SESSION] = made;
    return made;
  }
}

/** Binds the sessions of a request in all realms of its route. */
export function bindSeveral(request: object, sessions: SeveralSessions): void {
  bindableOf(request)[ROUTE_SESSION] = sessions;
}

/** The session bound to a request; undefined before guards have run. */
export function boundTo(request: object): RouteSession | undefined {
  return bindableOf(request)[ROUTE_SESSION];
}

/**
 * The session bound to a request, in the realm or realms of its route.
 *
 * @throws SessionAuthError `request_not_bound` before guards have run (in middleware) and without the module
 */
export function routeSessionOf(request: object): RouteSession {
  const bound = bindableOf(request)[ROUTE_SESSION];
  if (bound !== undefined) return bound;
  throw new SessionAuthError(
    'request_not_bound',
    'this request has not passed the guard of SessionAuthModule: import the module, and ask from guards on, not in middleware',
  );
}

/**
 * As {@link routeSessionOf}, in the one realm that counts for the request.
 *
 * @throws SessionAuthError `request_not_bound`
 */
export function getRequestSession(request: object): RequestSession {
  return routeSessionOf(request).present;
}

/**
 * Express hands the raw message itself to handlers, Fastify a wrapper. What is bound hangs on the array of the headers:
 * see docs/decisions/0023-nothing-on-express-messages.md.
 */
function bindableOf(request: object): Bindable {
  if (request instanceof IncomingMessage) return request.rawHeaders ?? request;
  const { raw } = request as { readonly raw?: Partial<IncomingMessage> | null };
  return typeof raw === 'object' && raw !== null ? (raw.rawHeaders ?? raw) : request;
}

/** The realm that counts for a request; undefined before guards have run. */
export function realmOfRequest(request: object): string | undefined {
  return boundTo(request)?.present.realm;
}

/** Whether a request counts as no activity of the user. */
function isPassive(context: ExecutionContext, { method, headers }: HttpExchange): boolean {
  if (method !== 'GET' && method !== 'HEAD') return false;
  const purpose = headers['sec-purpose'];
  if (typeof purpose === 'string' && /^\s*prefetch\b/i.test(purpose)) return true;
  return reflector.getAllAndOverride<boolean | undefined>(PASSIVE, [context.getHandler(), context.getClass()]) === true;
}
