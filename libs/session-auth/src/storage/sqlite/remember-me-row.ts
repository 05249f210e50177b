import type {
  RememberMeChanges,
  RememberMeSuccessor,
  RememberMeTokenRecord,
  ReplacedValidator,
} from '../../remember-me/remember-me-token-store.js';
import { checkRecordVersion, LATEST_RECORD_VERSION, RECORD_VERSION } from '../../session/record-version.js';
import { decodeOptional, encodeText, textOrNull } from '../postgres/postgres-text.js';
import { jsonOrNull } from '../postgres/session-row.js';
import type { StoredKeys } from '../postgres/stored-keys.js';
import type { GenerationClauses } from './generation-clauses.js';
import type { Row, SqliteValue } from './sqlite-handle.js';

/** The columns of {@link decodeToken}, in its order, up to the end of the token, and after it. */
const FIRST = 'selector, handle, user_id, validator_digest, revision, successor, replaced, created_at, last_used_at';
const LAST = 'session_handle, ip, user_agent, record_version';

/** The columns of {@link decodeToken} of a token that has not ended with its realm. */
const TOKEN_ROW = `${FIRST}, expires_at, ${LAST}`;

/** Returns the columns of {@link decodeToken}. A token that has ended with its realm is read as expired. */
export function tokenRow({ isPresent }: Pick<GenerationClauses, 'isPresent'>): string {
  return `${FIRST}, CASE WHEN ${isPresent} THEN expires_at ELSE 0 END, ${LAST}`;
}

/** Returns a statement with the values of {@link encodeToken}. */
export function insertToken({ present }: Pick<GenerationClauses, 'present'>): string {
  return `INSERT INTO session_auth_remember_me (${TOKEN_ROW}, generation)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ${present})`;
}

/** A statement with the values of {@link encodeTokenChanges} and a selector. */
export const CHANGE_TOKEN = `UPDATE session_auth_remember_me SET
  validator_digest = coalesce(?, validator_digest), successor = coalesce(?, successor),
  replaced = coalesce(?, replaced), last_used_at = coalesce(?, last_used_at), expires_at = coalesce(?, expires_at),
  session_handle = coalesce(?, session_handle), revision = revision + 1,
  record_version = max(record_version, ${RECORD_VERSION})
  WHERE selector = ? RETURNING ${TOKEN_ROW}`;

export function encodeToken(record: RememberMeTokenRecord, keys: StoredKeys): SqliteValue[] {
  return [
    keys.encode(record.selector),
    encodeText(record.id),
    keys.encodeUser(record.userId),
    record.validatorDigest,
    record.revision ?? 0,
    jsonOrNull(record.successor),
    jsonOrNull(record.replaced),
    record.createdAt,
    record.lastUsedAt,
    record.expiresAt,
    encodeText(record.sessionId),
    textOrNull(record.ip),
    textOrNull(record.userAgent),
    RECORD_VERSION,
  ];
}

/** Returns the values of changes; null leaves a column unchanged. */
export function encodeTokenChanges(changes: RememberMeChanges): SqliteValue[] {
  return [
    changes.validatorDigest ?? null,
    jsonOrNull(changes.successor),
    jsonOrNull(changes.replaced),
    changes.lastUsedAt ?? null,
    changes.expiresAt ?? null,
    textOrNull(changes.sessionId),
  ];
}

/**
 * Decodes the columns of {@link tokenRow}.
 *
 * @throws Error for a record of a later version than `latest`
 */
export function decodeToken(row: Row, keys: StoredKeys, latest = LATEST_RECORD_VERSION): RememberMeTokenRecord {
  checkRecordVersion(Number(row[13]), latest);
  const text = (index: number): string => String(row[index]);
  const json = (index: number): unknown => (row[index] === null ? undefined : JSON.parse(text(index)));
  return {
    selector: keys.decode(text(0)),
    id: text(1),
    userId: keys.decodeUser(text(2)),
    validatorDigest: text(3),
    revision: Number(row[4]),
    successor: json(5) as RememberMeSuccessor | undefined,
    replaced: json(6) as ReplacedValidator[] | undefined,
    createdAt: Number(row[7]),
    lastUsedAt: Number(row[8]),
    expiresAt: Number(row[9]),
    sessionId: text(10),
    ip: decodeOptional(row[11] as string | null),
    userAgent: decodeOptional(row[12] as string | null),
  };
}
