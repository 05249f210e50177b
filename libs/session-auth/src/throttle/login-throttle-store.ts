/** Names one count. */
export interface FailureKey {
  /** Whom the count is about: a keyed digest of an account or of an address. Letters, digits, `_` and `-`. */
  readonly subject: string;
  /** Which of the subject's counts it is. Letters, digits, `_`, `-` and `:`, at most 64 characters. */
  readonly counter: string;
}

/** How often something was counted, and for how long that is remembered. */
export interface FailureCount {
  /** A whole number, 1 or more. */
  readonly count: number;
  /** When the count is over: milliseconds since the epoch. */
  readonly until: number;
}

/** A failure to count. */
export interface NewFailure extends FailureKey {
  /** For how many milliseconds a first count is remembered. Further ones do not prolong it. */
  readonly window: number;
}

/**
 * Where the login throttle counts. Extend it to count somewhere else, run `loginThrottleStoreContract` of
 * `nestjs-session-auth/testing` on the result, and give it as `storage.throttle`.
 *
 * The contract, for all operations:
 *
 * - **Atomic by key.** What a call does to one key is one indivisible step against every other call, from this process
 *   or another. A call with several keys may take a step for each; when it rejects, some of the steps may have taken
 *   place. Answer such a call in one round trip where the backend allows it: a login waits for it.
 * - **Expiry is the store's to enforce**, by the `now` it is given, in milliseconds since the epoch and without rounding,
 *   whatever the backend's own clock says: a count with `until <= now` is absent for every operation.
 * - **Absence is an answer, failure is an error.** A backend that fails or answers nonsense makes the call reject: the
 *   login is refused then, never let through uncounted.
 * - **What is over goes.** A store keeps no count for ever: its backend removes it after its time, or `deleteExpired` does.
 *
 * The keys of one call differ from each other.
 */
export abstract class LoginThrottleStore {
  /** The counts of these keys, in their order; undefined where there is none. */
  abstract read(keys: readonly FailureKey[], now: number): Promise<readonly (FailureCount | undefined)[]>;

  /**
   * Counts one failure at each of these keys and returns the new counts, in their order. Where there is no count, it
   * becomes 1 until `now + window`; otherwise it grows by one and `until` stays. Parallel calls for one key get a number
   * of their own each.
   */
  abstract add(failures: readonly NewFailure[], now: number): Promise<readonly FailureCount[]>;

  /** Sets a count, whatever it was before. */
  abstract set(key: FailureKey, count: FailureCount, now: number): Promise<void>;

  /** Removes the counts of these keys; idempotent. */
  abstract delete(keys: readonly FailureKey[]): Promise<void>;

  /** All counts of a subject, in any order: what is known of an account or address, and what to delete to forget it. */
  abstract list(subject: string, now: number): Promise<readonly (FailureKey & FailureCount)[]>;

  /**
   * Removes at most `limit` counts that are over and returns how many; each is removed by one call only. A backend that
   * removes them by itself, such as Redis, returns 0.
   */
  abstract deleteExpired(now: number, limit: number): Promise<number>;

  /**
   * Returns a store of the same backend for another realm than the default one: no record, no count and no sweep of it
   * reaches another realm's, also where user ids are equal. Called once a realm at boot; two calls with one name return
   * stores on the same records. Optional: without it a store serves one realm, and a second one is refused at boot.
   */
  ofRealm?(realm: string): LoginThrottleStore;
}
