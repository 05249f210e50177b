import type { SessionEndReason } from '../events/session-event.js';
import type { IssuedSession } from '../session/session-rotation.js';
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

/** A session that a client without one was signed in by. */
export interface ResumedSession extends IssuedSession {
  /** No cookie of it is written later than this, in milliseconds since the epoch. @default no limit */
  readonly until?: number;
}

/** How a client is forgotten. */
export interface Forgetting {
  /** Why the session ends that the client was signed in by. */
  readonly reason: SessionEndReason;
  /** The handle of a session that does not end by this. */
  readonly exceptSessionId?: string;
}

/** Signs a client in that has no live session, by what else it sent. */
export abstract class SessionResumer {
  /** A new session, or undefined. Writes its own cookies; the session's cookie is written by the caller. */
  abstract resume(request: ResumableRequest): Promise<ResumedSession | undefined>;

  /**
   * Forgets whatever else could sign the client in again, takes it from the client, and ends the session that it was
   * signed in by.
   */
  abstract forget(request: ResumableRequest, how: Forgetting): Promise<void>;
}
