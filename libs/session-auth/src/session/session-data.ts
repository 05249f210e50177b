import { SessionAuthError } from '../errors/session-auth.error.js';
import { jsonLossOf } from './json-loss.js';
import type { SessionData } from './session-record.js';

/**
 * How deep objects and lists in session data may nest. More than any real data needs, and less than the limit of any
 * JSON writer, Lua or SQL parser or call stack: so no backend refuses data that another accepts.
 */
export const MAX_DATA_DEPTH = 500;

/**
 * Copies a patch for session data as JSON carries it, without `undefined` properties of inner objects. A top-level
 * `undefined` stays, because it removes the key.
 *
 * A value that JSON would drop or change is refused at any depth: otherwise it would be missing one request later, far
 * from the line that stored it.
 *
 * @throws SessionAuthError `invalid_session_data` for a patch that is not an object, for values that JSON cannot carry
 *   (functions, symbols, bigint, NaN and infinities, `undefined` in a list, `Date`, `Map`, `Set`, instances of a class
 *   whose content is not in their properties, circular references), for values nested deeper than
 *   {@link MAX_DATA_DEPTH}, and for the key `__proto__`, which merging could turn into a prototype
 */
export function toSessionData(patch: unknown): SessionData {
  if (typeof patch !== 'object' || patch === null || Array.isArray(patch)) {
    throw invalid('session data must be an object of keys and values');
  }
  const loss = jsonLossOf(undefined, patch, patch);
  if (loss !== undefined) throw invalid(`session data must be an object of keys and values: given ${loss}`);
  const data: SessionData = {};
  for (const [key, value] of Object.entries(patch)) {
    if (key === '__proto__') throw invalid('session data cannot have the key __proto__');
    data[key] = value === undefined ? undefined : throughJson(key, value);
  }
  return data;
}

function throughJson(key: string, value: unknown): unknown {
  let json: string;
  try {
    json = JSON.stringify(value, function (this: Record<string, unknown>, name: string, carried: unknown) {
      const loss = jsonLossOf(this, this[name], carried);
      if (loss === undefined) return carried;
      // the first holder is made by JSON.stringify, and has the value under an empty name
      const place = Object.is(this[name], value) ? '' : ` under ${JSON.stringify(name)}`;
      throw invalid(`session data "${key}" holds ${loss}${place && `; it is${place}`}`);
    });
  } catch (cause) {
    if (cause instanceof SessionAuthError) throw cause;
    throw invalid(`session data "${key}" cannot be turned into JSON`, cause);
  }
  if (isDeeperThan(json, MAX_DATA_DEPTH)) {
    throw invalid(`session data "${key}" is nested deeper than ${MAX_DATA_DEPTH} levels`);
  }
  return JSON.parse(json) as unknown;
}

function invalid(message: string, cause?: unknown): SessionAuthError {
  return new SessionAuthError('invalid_session_data', message, { cause });
}

/** A loop over the text, not a recursive walk, whose limit would depend on the remaining stack. */
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

/** Returns the bytes of data as JSON, for the limit `maxDataSize`. Keys count too. */
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
