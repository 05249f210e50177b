import type { SessionData } from '../../session/session-record.js';
import { encodeData } from './session-data.js';

/**
 * Returns the stored form of session data after a patch: `undefined` removes a key. Returns undefined if the result
 * would take more than `maxBytes` of JSON, and more than before.
 */
export function mergedData(data: SessionData, patch: SessionData, maxBytes: number): string | undefined {
  // own keys only, including `__proto__`
  const merged = Object.fromEntries([...Object.entries(data), ...Object.entries(patch)]);
  const bytes = bytesOf(merged);
  return bytes > maxBytes && bytes > bytesOf(data) ? undefined : encodeData(merged);
}

/** Returns the bytes of all keys and values, counted as in other stores. */
function bytesOf(data: SessionData): number {
  let bytes = 0;
  for (const [key, value] of Object.entries(data)) {
    if (value === undefined) continue;
    bytes += Buffer.byteLength(JSON.stringify(key)) + Buffer.byteLength(JSON.stringify(value)) + 1;
  }
  return bytes;
}
