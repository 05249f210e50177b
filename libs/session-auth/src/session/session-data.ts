import { SessionAuthError } from '../errors/session-auth.error.js';
import type { SessionData } from './session-record.js';

/**
 * How many objects and lists a value of session data may hold one in the other. Far above what anybody means, and far
 * below what a JSON writer, a Lua or SQL parser or a remaining call stack gives up at: so no backend refuses what
 * another takes.
 */
export const MAX_DATA_DEPTH = 500;

/**
 * A patch for session data as JSON will carry it: dates have become text, `toJSON` was asked, `undefined` inside
 * objects is gone. A top-level `undefined` stays: it removes the key.
 *
 * @throws SessionAuthError `invalid_session_data` for a patch that is no object of keys, for values JSON cannot carry
 *   (functions, symbols, bigint, circles), for values nested deeper than {@link MAX_DATA_DEPTH}, and for the key
 *   `__proto__`, which merging could turn into a prototype
 */
export function toSessionData(patch: unknown): SessionData {
  // lists, maps and sets: their content is not in their keys and would be lost
  if (typeof patch !== 'object' || patch === null || Symbol.iterator in patch) {
    throw new SessionAuthError('invalid_session_data', 'session data must be an object of keys and values');
  }
  const data: SessionData = {};
  for (const [key, value] of Object.entries(patch)) {
    if (key === '__proto__')
      throw new SessionAuthError('invalid_session_data', 'session data cannot have the key __proto__');
    data[key] = value === undefined ? undefined : throughJson(key, value);
  }
  return data;
}

function throughJson(key: string, value: unknown): unknown {
  let json: string | undefined;
  try {
    json = JSON.stringify(value);
  } catch (cause) {
    throw new SessionAuthError('invalid_session_data', `session data "${key}" cannot be turned into JSON`, { cause });
  }
  if (json === undefined) {
    throw new SessionAuthError(
      'invalid_session_data',
      `session data "${key}" is a ${typeof value}, which JSON cannot carry`,
    );
  }
  if (isDeeperThan(json, MAX_DATA_DEPTH)) {
    throw new SessionAuthError(
      'invalid_session_data',
      `session data "${key}" is nested deeper than ${MAX_DATA_DEPTH} levels`,
    );
  }
  return JSON.parse(json) as unknown;
}

/** By the text and in a loop: a walk that calls itself would be another thing that depends on what stack is left. */
function isDeeperThan(json: string, levels: number): boolean {
  let depth = 0;
  let inText = false;
  for (let at = 0; at < json.length; at += 1) {
    const character = json[at];
    if (character === '"') inText = !inText;
    else if (inText) at += character === '\\' ? 1 : 0;
    else if (character === '{' || character === '[') depth += 1;
    else if (character === '}' || character === ']') depth -= 1;
    if (depth > levels) return true;
  }
  return false;
}

/** Bytes that data takes as JSON: what `maxDataSize` is measured by. Every key counts with its value. */
export function sessionDataBytes(data: SessionData): number {
  let bytes = 0;
  for (const [key, value] of Object.entries(data)) {
    bytes += Buffer.byteLength(JSON.stringify(key)) + Buffer.byteLength(JSON.stringify(value)) + 1;
  }
  return bytes;
}

/** The error for data that would take more than `maxDataSize` bytes. */
export function dataTooLarge(maxDataSize: number): SessionAuthError {
  return new SessionAuthError('session_data_too_large', `session data may take at most ${maxDataSize} bytes of JSON`);
}
