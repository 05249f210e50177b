import type { SessionAuthentication } from '../users/session-authentication.js';
import type { FactorTimes } from './session-factors.js';

/** Session data as the store keeps it: JSON values by top-level key. */
export type SessionData = Record<string, unknown>;

/** A token of a session besides the present one. */
export interface OtherToken {
  /** SHA-256 of the token, 43 characters of base64url: the last part of its digest. */
  readonly hash: string;
  /**
   * - `successor`: issued, and not used yet.
   * - `superseded`: replaced by a successor, and honoured for requests in flight.
   * - `retired`: replaced at once. Refused, but not reported as reuse, because requests were in flight.
   * - `renewable`: as `retired`, after a proof of identity. A client that repeats the proof gets a successor.
   */
  readonly kind: 'successor' | 'superseded' | 'retired' | 'renewable';
  /** When a successor was issued, or until when any other kind is valid. Milliseconds since the epoch. */
  readonly at: number;
  /** As {@link SessionRecord.rolesSince}, for this token. Absent: 0. */
  readonly rolesSince?: number;
  /**
   * How many milliseconds the previous token is honoured after this successor is used. @default
   * `lifetime.rotationGrace`
   */
  readonly grace?: number;
}

/**
 * One session as a store keeps it. All times are milliseconds since the epoch.
 *
 * A record never holds the client's token, only its digest.
 */
export interface SessionRecord {
  /** Shard tag, handle and SHA-256 of the present token: 2, 20 and 43 characters of base64url. */
  readonly digest: string;
  /** The public handle: 20 characters of base64url, the same for the whole life of the session. */
  readonly id: string;
  /** How often tokens, roles or e-mail have changed. {@link SessionStore.rotate} compares it. Absent: 0. */
  readonly revision?: number;
  /** The other recent tokens of the session, at most 12. Absent or empty: none. */
  readonly tokens?: readonly OtherToken[];
  /** Absent for an anonymous session. */
  readonly userId?: string;
  /** Absent or empty: no address. */
  readonly email?: string;
  readonly roles: readonly string[];
  /** Earlier roles of the session, oldest first, as long as a token from that time is honoured. Absent: none. */
  readonly formerRoles?: readonly (readonly string[])[];
  /** How many of `formerRoles` are older than the present token. Absent: 0. */
  readonly rolesSince?: number;
  /** When the login of this session took place. */
  readonly createdAt: number;
  /** When the user last fully proved their identity. Absent for an anonymous session. */
  readonly authenticatedAt?: number;
  /** Absent for an anonymous session. */
  readonly authentication?: SessionAuthentication;
  /** The further factors that the user has proved in this session, and when. Absent or empty: no factors. */
  readonly factors?: FactorTimes;
  /** Keyed digest of the identity provider's session that the login used. Absent or empty: no such session. */
  readonly upstream?: string;
  /** Keyed digest of the device that logged in, 11 characters of base64url, if known. */
  readonly device?: string;
  /** When the present token was issued; 0: it must be replaced. */
  readonly rotatedAt: number;
  /** The time of the last request, to the precision of `lifetime.touchInterval`. */
  readonly lastActivityAt: number;
  /** When the session ends without further requests: never later than `absoluteExpiresAt`. */
  readonly expiresAt: number;
  /** When the session ends even if it is in use (ASVS 7.3.2). */
  readonly absoluteExpiresAt: number;
  /** From the last request, to the precision of `lifetime.touchInterval`; before that, from the login. */
  readonly ip?: string;
  /** As `ip`. */
  readonly userAgent?: string;
  /** Keyed digest of the client's traits, when the fingerprint check is on. */
  readonly fingerprint?: string;
  readonly data: SessionData;
}

/** The fields of a record that a rotation may replace, each as a whole; `undefined` leaves a field unchanged. */
export type SessionRecordChanges = Partial<
  Pick<
    SessionRecord,
    | 'device'
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
