import type { Duration } from '../time/durations.js';

/** The cookie by which a device is recognised that was signed in from before. */
export interface DeviceCookieOptions {
  /** For how long after a login; at most 400 days. @default '180d' */
  readonly lifetime?: Duration;
}
