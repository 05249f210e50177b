import type { SessionEndReason } from '../events/session-event.js';
import type { IssuedSession } from '../session/session-rotation.js';
import type { HttpExchange } from './http-exchange.js';
import type { PresentedCookies } from './presented-cookies.js';
import type { ResponseCookies } from './response-cookies.js';

/** The parts of a request without a live session that a {@link SessionResumer} needs. */
export interface ResumableRequest {
  readonly exchange: HttpExchange;
  readonly presented: PresentedCookies;
  readonly responseCookies: ResponseCookies;
  /** The fingerprint for a session that begins with this request; undefined when the check is off. */
  readonly fingerprint: string | undefined;
}

/** A session that signed in a client without one. */
export interface ResumedSession extends IssuedSession {
  /** No cookie of it is written later than this, in milliseconds since the epoch. @default no limit */
  readonly until?: number;
}

/** The options for forgetting a client. */
export interface Forgetting {
  /** Why the client's session ends. */
  readonly reason: SessionEndReason;
  /** The handle of a session that must not end. */
  readonly exceptSessionId?: string;
}

/** Signs in a client without a live session, by its other cookies. */
export abstract class SessionResumer {
  /** Returns a new session, or undefined. Writes its own cookies; the caller writes the session's cookie. */
  abstract resume(request: ResumableRequest): Promise<ResumedSession | undefined>;

  /**
   * Forgets everything else that could sign the client in again, clears it on the client, and ends the session that it
   * started.
   */
  abstract forget(request: ResumableRequest, how: Forgetting): Promise<void>;
}
