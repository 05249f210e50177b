import type { OptionReader } from '../options/option-reader.js';
import { SECOND } from '../time/units.js';

/**
 * The token of the resolved `storeTimeout`, in milliseconds. Stores use it too, to give up connections that do not
 * respond.
 */
export const STORE_TIMEOUT = Symbol('nestjs-session-auth store timeout');

/** A timer set for longer than 2^31 - 1 ms fires at once. */
const MAX_TIMER = 2 ** 31 - 1;

/** The option `storeTimeout`. */
export function resolveStoreTimeout(root: OptionReader): number {
  return root.duration('storeTimeout', 2 * SECOND, { least: 1, most: MAX_TIMER });
}
