/** Names one count. */
export interface FailureKey {
  /** The subject of the count: a keyed digest of an account or an address. Letters, digits, `_` and `-`. */
  readonly subject: string;
  /** Which of the subject's counts it is. Letters, digits, `_`, `-` and `:`, at most 64 characters. */
  readonly counter: string;
}

/** A count of events, and how long it is kept. */
export interface FailureCount {
  /** A whole number, 1 or more. */
  readonly count: number;
  /** When the count expires: milliseconds since the epoch. */
  readonly until: number;
}

/** A failure to count. */
export interface NewFailure extends FailureKey {
  /** How many milliseconds a first count is kept. Further ones do not prolong it. */
  readonly window: number;
}

/**
 * Where the login throttle counts. Extend it for a backend of your own, run `loginThrottleStoreContract` of
 * `nestjs-session-auth/testing` on the result, and provide it as `storage.throttle`.
 *
 * The contract, for all operations:
 *
 * - **Atomic by key.** The effect of a call on one key is one indivisible step against every other call, from this
 *   process or another. A call with several keys may take one step for each; when it rejects, some of the steps may
 *   have taken place. Use one round trip if the backend allows it: a login waits for the call.
 * - **The store enforces expiry**, by the `now` of the call and not by the backend's clock. `now` is in milliseconds
 *   since the epoch, without rounding. A count with `until <= now` is absent for every operation.
 * - **Absence is an answer, failure is an error.** A backend that fails or returns nonsense makes the call reject. The
 *   login is refused then; it never passes uncounted.
 * - **Expired counts are removed**, by the backend itself or by `deleteExpired`.
 *
 * The keys of one call differ from each other.
 */
export abstract class LoginThrottleStore {
  /** Returns the counts of these keys, in their order; undefined for a missing one. */
  abstract read(keys: readonly FailureKey[], now: number): Promise<readonly (FailureCount | undefined)[]>;

  /**
   * Counts one failure at each of these keys and returns the new counts, in their order. A missing count becomes 1
   * until `now + window`. An existing one grows by one and keeps its `until`. Parallel calls for one key get different
   * numbers.
   */
  abstract add(failures: readonly NewFailure[], now: number): Promise<readonly FailureCount[]>;

  /** Sets a count, replacing any earlier one. */
  abstract set(key: FailureKey, count: FailureCount, now: number): Promise<void>;

  /** Removes the counts of these keys; idempotent. */
  abstract delete(keys: readonly FailureKey[]): Promise<void>;

  /** Returns all counts of a subject, in any order: to export them, or to delete them. */
  abstract list(subject: string, now: number): Promise<readonly (FailureKey & FailureCount)[]>;

  /**
   * Removes at most `limit` expired counts and returns how many; each is removed by one call only. A backend that
   * removes them by itself, such as Redis, returns 0.
   */
  abstract deleteExpired(now: number, limit: number): Promise<number>;

  /**
   * Returns a store of the same backend for a realm other than the default one. None of its records, counts and sweeps
   * affects another realm, even when user ids are equal. Called once for each realm at boot; two calls with one name
   * return stores on the same records. Optional. Without it a store serves one realm, and a second realm is refused at
   * boot.
   */
  ofRealm?(realm: string): LoginThrottleStore;
}
