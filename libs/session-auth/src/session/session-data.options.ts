import type { OptionReader } from '../options/option-reader.js';

/** The token of the resolved `maxDataSize`: the most bytes of JSON in a session's data. */
export const MAX_DATA_SIZE = Symbol('nestjs-session-auth max data size');

const DEFAULT_SIZE = 65_536;
const LARGEST_SIZE = 16 * 1024 * 1024;

/** The option `maxDataSize`. */
export function resolveMaxDataSize(root: OptionReader): number {
  return root.integer('maxDataSize', DEFAULT_SIZE, 1, LARGEST_SIZE);
}
