import type { SessionAuthentication } from '../users/session-authentication.js';
import type { FactorTimes } from './session-factors.js';

/** Session data as the store keeps it: whatever JSON can carry, by top-level key. */
export type SessionData = Record<string, unknown>;

/**
 * One session as a store keeps it. All times are milliseconds since the epoch.
 *
 * A record never holds the client's token, only its digest.
 */
export interface SessionRecord {
  /** Shard tag and SHA-256 of the token: 45 characters of base64url. Changes with every rotation. */
  readonly digest: string;
  /** The public handle: 20 characters of base64url, the same for the whole life of the session. */
  readonly id: string;
  /** Absent for an anonymous session. */
  readonly userId?: string;
  /** Absent or empty for none. */
  readonly email?: string;
  readonly roles: readonly string[];
  /** When the login that this session stands for took place. */
  readonly createdAt: number;
  /** When the user last proved who they are in full. Absent for an anonymous session. */
  readonly authenticatedAt?: number;
  /** Absent for an anonymous session. */
  readonly authentication?: SessionAuthentication;
  /** The further factors that the user has proved in this session, and when. Absent or empty for none. */
  readonly factors?: FactorTimes;
  /** Keyed digest of the identity provider's session that the login came of. Absent or empty for none. */
  readonly upstream?: string;
  /** When the present token was issued. */
  readonly rotatedAt: number;
  /** The last request seen, to the precision of `lifetime.touchInterval`. */
  readonly lastActivityAt: number;
  /** When the session ends if nothing more is heard: never later than `absoluteExpiresAt`. */
  readonly expiresAt: number;
  /** When the session ends whatever happens (ASVS 7.3.2). */
  readonly absoluteExpiresAt: number;
  readonly ip?: string;
  readonly userAgent?: string;
  /** Keyed digest of the client's traits, where the fingerprint check is on. */
  readonly fingerprint?: string;
  readonly data: SessionData;
}

/** The part of a record that a rotation may replace, each field as a whole; `undefined` leaves a field as it is. */
export type SessionRecordChanges = Partial<
  Pick<
    SessionRecord,
    | 'email'
    | 'roles'
    | 'createdAt'
    | 'authenticatedAt'
    | 'authentication'
    | 'factors'
    | 'upstream'
    | 'lastActivityAt'
    | 'expiresAt'
    | 'absoluteExpiresAt'
    | 'ip'
    | 'userAgent'
    | 'fingerprint'
  >
>;
