import { OptionReader } from '../options/option-reader.js';
import type { Duration } from '../time/durations.js';
import { DAY, HOUR, SECOND } from '../time/units.js';

/** When expired sessions, remember-me tokens and other expired records are removed. */
export interface CleanupOptions {
  /** The time between two runs of a node, plus or minus a tenth; at most 22 days. @default '1h' */
  readonly every?: Duration;
  /** The most records that one step of a run removes. @default 1000 */
  readonly batch?: number;
}

/** The resolved `cleanup` options. */
export interface CleanupSettings {
  /** Milliseconds; undefined: no automatic runs. */
  readonly every: number | undefined;
  /** The most records removed in one step of a store. */
  readonly batch: number;
}

/** Where {@link CleanupSettings} are injected from. */
export const CLEANUP_SETTINGS = Symbol('nestjs-session-auth cleanup settings');

/** The jitter is added to it, and a timer lasts 24.8 days at most. */
const MAX_INTERVAL = 22 * DAY;

/** The slice `cleanup` of the options. */
export function resolveCleanup(root: OptionReader): CleanupSettings {
  const off = root.get('cleanup') === false;
  const cleanup = off ? OptionReader.empty('cleanup') : root.slice('cleanup', ['every', 'batch']);
  const every = cleanup.duration('every', HOUR, { least: SECOND, most: MAX_INTERVAL });
  return { every: off ? undefined : every, batch: cleanup.integer('batch', 1000, 1, 100_000) };
}
