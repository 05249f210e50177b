import { corruptRecord } from '../../session/corrupt-record.js';
import { areFactorTimes, type FactorTimes } from '../../session/session-factors.js';
import type { SessionData, SessionRecord, SessionRecordChanges } from '../../session/session-record.js';
import type { Touch } from '../../session/session-store.js';
import { listColumns, type Row, type SqlValue } from './postgres-statement.js';
import { decodeOptional, encodeText, textOrNull } from './postgres-text.js';

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

/** The columns of a session in the order in which {@link decodeRow} reads them. */
export const SESSION_COLUMNS = [
  'handle',
  'digest',
  'user_id',
  'email',
  'roles',
  'created_at',
  'authenticated_at',
  'authentication',
  'rotated_at',
  'last_activity_at',
  'expires_at',
  'absolute_expires_at',
  'ip',
  'user_agent',
  'fingerprint',
  'data',
  'factors',
  'upstream',
] as const;

/** {@link SESSION_COLUMNS} as a statement lists them. */
export const COLUMNS = listColumns(SESSION_COLUMNS);

/** {@link SESSION_COLUMNS} as a statement lists them that has the alias `s` for the table. */
export const COLUMNS_OF_S = listColumns(SESSION_COLUMNS, 's');

/** Returns the values of a record, in the order of {@link SESSION_COLUMNS}. */
export function encodeRow(record: SessionRecord): SqlValue[] {
  return [
    encodeText(record.id),
    encodeText(record.digest),
    textOrNull(record.userId),
    textOrNull(record.email),
    JSON.stringify(record.roles),
    record.createdAt,
    record.authenticatedAt ?? null,
    textOrNull(record.authentication),
    record.rotatedAt,
    record.lastActivityAt,
    record.expiresAt,
    record.absoluteExpiresAt,
    textOrNull(record.ip),
    textOrNull(record.userAgent),
    textOrNull(record.fingerprint),
    encodeData(record.data),
    jsonOrNull(record.factors),
    textOrNull(record.upstream),
  ];
}

/** Returns the changes of a rotation, in the order of its statement's parameters; null leaves a column as it is. */
export function encodeChanges(changes: SessionRecordChanges): SqlValue[] {
  return [
    textOrNull(changes.email),
    jsonOrNull(changes.roles),
    changes.createdAt ?? null,
    changes.authenticatedAt ?? null,
    textOrNull(changes.authentication),
    changes.lastActivityAt ?? null,
    changes.expiresAt ?? null,
    changes.absoluteExpiresAt ?? null,
    textOrNull(changes.ip),
    textOrNull(changes.userAgent),
    textOrNull(changes.fingerprint),
    jsonOrNull(changes.factors),
    textOrNull(changes.upstream),
  ];
}

/**
 * Decodes a row.
 *
 * @throws SessionAuthError `corrupt_session_record`
 */
export function decodeRow(row: Row): SessionRecord {
  return toRecord(row, JSON.parse(row[4]!), JSON.parse(row[15]!), JSON.parse(row[16] ?? 'null'));
}

/**
 * Parses a row that the server sends as one JSON array: a column costs the driver more than all the text in it. Numbers
 * are numbers then, and columns of JSON are parsed.
 */
export function parseJsonRow(text: string): Row {
  return JSON.parse(text) as Row;
}

/**
 * Decodes a row that {@link parseJsonRow} returned.
 *
 * @throws SessionAuthError `corrupt_session_record`
 */
export function decodeJsonRow(row: Row): SessionRecord {
  return toRecord(row, row[4], row[15], row[16]);
}

/** Returns whether a row's session has expired, its activity is due to be recorded, or neither. */
export function stateOf(row: Row, { now, interval }: Pick<Touch, 'now' | 'interval'>): 'expired' | 'due' | 'current' {
  if (Number(row[10]) <= now) return 'expired';
  return now - Number(row[9]) >= interval ? 'due' : 'current';
}

/** @param row with numbers as text or as numbers */
function toRecord(row: Row, roles: unknown, data: unknown, factors: unknown): SessionRecord {
  return {
    id: row[0]!,
    digest: row[1]!,
    userId: decodeOptional(row[2]),
    email: decodeOptional(row[3]),
    roles: checkedRoles(roles),
    createdAt: Number(row[5]),
    authenticatedAt: row[6] == null ? undefined : Number(row[6]),
    authentication: (row[7] ?? undefined) as SessionRecord['authentication'],
    factors: checkedFactors(factors),
    upstream: decodeOptional(row[17]),
    rotatedAt: Number(row[8]),
    lastActivityAt: Number(row[9]),
    expiresAt: Number(row[10]),
    absoluteExpiresAt: Number(row[11]),
    ip: decodeOptional(row[12]),
    userAgent: decodeOptional(row[13]),
    fingerprint: decodeOptional(row[14]),
    data: checkedData(data),
  };
}

/** Returns the stored form of session data. */
export function encodeData(data: SessionData): string {
  const { lines } = encodePatch(data);
  const kept = lines.filter((line) => line !== null);
  return kept.length === 0 ? '{}' : `{\n${kept.join(',\n')}\n}`;
}

/** Returns a patch as two arrays: the beginnings of its lines, and the lines, with null for a key to remove. */
export function encodePatch(patch: SessionData): { starts: string[]; lines: (string | null)[] } {
  const starts: string[] = [];
  const lines: (string | null)[] = [];
  for (const [key, value] of Object.entries(patch)) {
    const start = `${JSON.stringify(key)}:`;
    starts.push(start);
    lines.push(value === undefined ? null : start + JSON.stringify(value));
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

function checkedData(data: unknown): SessionData {
  if (typeof data !== 'object' || data === null || Array.isArray(data)) throw corruptRecord();
  return data as SessionData;
}

function checkedRoles(roles: unknown): string[] {
  if (!Array.isArray(roles) || !roles.every((role) => typeof role === 'string')) throw corruptRecord();
  return roles;
}

function checkedFactors(factors: unknown): FactorTimes | undefined {
  if (factors == null) return undefined;
  if (!areFactorTimes(factors)) throw corruptRecord();
  return factors;
}

/** Returns the stored form of a value that may be missing. */
export function jsonOrNull(value: object | undefined): string | null {
  return value === undefined ? null : JSON.stringify(value);
}
