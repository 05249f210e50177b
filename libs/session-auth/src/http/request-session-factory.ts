import { Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { IncomingMessage } from 'node:http';
import { SessionAuthError } from '../errors/session-auth.error.js';
import type { AdapterRequest, AdapterResponse } from './adapter.js';
import { HttpExchange } from './http-exchange.js';
import { PASSIVE } from './passive.decorator.js';
import { RequestServices } from './request-services.js';
import { RequestSession } from './request-session.js';

/**
 * Where the raw message, which middleware and adapters may wrap, holds its session. A weak map would keep every request
 * alive until the next full garbage collection: a quarter of the throughput.
 */
const REQUEST_SESSION = Symbol('nestjs-session-auth');

type Bindable = object & { [REQUEST_SESSION]?: RequestSession };

const reflector = new Reflector();

/** Makes and finds the {@link RequestSession} of a request. It needs neither middleware nor `req.session`. */
@Injectable()
export class RequestSessionFactory {
  constructor(private readonly services: RequestServices) {}

  /** The session of the request of a handler's context, bound to it now if it was not yet. */
  of(context: ExecutionContext): RequestSession {
    const http = context.switchToHttp();
    const request = http.getRequest<AdapterRequest>();
    const raw = rawOf(request);
    const bound = raw[REQUEST_SESSION];
    if (bound !== undefined) return bound;
    const exchange = new HttpExchange(request, http.getResponse<AdapterResponse>());
    return (raw[REQUEST_SESSION] = new RequestSession(exchange, this.services, isPassive(context, exchange)));
  }

  /** Binds a session to a request that no handler is asked for. */
  bind(request: AdapterRequest, response: AdapterResponse): RequestSession {
    return (rawOf(request)[REQUEST_SESSION] = new RequestSession(new HttpExchange(request, response), this.services));
  }
}

/**
 * Lets everybody pass, and binds the lazy session to the request, for guards, decorators and services that come after.
 * The module registers it for the whole application; it costs no store call.
 */
@Injectable()
export class SessionBindingGuard implements CanActivate {
  constructor(private readonly requestSessions: RequestSessionFactory) {}

  canActivate(context: ExecutionContext): boolean {
    if (context.getType() === 'http') this.requestSessions.of(context);
    return true;
  }
}

/**
 * The session bound to a request.
 *
 * @throws SessionAuthError `request_not_bound` before guards have run (in middleware) and without the module
 */
export function getRequestSession(request: object): RequestSession {
  const requestSession = rawOf(request)[REQUEST_SESSION];
  if (requestSession !== undefined) return requestSession;
  throw new SessionAuthError(
    'request_not_bound',
    'this request has not passed the guard of SessionAuthModule: import the module, and ask from guards on, not in middleware',
  );
}

/** Express hands the raw message itself to handlers, Fastify a wrapper. */
function rawOf(request: object): Bindable {
  if (request instanceof IncomingMessage) return request;
  const { raw } = request as { readonly raw?: unknown };
  return typeof raw === 'object' && raw !== null ? raw : request;
}

/** Whether a request counts as no activity of the user. */
function isPassive(context: ExecutionContext, { method, headers }: HttpExchange): boolean {
  if (method !== 'GET' && method !== 'HEAD') return false;
  const purpose = headers['sec-purpose'];
  if (typeof purpose === 'string' && /^\s*prefetch\b/i.test(purpose)) return true;
  return reflector.getAllAndOverride<boolean | undefined>(PASSIVE, [context.getHandler(), context.getClass()]) === true;
}
