import type { Duration } from '../time/durations.js';

/** When expired sessions, remember-me tokens and the like are removed. */
export interface CleanupOptions {
  /** The time between two runs of a node, give or take a tenth; at most 22 days. @default '1h' */
  readonly every?: Duration;
  /** The most records that one step of a run removes. @default 1000 */
  readonly batch?: number;
}
