import { isTime } from '../time/clock.js';

/** A validator that was issued and has not been presented yet. */
export interface RememberMeSuccessor {
  /** SHA-256 of the validator, 43 characters of base64url. */
  readonly digest: string;
  /** The nonce it was derived with, besides the server's key and the previous validator: 22 characters of base64url. */
  readonly nonce: string;
  /** When it was issued. Milliseconds since the epoch. */
  readonly at: number;
  /** The handle of its session: the same for all clients that present the previous validator in time. */
  readonly sessionId: string;
  /** Whether an earlier successor for the same validator has signed somebody in. @default false */
  readonly isRepeated?: boolean;
}

/** A validator that was replaced a moment ago. */
export interface ReplacedValidator {
  /** SHA-256 of the validator, 43 characters of base64url. */
  readonly digest: string;
  /** Until when a request that presents it counts as in flight. Milliseconds since the epoch. */
  readonly until: number;
}

/** One remembered device as a store keeps it. All times are milliseconds since the epoch. */
export interface RememberMeTokenRecord {
  /** Shard tag and 128 random bits, 24 characters of base64url: the key of the record. */
  readonly selector: string;
  /** The public handle, 20 characters of base64url: names the device in lists and events. */
  readonly id: string;
  readonly userId: string;
  /** SHA-256 of the present validator, 43 characters of base64url. */
  readonly validatorDigest: string;
  /** How often the record has changed. {@link RememberMeTokenStore.replace} compares it. Absent: 0. */
  readonly revision?: number;
  /** The validator that will replace the present one. Absent: none is issued. */
  readonly successor?: RememberMeSuccessor;
  /** Recently replaced validators, the latest first, at most 8. Absent or empty: no validators. */
  readonly replaced?: readonly ReplacedValidator[];
  /** When the user logged in and chose to be remembered. */
  readonly createdAt: number;
  readonly lastUsedAt: number;
  readonly expiresAt: number;
  /** The handle of the session that this device started last. */
  readonly sessionId: string;
  /** The device's address at login. */
  readonly ip?: string;
  readonly userAgent?: string;
}

/** Whether all times of a record are valid dates; otherwise the record is corrupt. */
export function hasSoundTimes({ createdAt, lastUsedAt, expiresAt }: RememberMeTokenRecord): boolean {
  return [createdAt, lastUsedAt, expiresAt].every(isTime);
}

/** The fields of a record that a use of its token changes. */
export type RememberMeChanges = Partial<
  Pick<RememberMeTokenRecord, 'validatorDigest' | 'successor' | 'replaced' | 'lastUsedAt' | 'expiresAt' | 'sessionId'>
>;

/** The arguments of {@link RememberMeTokenStore.replace}. */
export interface RememberMeReplacement {
  /** The `revision` of the record that `changes` are based on. */
  readonly revision: number;
  readonly now: number;
  /** The fields to replace, each as a whole; `undefined` leaves a field unchanged. */
  readonly changes: RememberMeChanges;
}

/** The outcome of {@link RememberMeTokenStore.replace}. */
export type RememberMeReplaceOutcome =
  | { readonly status: 'replaced'; readonly record: RememberMeTokenRecord }
  /** The record has another revision now. It is returned unchanged. */
  | { readonly status: 'changed'; readonly record: RememberMeTokenRecord }
  | { readonly status: 'absent' };

/**
 * Where remember-me tokens are kept. Extend it for a backend of your own, and run `rememberMeTokenStoreContract` of
 * `nestjs-session-auth/testing` on the result.
 *
 * Each call is one atomic step against every other call, from this process or another. A record with `expiresAt <= now`
 * is absent for every operation. The outcome says that something is absent; a backend that fails makes the call reject.
 * Arguments and results share no object with the stored records.
 */
export abstract class RememberMeTokenStore {
  /** Adds a record. Removes the oldest records of the user beyond `maxPerUser`. */
  abstract create(record: RememberMeTokenRecord, maxPerUser: number, now: number): Promise<void>;

  /** Returns the record of a selector, or undefined. */
  abstract find(selector: string, now: number): Promise<RememberMeTokenRecord | undefined>;

  /**
   * Changes a record and adds 1 to its `revision`, if that is still `revision`. Of parallel calls with one revision,
   * one succeeds.
   */
  abstract replace(selector: string, replacement: RememberMeReplacement): Promise<RememberMeReplaceOutcome>;

  /**
   * Removes a record by its selector, and returns it; undefined if there was no record. With a `revision`, a record
   * that has another one stays, and the result is undefined. Of parallel calls, one gets the record.
   */
  abstract delete(selector: string, now: number, revision?: number): Promise<RememberMeTokenRecord | undefined>;

  /** Removes the record of a user that has this handle. Returns whether the user had it. */
  abstract deleteById(userId: string, id: string, now: number): Promise<boolean>;

  /**
   * Removes the records of a user that are tied to this session: it is their `sessionId`, or their successor's. Returns
   * how many live ones there were.
   */
  abstract deleteBySession(userId: string, sessionId: string, now: number): Promise<number>;

  /**
   * Removes all records of a user, including expired ones, except those tied to the session `exceptSessionId`. Returns
   * how many live ones there were.
   */
  abstract deleteByUser(userId: string, exceptSessionId: string | undefined, now: number): Promise<number>;

  /**
   * Removes all records of the store's realm, or those with a `createdAt` before a time, as
   * `SessionStore.deleteByRealm` ends sessions: when it resolves, they are absent for every operation. A record
   * that is added meanwhile is added either before it, and removed, or after it. Calling it again is harmless.
   *
   * Optional. Without it `endEverySession` and `endSessionsBefore` need `keepDevices`.
   */
  deleteByRealm?(which: { readonly createdBefore?: number }, now: number): Promise<void>;

  /** Returns the live records of a user, newest `createdAt` first (equal times: greater handle first). */
  abstract list(userId: string, now: number): Promise<readonly RememberMeTokenRecord[]>;

  /**
   * Removes at most `limit` expired records and returns how many; each is counted by one call only. A backend that
   * removes expired records by itself returns 0.
   */
  abstract deleteExpired(now: number, limit: number): Promise<number>;

  /**
   * Returns a store of the same backend for a realm other than the default one. None of its records, counts and sweeps
   * affects another realm, even when user ids are equal. Called once for each realm at boot; two calls with one name
   * return stores on the same records. Optional. Without it a store serves one realm, and a second realm is refused at
   * boot.
   */
  ofRealm?(realm: string): RememberMeTokenStore;
}
