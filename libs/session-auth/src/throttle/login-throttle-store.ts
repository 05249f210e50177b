/** How often something was counted, and for how many milliseconds that is remembered. */
export interface FailureCount {
  readonly consumedPoints: number;
  readonly msBeforeNext: number;
}

/**
 * Counts by key. The limiters of `rate-limiter-flexible` are such counters; only what is used of them is named here.
 * Every operation is atomic and rejects when the backend fails.
 */
export interface FailureCounter {
  /** The count of a key; null when there is none. */
  get(key: string): Promise<FailureCount | null>;
  /** Counts one more, from the counter's full time on if it is the first, and answers the new count. */
  penalty(key: string): Promise<FailureCount>;
  /** Sets the count of a key for so many whole seconds from now. */
  set(key: string, points: number, seconds: number): Promise<unknown>;
  delete(key: string): Promise<unknown>;
}

/**
 * Where the login throttle counts. Extend it to count somewhere else, with any limiter of `rate-limiter-flexible` or a
 * counter of your own, and give it as `storage.throttle`.
 */
export abstract class LoginThrottleStore {
  /**
   * @param name what keys of this counter begin with; differs between counters
   * @param seconds for how many whole seconds a first count is remembered
   */
  abstract counter(name: string, seconds: number): FailureCounter;
}
