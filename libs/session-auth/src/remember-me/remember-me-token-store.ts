import { isTime } from '../time/clock.js';

/** A validator that was handed out and has not been presented yet. */
export interface RememberMeSuccessor {
  /** SHA-256 of the validator, 43 characters of base64url. */
  readonly digest: string;
  /** What it was worked out with, besides the server's key and the validator before it: 22 characters of base64url. */
  readonly nonce: string;
  /** When it was handed out. Milliseconds since the epoch. */
  readonly at: number;
  /** The handle of the session that goes with it: the same for all who present the validator before it in time. */
  readonly sessionId: string;
  /** Whether another one was handed out before for the same validator, and signed somebody in. @default false */
  readonly isRepeated?: boolean;
}

/** A validator that was replaced a moment ago. */
export interface ReplacedValidator {
  /** SHA-256 of the validator, 43 characters of base64url. */
  readonly digest: string;
  /** Until when a request that presents it was in flight when it was replaced. Milliseconds since the epoch. */
  readonly until: number;
}

/** One remembered device as a store keeps it. All times are milliseconds since the epoch. */
export interface RememberMeTokenRecord {
  /** Shard tag and 128 random bits, 24 characters of base64url: what the record is found by. */
  readonly selector: string;
  /** The public handle, 20 characters of base64url: names the device in lists and events. */
  readonly id: string;
  readonly userId: string;
  /** SHA-256 of the present validator, 43 characters of base64url. */
  readonly validatorDigest: string;
  /** How often the record has been changed: what {@link RememberMeTokenStore.replace} goes by. Absent: 0. */
  readonly revision?: number;
  /** The validator that is to take the place of the present one. Absent: none is out. */
  readonly successor?: RememberMeSuccessor;
  /** Validators that were replaced lately, the latest first. Absent or empty for none. At most 8. */
  readonly replaced?: readonly ReplacedValidator[];
  /** When the user logged in and asked to be remembered. */
  readonly createdAt: number;
  readonly lastUsedAt: number;
  readonly expiresAt: number;
  /** The handle of the session that this device was signed in by last. */
  readonly sessionId: string;
  /** The device, as it was at login. */
  readonly ip?: string;
  readonly userAgent?: string;
}

/** Whether all times of a record can be shown; a record with another one is corrupt. */
export function hasSoundTimes({ createdAt, lastUsedAt, expiresAt }: RememberMeTokenRecord): boolean {
  return [createdAt, lastUsedAt, expiresAt].every(isTime);
}

/** The part of a record that a use of its token changes. */
export type RememberMeChanges = Partial<
  Pick<RememberMeTokenRecord, 'validatorDigest' | 'successor' | 'replaced' | 'lastUsedAt' | 'expiresAt' | 'sessionId'>
>;

/** What {@link RememberMeTokenStore.replace} is asked to do. */
export interface RememberMeReplacement {
  /** The `revision` of the record that `changes` were worked out from. */
  readonly revision: number;
  readonly now: number;
  /** Each field as a whole; `undefined` leaves a field as it is. */
  readonly changes: RememberMeChanges;
}

/** The outcome of {@link RememberMeTokenStore.replace}. */
export type RememberMeReplaceOutcome =
  | { readonly status: 'replaced'; readonly record: RememberMeTokenRecord }
  /** The record has another revision by now: here it is, unchanged. */
  | { readonly status: 'changed'; readonly record: RememberMeTokenRecord }
  | { readonly status: 'absent' };

/**
 * Where remember-me tokens are kept. Extend it to keep them somewhere else, and run `rememberMeTokenStoreContract` of
 * `nestjs-session-auth/testing` on the result.
 *
 * Each call is one atomic step against every other call, from this process or another. A record with
 * `expiresAt <= now` is absent for every operation. What is not there is told by the outcome; a backend that fails makes
 * the call reject. Nothing that goes in or comes out shares an object with what is stored.
 */
export abstract class RememberMeTokenStore {
  /** Adds a record. Beyond `maxPerUser` records of the user the oldest go. */
  abstract create(record: RememberMeTokenRecord, maxPerUser: number, now: number): Promise<void>;

  /** The record of a selector, or undefined. */
  abstract find(selector: string, now: number): Promise<RememberMeTokenRecord | undefined>;

  /**
   * Changes a record and adds 1 to its `revision`, if that is still `revision`: of parallel calls that go by one
   * revision, one succeeds.
   */
  abstract replace(selector: string, replacement: RememberMeReplacement): Promise<RememberMeReplaceOutcome>;

  /**
   * Removes a record by its selector, and returns what it was; undefined when there was none. With a `revision`, a
   * record that has another one by now stays, and undefined is returned: of parallel calls, one is told.
   */
  abstract delete(selector: string, now: number, revision?: number): Promise<RememberMeTokenRecord | undefined>;

  /** Removes the record of a user that has this handle. Returns whether it was there and that user's. */
  abstract deleteById(userId: string, id: string, now: number): Promise<boolean>;

  /**
   * Removes the records of a user that are tied to this session: it is their `sessionId`, or their successor's. Returns
   * how many live ones there were.
   */
  abstract deleteBySession(userId: string, sessionId: string, now: number): Promise<number>;

  /**
   * Removes all records of a user, expired ones too, but those tied to the session `exceptSessionId`. Returns how many
   * live ones there were.
   */
  abstract deleteByUser(userId: string, exceptSessionId: string | undefined, now: number): Promise<number>;

  /** The live records of a user, newest `createdAt` first (equal times: greater handle first). */
  abstract list(userId: string, now: number): Promise<readonly RememberMeTokenRecord[]>;

  /**
   * Removes at most `limit` expired records and returns how many; each is counted by one call only. A backend that
   * expires by itself returns 0.
   */
  abstract deleteExpired(now: number, limit: number): Promise<number>;

  /**
   * Returns a store of the same backend for another realm than the default one: no record, no count and no sweep of it
   * reaches another realm's, also where user ids are equal. Called once a realm at boot; two calls with one name return
   * stores on the same records. Optional: without it a store serves one realm, and a second one is refused at boot.
   */
  ofRealm?(realm: string): RememberMeTokenStore;
}
