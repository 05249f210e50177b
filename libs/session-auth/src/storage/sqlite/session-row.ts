import { RECORD_VERSION } from '../../session/record-version.js';
import type { SessionRecord } from '../../session/session-record.js';
import { CHANGED_COLUMNS, decodeRow, SESSION_COLUMNS, typeOf, type StoredSession } from '../postgres/session-row.js';
import type { StoredKeys } from '../postgres/stored-keys.js';
import type { GenerationClauses } from './generation-clauses.js';
import type { Row } from './sqlite-handle.js';

/** The columns of a session, in the order of a {@link StoredSession}. */
export const SESSION_ROW = SESSION_COLUMNS.join(', ');

/** Returns a statement with the values of a record. */
export function insertSession({ present }: Pick<GenerationClauses, 'present'>): string {
  return `INSERT INTO session_auth_session (${SESSION_ROW}, generation)
  VALUES (${SESSION_COLUMNS.map(() => '?').join(', ')}, ${present})`;
}

/** Returns a statement with a handle. */
export function findSession({ isPresent }: Pick<GenerationClauses, 'isPresent'>): string {
  return `SELECT ${SESSION_ROW} FROM session_auth_session WHERE handle = ? AND ${isPresent}`;
}

/** The assignment that a change makes to the version of a row. */
export const RAISED_VERSION = `record_version = max(record_version, ${RECORD_VERSION})`;

/** A statement with the changes of a rotation, the revision after it and the handle. */
export const ROTATE_SESSION = `UPDATE session_auth_session
  SET ${CHANGED_COLUMNS.map((column) => `${column} = coalesce(?, ${column})`).join(', ')}, revision = ?,
    ${RAISED_VERSION}
  WHERE handle = ? RETURNING ${SESSION_ROW}`;

/** A statement with data and the handle. */
export const UPDATE_DATA = `UPDATE session_auth_session SET data = ?, ${RAISED_VERSION} WHERE handle = ?`;

/** A statement with the time, the expiry, the address, the agent and the handle of a touch. */
export const TOUCH_SESSION = `UPDATE session_auth_session
  SET last_activity_at = ?, expires_at = ?, ip = coalesce(?, ip), user_agent = coalesce(?, user_agent)
  WHERE handle = ? RETURNING ${SESSION_ROW}`;

const EXPIRES_AT = SESSION_COLUMNS.indexOf('expires_at');

const IS_JSON = SESSION_COLUMNS.map((column) => typeOf(column) === 'json');

/** Returns when the session of a row expires, even if the row cannot be decoded. */
export function expiryOf(row: Row): number {
  return Number(row[EXPIRES_AT]);
}

/** Decodes the columns of {@link SESSION_ROW} that can always be decoded. */
export function storedSession(row: Row): StoredSession {
  return row.map((value, index) =>
    IS_JSON[index] === true && value !== null ? parsed(String(value)) : value,
  ) as unknown as StoredSession;
}

/**
 * Decodes the columns of {@link SESSION_ROW}.
 *
 * @throws SessionAuthError `corrupt_session_record`
 * @throws Error for a row of a later version, see record-version.ts
 */
export function decodeSession(row: Row, keys: StoredKeys): SessionRecord {
  return decodeRow(storedSession(row), keys);
}

/** A text that is not JSON becomes a value that no column may have, so the record counts as unreadable. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
