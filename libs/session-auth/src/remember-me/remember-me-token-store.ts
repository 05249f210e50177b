/** One remembered device as a store keeps it. All times are milliseconds since the epoch. */
export interface RememberMeTokenRecord {
  /** Shard tag and 128 random bits, 24 characters of base64url: what the record is found by. */
  readonly selector: string;
  /** The public handle, 20 characters of base64url: names the device in lists and events. */
  readonly id: string;
  readonly userId: string;
  /** SHA-256 of the present validator, 43 characters of base64url. */
  readonly validatorDigest: string;
  /** When the user logged in and asked to be remembered. */
  readonly createdAt: number;
  readonly lastUsedAt: number;
  readonly expiresAt: number;
  /** The handle of the session that this device was signed in by last: when that is ended, the device is forgotten. */
  readonly sessionId: string;
  /** The device, as it was at login. */
  readonly ip?: string;
  readonly userAgent?: string;
}

/** How a token is used: what it presents and what takes its place. */
export interface RememberMeUse {
  /** SHA-256 of the validator that the client presents. */
  readonly presented: string;
  /** SHA-256 of the validator that takes its place if it is the present one. */
  readonly successor: string;
  readonly now: number;
  /** For how many milliseconds a replaced validator is still honoured. */
  readonly reuseGrace: number;
  /** The handle of the session that this use makes, if it is the present validator. */
  readonly sessionId: string;
  /** The record's new end; undefined keeps it. */
  readonly expiresAt?: number;
}

/**
 * The outcome of {@link RememberMeTokenStore.use}.
 *
 * - `used`: it was the present validator, and the successor has taken its place.
 * - `reused`: it was replaced less than the grace ago (another tab was first, or the answer was lost). Nothing changed;
 *   `replaced` counts how often the validator has been replaced since, 1 or more.
 * - `theft`: the selector is known but the validator is none that is honoured. The record is gone: of parallel
 *   thefts one is told.
 * - `absent`: no such selector, or expired.
 */
export type RememberMeUseOutcome =
  | { readonly status: 'used'; readonly record: RememberMeTokenRecord }
  | { readonly status: 'reused'; readonly record: RememberMeTokenRecord; readonly replaced: number }
  | { readonly status: 'theft'; readonly record: RememberMeTokenRecord }
  | { readonly status: 'absent' };

/**
 * Where remember-me tokens are kept. Extend it to keep them somewhere else, and run `rememberMeTokenStoreContract` of
 * `nestjs-session-auth/testing` on the result.
 *
 * Each call is one atomic step against every other call, from this process or another. A record with
 * `expiresAt <= now` is absent for every operation. What is not there is told by the answer; a backend that fails makes
 * the call reject. Nothing that goes in or comes out shares an object with what is stored.
 */
export abstract class RememberMeTokenStore {
  /** Adds a record. Beyond `maxPerUser` records of the user the oldest go. */
  abstract create(record: RememberMeTokenRecord, maxPerUser: number, now: number): Promise<void>;

  /**
   * Uses a token, in one step: compares the presented validator's digest with the present one and, if equal, replaces
   * it and sets `lastUsedAt` and `sessionId`. A validator replaced within its grace stays honoured, through several replacements.
   */
  abstract use(selector: string, use: RememberMeUse): Promise<RememberMeUseOutcome>;

  /** Removes a record by its selector. Answers what it was, if it was there; idempotent. */
  abstract delete(selector: string, now: number): Promise<RememberMeTokenRecord | undefined>;

  /** Removes the record of a user that has this handle. Answers whether it was there and that user's. */
  abstract deleteById(userId: string, id: string, now: number): Promise<boolean>;

  /** Removes the records of a user that are tied to this session. Answers how many live ones there were. */
  abstract deleteBySession(userId: string, sessionId: string, now: number): Promise<number>;

  /**
   * Removes all records of a user but those tied to the session `exceptSessionId`. Answers how many live ones there
   * were.
   */
  abstract deleteByUser(userId: string, exceptSessionId: string | undefined, now: number): Promise<number>;

  /** The live records of a user, newest `createdAt` first (equal times: greater handle first). */
  abstract list(userId: string, now: number): Promise<readonly RememberMeTokenRecord[]>;

  /**
   * Removes at most `limit` expired records and answers how many; each is counted by one call only. A backend that
   * expires by itself answers 0.
   */
  abstract deleteExpired(now: number, limit: number): Promise<number>;
}
