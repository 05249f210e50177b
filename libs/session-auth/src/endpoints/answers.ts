import type { SessionView } from '../session/session-view.js';
import type { SessionAuthentication } from '../users/session-authentication.js';

/** The response to `POST login` and `POST reauthenticate`. */
export interface LoginAnswer {
  readonly user: { readonly id: string; readonly email?: string; readonly roles: readonly string[] };
  readonly session: SessionView;
  /** For the new session: the previous token stops working. */
  readonly csrfToken: string;
}

/** The response to `GET session`. */
export type SessionAnswer = SessionView & { readonly csrfToken: string };

/** The response to `GET csrf`: the token, and how to send it. */
export interface CsrfAnswer {
  readonly csrfToken: string;
  readonly headerName: string;
  readonly fieldName: string;
}

/** One of the caller's sessions in the response to `GET sessions`. */
export interface SessionListItem {
  readonly id: string;
  /** Whether it is the session of this request. */
  readonly current: boolean;
  /** Browser and system in words. */
  readonly device: string;
  readonly ip?: string;
  readonly createdAt: string;
  readonly lastActivityAt: string;
  readonly expiresAt: string;
  readonly authentication?: SessionAuthentication;
}
