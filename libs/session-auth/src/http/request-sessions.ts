import type { ExecutionContext } from '@nestjs/common';
import { SessionAuthError } from '../errors/session-auth.error.js';
import { HttpExchange, type AdapterRequest, type AdapterResponse } from './http-exchange.js';
import { RequestSession, type RequestSessionParts } from './request-session.js';

const BOUND = Symbol('nestjs-session-auth');

type Bindable = object & { [BOUND]?: RequestSession };

/**
 * Makes and finds the {@link RequestSession} of a request.
 *
 * It hangs on the raw request under a symbol of ours, so it needs neither middleware nor `req.session`.
 */
export class RequestSessions {
  constructor(private readonly parts: RequestSessionParts) {}

  /** The session of the request of a handler's context, bound to it now if it was not yet. */
  of(context: ExecutionContext): RequestSession {
    const http = context.switchToHttp();
    return this.bind(http.getRequest<AdapterRequest>(), http.getResponse<AdapterResponse>());
  }

  /** The session of a request, bound to it now if it was not yet. */
  bind(request: AdapterRequest, response: AdapterResponse): RequestSession {
    const holder = holderOf(request);
    holder[BOUND] ??= new RequestSession(new HttpExchange(request, response), this.parts);
    return holder[BOUND];
  }
}

/** The session bound to a request, or undefined when no guard of ours has seen it. */
export function findRequestSession(request: object): RequestSession | undefined {
  return holderOf(request)[BOUND];
}

/**
 * The session bound to a request.
 *
 * @throws SessionAuthError `request_not_bound` before guards have run (in middleware) and without the module
 */
export function getRequestSession(request: object): RequestSession {
  const bound = findRequestSession(request);
  if (bound === undefined) {
    throw new SessionAuthError(
      'request_not_bound',
      'this request has not passed the guard of SessionAuthModule: import the module, and ask from guards on, not in middleware',
    );
  }
  return bound;
}

/**
 * What of a request the session hangs on: the array of its headers, which is its own as much as it is. On Express each
 * request has a hidden class to itself, and any property added to one makes another.
 */
function holderOf(request: object): Bindable {
  const { rawHeaders } = request as { readonly rawHeaders?: unknown };
  if (Array.isArray(rawHeaders)) return rawHeaders as Bindable;
  const { raw } = request as { readonly raw?: unknown };
  return typeof raw === 'object' && raw !== null ? holderOf(raw) : request;
}
