import type { SessionAuthentication } from '../users/session-authentication.js';

/** A session as an HTTP response shows it: nothing secret, and not the application's data. */
export interface SessionView {
  readonly id: string;
  readonly realm: string;
  readonly userId?: string;
  readonly email?: string;
  readonly roles: readonly string[];
  /** Times are ISO 8601 in UTC. */
  readonly createdAt: string;
  readonly authenticatedAt?: string;
  readonly authentication?: SessionAuthentication;
  /** The further factors proved in this session, and when. */
  readonly factors: Readonly<Record<string, string>>;
  readonly lastActivityAt: string;
  readonly expiresAt: string;
  readonly absoluteExpiresAt: string;
  readonly ip?: string;
  readonly userAgent?: string;
}
