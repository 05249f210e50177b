import { corruptRecord } from '../../session/corrupt-record.js';
import { areFactorTimes, type FactorTimes } from '../../session/session-factors.js';
import { checkRecordVersion, RECORD_VERSION } from '../../session/record-version.js';
import type { SessionRecord, SessionRecordChanges } from '../../session/session-record.js';
import { hasSoundTimes } from '../../session/session.js';
import type { OtherToken, TokenChanges } from '../../session/session-tokens.js';
import { isTime } from '../../time/clock.js';
import type { SqlValue } from './postgres-statement.js';
import { decodeOptional, encodeText, textOrNull } from './postgres-text.js';
import { checkedData, encodeData } from './session-data.js';
import { DEFAULT_KEYS, type StoredKeys } from './stored-keys.js';

/** The columns of a session, in the order of {@link StoredSession}. */
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
  'tokens',
  'former_roles',
  'roles_since',
  'revision',
  'device',
  'record_version',
] as const;

export type SessionColumn = (typeof SESSION_COLUMNS)[number];

/** A session as the server sends it. JSON columns are parsed, and may hold any value. */
export type StoredSession = readonly [
  handle: string,
  digest: string,
  userId: string | null,
  email: string | null,
  roles: unknown,
  createdAt: number,
  authenticatedAt: number | null,
  authentication: SessionRecord['authentication'] | null,
  rotatedAt: number,
  lastActivityAt: number,
  expiresAt: number,
  absoluteExpiresAt: number,
  ip: string | null,
  userAgent: string | null,
  fingerprint: string | null,
  data: unknown,
  factors: unknown,
  upstream: string | null,
  tokens: unknown,
  formerRoles: unknown,
  rolesSince: number | null,
  revision: number,
  device: string | null,
  recordVersion: number,
];

/**
 * A session of the table with the alias `s` as one column, a JSON array: separate columns cost the driver more than all
 * the text in them.
 */
export const SESSION_AS_JSON = `json_build_array(${SESSION_COLUMNS.map((column) => `s."${column}"`).join(', ')})::text`;

/** The columns that a rotation may change, in the order of {@link encodeChanges}. */
export const CHANGED_COLUMNS = [
  'digest',
  'rotated_at',
  'tokens',
  'former_roles',
  'roles_since',
  'device',
  'email',
  'roles',
  'created_at',
  'authenticated_at',
  'authentication',
  'factors',
  'upstream',
  'last_activity_at',
  'expires_at',
  'absolute_expires_at',
  'ip',
  'user_agent',
  'fingerprint',
] as const satisfies readonly SessionColumn[];

const JSON_COLUMNS: readonly SessionColumn[] = ['roles', 'data', 'factors', 'tokens', 'former_roles'];

/**
 * Returns the parameter of a number with the type of a column. JSON is text for the driver, because some would encode
 * the text as JSON again.
 */
export function parameter(number: number, column: SessionColumn): string {
  const type = typeOf(column);
  return type === 'json' ? `$${number}::text::json` : `$${number}::${type}`;
}

/** Returns the type of a column. */
export function typeOf(column: SessionColumn): string {
  if (JSON_COLUMNS.includes(column)) return 'json';
  if (column === 'roles_since' || column === 'record_version') return 'integer';
  return column === 'revision' || column.endsWith('_at') ? 'bigint' : 'text';
}

/** Returns the values of a record, in the order of {@link SESSION_COLUMNS}. */
export function encodeRow(record: SessionRecord, keys: StoredKeys = DEFAULT_KEYS): SqlValue[] {
  return [
    keys.encode(record.id),
    encodeText(record.digest),
    record.userId === undefined ? null : keys.encodeUser(record.userId),
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
    jsonOrNull(record.tokens),
    jsonOrNull(record.formerRoles),
    record.rolesSince ?? null,
    record.revision ?? 0,
    textOrNull(record.device),
    RECORD_VERSION,
  ];
}

/** Returns the changes of a rotation, in the order of {@link CHANGED_COLUMNS}; null leaves a column unchanged. */
export function encodeChanges(changes: SessionRecordChanges & TokenChanges): SqlValue[] {
  return [
    textOrNull(changes.digest),
    changes.rotatedAt ?? null,
    jsonOrNull(changes.tokens),
    jsonOrNull(changes.formerRoles),
    changes.rolesSince ?? null,
    textOrNull(changes.device),
    textOrNull(changes.email),
    jsonOrNull(changes.roles),
    changes.createdAt ?? null,
    changes.authenticatedAt ?? null,
    textOrNull(changes.authentication),
    jsonOrNull(changes.factors),
    textOrNull(changes.upstream),
    changes.lastActivityAt ?? null,
    changes.expiresAt ?? null,
    changes.absoluteExpiresAt ?? null,
    textOrNull(changes.ip),
    textOrNull(changes.userAgent),
    textOrNull(changes.fingerprint),
  ];
}

/** Parses a row that {@link SESSION_AS_JSON} returned. */
export function parseRow(text: string): StoredSession {
  return JSON.parse(text) as StoredSession;
}

/** Returns when the session of a row expires, even if the row cannot be decoded. */
export function expiryOf(row: StoredSession): number {
  return row[10];
}

/** The latest time that a cursor can represent. */
const LATEST_PLACE = 999_999_999_999_999;

/**
 * Returns the position of a row in the list of its user's sessions, even if the row cannot be decoded. A time that no
 * cursor can represent becomes the latest possible one. Undefined for a negative time: only such rows follow.
 */
export function placeOf(
  row: StoredSession,
  keys: StoredKeys = DEFAULT_KEYS,
): Pick<SessionRecord, 'createdAt' | 'id'> | undefined {
  return row[5] < 0 ? undefined : { createdAt: Math.min(row[5], LATEST_PLACE), id: keys.decode(row[0]) };
}

/**
 * Decodes a row.
 *
 * @throws SessionAuthError `corrupt_session_record`
 * @throws Error for a row of a later version, see record-version.ts
 */
export function decodeRow(row: StoredSession, keys: StoredKeys = DEFAULT_KEYS): SessionRecord {
  checkRecordVersion(row[23]);
  // by index: destructuring would run an iterator over the row, in every request
  const record = {
    id: keys.decode(row[0]),
    digest: row[1],
    userId: row[2] === null ? undefined : keys.decodeUser(row[2]),
    email: decodeOptional(row[3]),
    roles: checkedRoles(row[4]),
    createdAt: row[5],
    authenticatedAt: row[6] ?? undefined,
    authentication: row[7] ?? undefined,
    rotatedAt: row[8],
    lastActivityAt: row[9],
    expiresAt: row[10],
    absoluteExpiresAt: row[11],
    ip: decodeOptional(row[12]),
    userAgent: decodeOptional(row[13]),
    fingerprint: decodeOptional(row[14]),
    data: checkedData(row[15]),
    factors: checkedFactors(row[16]),
    upstream: decodeOptional(row[17]),
    tokens: checkedTokens(row[18]),
    formerRoles: checkedFormerRoles(row[19]),
    rolesSince: row[20] ?? undefined,
    revision: row[21] === 0 ? undefined : row[21],
    device: decodeOptional(row[22]),
  } satisfies Record<keyof SessionRecord, unknown>;
  if (!hasSoundTimes(record)) throw corruptRecord();
  return record;
}

/** Returns the stored form of a value that may be missing. */
export function jsonOrNull(value: object | undefined): string | null {
  return value === undefined ? null : JSON.stringify(value);
}

function checkedRoles(roles: unknown): string[] {
  if (!Array.isArray(roles) || !roles.every((role) => typeof role === 'string')) throw corruptRecord();
  return roles;
}

function checkedFormerRoles(former: unknown): string[][] | undefined {
  if (former === null) return undefined;
  if (!Array.isArray(former)) throw corruptRecord();
  return former.map(checkedRoles);
}

function checkedFactors(factors: unknown): FactorTimes | undefined {
  if (factors === null) return undefined;
  if (!areFactorTimes(factors)) throw corruptRecord();
  return factors;
}

const KINDS: readonly unknown[] = ['successor', 'superseded', 'retired', 'renewable'] satisfies OtherToken['kind'][];

function checkedTokens(tokens: unknown): OtherToken[] | undefined {
  if (tokens === null) return undefined;
  if (!Array.isArray(tokens) || !tokens.every(isOtherToken)) throw corruptRecord();
  return tokens;
}

function isOtherToken(value: unknown): value is OtherToken {
  if (typeof value !== 'object' || value === null) return false;
  const { hash, kind, at, rolesSince = 0, grace = 0 } = value as Partial<Record<keyof OtherToken, unknown>>;
  const areTexts = typeof hash === 'string' && KINDS.includes(kind);
  return areTexts && isTime(at) && [rolesSince, grace].every((number) => typeof number === 'number');
}
