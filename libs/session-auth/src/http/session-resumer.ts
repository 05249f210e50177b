import type { IssuedSession } from '../session/session-changes.js';
import type { HttpExchange } from './http-exchange.js';
import type { PresentedCookies } from './presented-cookies.js';
import type { ResponseCookies } from './response-cookies.js';

/** A request without a live session, as far as a {@link SessionResumer} has to know it. */
export interface ResumableRequest {
  readonly exchange: HttpExchange;
  readonly presented: PresentedCookies;
  readonly responseCookies: ResponseCookies;
  /** What a session that begins with this request is bound to; undefined where the check is off. */
  readonly fingerprint: string | undefined;
}

/** Signs a client in that has no live session, by what else it sent. */
export abstract class SessionResumer {
  /** A new session, or undefined. Writes its own cookies; the session's cookie is written by the caller. */
  abstract resume(request: ResumableRequest): Promise<IssuedSession | undefined>;
}
