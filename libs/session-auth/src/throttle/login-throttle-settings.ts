/** The resolved `loginThrottle` options. Times are milliseconds. */
export interface LoginThrottleSettings {
  readonly client: {
    readonly failures: number;
    readonly window: number;
    readonly block: number;
    readonly maxBlock: number;
  };
  readonly address: { readonly failures: number; readonly window: number };
  readonly account: { readonly failures: number; readonly window: number };
  readonly knownFor: number;
}

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** The longest that a counter may remember: a timer of the memory store can be set for no longer. */
export const MAX_THROTTLE_TIME = 24 * DAY;

export const DEFAULT_LOGIN_THROTTLE: LoginThrottleSettings = {
  client: { failures: 5, window: 15 * MINUTE, block: MINUTE, maxBlock: HOUR },
  address: { failures: 100, window: HOUR },
  account: { failures: 50, window: HOUR },
  knownFor: 21 * DAY,
};
