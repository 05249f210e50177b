import { hash, randomInt } from 'node:crypto';
import { RECORD_VERSION } from '../../session/record-version.js';
import type { SessionRecord, SessionRecordChanges } from '../../session/session-record.js';
import type { TokenChanges } from '../../session/session-tokens.js';
import {
  CHANGED_COLUMNS,
  encodeChanges,
  encodeRow,
  SESSION_COLUMNS,
  typeOf,
  type SessionColumn,
  type StoredSession,
} from '../postgres/session-row.js';
import type { StoredKeys } from '../postgres/stored-keys.js';
import type { GenerationClauses } from './generation-clauses.js';
import { numberOf, type Row } from './pooled-connection.js';
import { columnList, commaList, sql, SqlText } from './sql-text.js';

/** A session as it is stored. */
export interface SessionRow {
  readonly stored: StoredSession;
  /** When a sweep checks the session: never later than its end. */
  readonly sweepAt: number;
  /** Changes with each write. */
  readonly version: number;
}

/** Values of columns to set; empty to leave all unchanged. */
export type ColumnChanges = { readonly [Column in SessionColumn | 'sweep_at']?: string | number };

/** The columns of {@link decodeSessionRow}, in its order. */
export const SESSION_ROW = columnList([...SESSION_COLUMNS, 'sweep_at', 'version']);

const KINDS = SESSION_COLUMNS.map(typeOf);

/** The columns that have a length, in bytes: without strict mode the server would cut what is longer. */
const WIDTHS: { readonly [Column in SessionColumn]?: number } = {
  handle: 64,
  digest: 128,
  authentication: 32,
  fingerprint: 128,
  upstream: 128,
  device: 64,
};

/** The greatest number from which a new row counts. */
const MAX_VERSION = 2 ** 47;

/**
 * Returns the key of a user's rows: SHA-256 of the user's id, because an id may be longer than an index key allows, and
 * bytes compare exactly. It differs between realms.
 */
export function userKeyOf(userId: string, keys: StoredKeys): Buffer {
  return hash('sha256', keys.encodeUser(userId), 'buffer');
}

/** Returns the statement that adds a session. */
export function insertSession(
  table: SqlText,
  record: SessionRecord,
  keys: StoredKeys,
  { present }: Pick<GenerationClauses, 'present'>,
): SqlText {
  const values = encodeRow(record, keys).map((value, index) => literal(SESSION_COLUMNS[index]!, value));
  const userKey = record.userId === undefined ? null : userKeyOf(record.userId, keys);
  // a session with the handle of an earlier one must have another version
  const version = randomInt(MAX_VERSION);
  return sql`INSERT INTO ${table} (${columnList(SESSION_COLUMNS)}, user_key, sweep_at, version, generation)
    VALUES (${commaList(values)}, ${userKey}, ${record.expiresAt}, ${version}, ${present})`;
}

/** Returns the assignments of changes. */
export function assignments(changes: ColumnChanges): SqlText {
  const entries = Object.entries(changes) as [SessionColumn, string | number][];
  return commaList(entries.map(([column, value]) => sql`${columnList([column])} = ${literal(column, value)}`));
}

/** Returns the changes of a rotation as columns, without unchanged ones. */
export function changedColumns(row: SessionRow, changes: SessionRecordChanges & TokenChanges): ColumnChanges {
  const values = encodeChanges(changes);
  const given = CHANGED_COLUMNS.map((column, index) => [column, values[index]] as const).filter(
    ([, value]) => value != null,
  );
  const { expiresAt = Infinity } = changes;
  return {
    ...(Object.fromEntries(given) as ColumnChanges),
    record_version: raisedVersion(row),
    sweep_at: Math.min(row.sweepAt, expiresAt),
  };
}

/** Returns the version of a row after a change by this node. */
export function raisedVersion({ stored }: SessionRow): number {
  return Math.max(stored[23], RECORD_VERSION);
}

/** Returns a row with other values in some columns. */
export function withColumns({ stored }: SessionRow, changes: ColumnChanges): StoredSession {
  return stored.map((value, index) => {
    const changed = changes[SESSION_COLUMNS[index]!];
    if (changed === undefined) return value;
    return KINDS[index] === 'json' ? parsed(String(changed)) : changed;
  }) as unknown as StoredSession;
}

/** Decodes the columns of {@link SESSION_ROW}. */
export function decodeSessionRow(row: Row): SessionRow {
  const stored = KINDS.map((kind, index) => {
    const bytes = row[index];
    if (bytes == null) return null;
    if (kind === 'json') return parsed(bytes.toString());
    return kind === 'text' ? bytes.toString() : numberOf(bytes);
  }) as unknown as StoredSession;
  return { stored, sweepAt: numberOf(row[KINDS.length]!), version: numberOf(row[KINDS.length + 1]!) };
}

/** A text that is not JSON becomes a value that no column may have, so the record counts as unreadable. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function literal(column: SessionColumn | 'sweep_at', value: unknown): SqlText {
  if (typeof value !== 'string') return sql`${value as number | null}`;
  const bytes = Buffer.from(value);
  const width = column === 'sweep_at' ? undefined : WIDTHS[column];
  if (width !== undefined && bytes.length > width) throw new RangeError(`${column}: longer than ${width} bytes`);
  return sql`${bytes}`;
}
