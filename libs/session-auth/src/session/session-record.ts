import type { SessionAuthentication } from '../users/session-authentication.js';
import type { FactorTimes } from './session-factors.js';

/** Session data as the store keeps it: whatever JSON can carry, by top-level key. */
export type SessionData = Record<string, unknown>;

/** A token of a session besides the present one. */
export interface OtherToken {
  /** SHA-256 of the token, 43 characters of base64url: what its digest ends with. */
  readonly hash: string;
  /**
   * - `successor`: handed out, and not presented yet.
   * - `superseded`: replaced by a successor, and honoured for requests in flight.
   * - `retired`: replaced at once. Refused, but it is no reuse: requests were in flight.
   * - `renewable`: as `retired`, by a proof of who the user is. Who proves it again is given a successor.
   */
  readonly kind: 'successor' | 'superseded' | 'retired' | 'renewable';
  /** When a successor was handed out; until when any other kind is what it is. Milliseconds since the epoch. */
  readonly at: number;
  /** As {@link SessionRecord.rolesSince}, for this token. Absent: 0. */
  readonly rolesSince?: number;
  /** For how many milliseconds a successor lets the token before be honoured. @default `lifetime.rotationGrace` */
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
  /** How often tokens, roles or e-mail have been changed: what {@link SessionStore.rotate} goes by. Absent: 0. */
  readonly revision?: number;
  /** The other tokens that the session has had lately. Absent or empty for none. At most 12. */
  readonly tokens?: readonly OtherToken[];
  /** Absent for an anonymous session. */
  readonly userId?: string;
  /** Absent or empty for none. */
  readonly email?: string;
  readonly roles: readonly string[];
  /** Roles that the session had before, oldest first, for as long as a token from then is honoured. Absent: none. */
  readonly formerRoles?: readonly (readonly string[])[];
  /** How many of `formerRoles` are older than the present token. Absent: 0. */
  readonly rolesSince?: number;
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
  /** Keyed digest of the device that logged in, 11 characters of base64url, where that is known. */
  readonly device?: string;
  /** When the present token was issued; 0: it is due to be replaced. */
  readonly rotatedAt: number;
  /** The last request seen, to the precision of `lifetime.touchInterval`. */
  readonly lastActivityAt: number;
  /** When the session ends if nothing more is heard: never later than `absoluteExpiresAt`. */
  readonly expiresAt: number;
  /** When the session ends whatever happens (ASVS 7.3.2). */
  readonly absoluteExpiresAt: number;
  /** Of the last request seen, to the precision of `lifetime.touchInterval`; of the login until then. */
  readonly ip?: string;
  /** As `ip`. */
  readonly userAgent?: string;
  /** Keyed digest of the client's traits, where the fingerprint check is on. */
  readonly fingerprint?: string;
  readonly data: SessionData;
}

/** The part of a record that a rotation may replace, each field as a whole; `undefined` leaves a field as it is. */
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
