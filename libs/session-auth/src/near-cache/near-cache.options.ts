import { OptionReader } from '../options/option-reader.js';
import type { Duration } from '../time/durations.js';
import { SECOND } from '../time/units.js';

/** The guarantee of a near-cache: see {@link NearCacheOptions.consistency}. */
export type NearCacheConsistency = 'bounded' | 'strict';

/** All values of {@link NearCacheConsistency}. */
const CONSISTENCIES: readonly NearCacheConsistency[] = ['bounded', 'strict'];

/** How a node keeps sessions in its memory between requests. */
export interface NearCacheOptions {
  /**
   * The most sessions that a node keeps; it drops the least recently used. A session with little data takes about 1 KB.
   *
   * @default 10000
   */
  readonly maxSessions?: number;
  /**
   * The longest time for which a session that has ended elsewhere may be served, even if connections, nodes or the
   * store fail: 50 ms to 10 s. A node sends four heartbeats in that time. @default '250ms'
   */
  readonly bound?: Duration;
  /**
   * `bounded`: a session that has ended is refused everywhere within `bound` of the end. `strict`: what ends or changes
   * a session resolves when every node refuses it, usually after a further round trip, and at the latest after the
   * longest `bound` of the nodes; so a logout waits, and a login that evicts a session. @default 'bounded'
   */
  readonly consistency?: NearCacheConsistency;
}

/** The resolved `nearCache` options. */
export interface NearCacheSettings {
  readonly maxSessions: number;
  /** Milliseconds. */
  readonly bound: number;
  readonly consistency: NearCacheConsistency;
}

/** The injection token of {@link NearCacheSettings}; the value is undefined without a near-cache. */
export const NEAR_CACHE_SETTINGS = Symbol('nestjs-session-auth near-cache settings');

const MOST_SESSIONS = 10_000_000;

/** The slice `nearCache` of the options; undefined if no session is kept. */
export function resolveNearCache(root: OptionReader): NearCacheSettings | undefined {
  const given = root.get('nearCache', false);
  if (given === false) return undefined;
  const isObject = typeof given === 'object' && given !== null && !Array.isArray(given);
  if (given !== true && !isObject) throw root.refuse('nearCache', 'true, false, or an object of options');
  const options =
    given === true
      ? OptionReader.empty('nearCache')
      : root.slice('nearCache', ['maxSessions', 'bound', 'consistency'] satisfies (keyof NearCacheOptions)[]);
  const maxSessions = options.integer('maxSessions', 10_000, 1, MOST_SESSIONS);
  const bound = options.duration('bound', 250, { least: 50, most: 10 * SECOND });
  const consistency = options.oneOf('consistency', CONSISTENCIES, 'bounded');
  return { maxSessions, bound, consistency };
}
