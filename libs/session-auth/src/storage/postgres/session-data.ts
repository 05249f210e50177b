import { corruptRecord } from '../../session/corrupt-record.js';
import type { SessionData } from '../../session/session-record.js';

/*
 * `data` is stored as JSON text with a line for every top-level key:
 *
 *   {
 *   "theme":"dark",
 *   "cart":{"items":[…]}
 *   }
 *
 * JSON text has no raw line break inside a value, and no two keys have the same beginning of a line up to the colon. So
 * a statement can replace whole lines, and values are stored and returned unchanged.
 */

/** Returns the stored form of session data. */
export function encodeData(data: SessionData): string {
  const { lines } = encodePatch(data);
  const kept = lines.filter((line) => line !== '');
  return kept.length === 0 ? '{}' : `{\n${kept.join(',\n')}\n}`;
}

/**
 * Returns a patch as two arrays: the beginnings of its lines, and the lines, which are empty for keys to remove. They
 * contain no NULL, because a setting of the connection (`array_nulls`) would make it the text "NULL".
 */
export function encodePatch(patch: SessionData): { starts: string[]; lines: string[] } {
  const starts: string[] = [];
  const lines: string[] = [];
  for (const [key, value] of Object.entries(patch)) {
    const start = `${JSON.stringify(key)}:`;
    starts.push(start);
    lines.push(value === undefined ? '' : start + JSON.stringify(value));
  }
  return { starts, lines };
}

/**
 * Decodes stored session data.
 *
 * @throws SessionAuthError `corrupt_session_record` for anything but an object
 */
export function decodeData(stored: string): SessionData {
  return checkedData(JSON.parse(stored));
}

/**
 * Returns parsed session data.
 *
 * @throws SessionAuthError `corrupt_session_record` for anything but an object
 */
export function checkedData(data: unknown): SessionData {
  if (typeof data !== 'object' || data === null || Array.isArray(data)) throw corruptRecord();
  return data as SessionData;
}
