import type {
  RememberMeChanges,
  RememberMeSuccessor,
  RememberMeTokenRecord,
  ReplacedValidator,
} from '../../remember-me/remember-me-token-store.js';
import { checkRecordVersion, LATEST_RECORD_VERSION, RECORD_VERSION } from '../../session/record-version.js';
import { decodeOptional, encodeText, textOrNull } from '../postgres/postgres-text.js';
import type { StoredKeys } from '../postgres/stored-keys.js';
import type { GenerationClauses } from './generation-clauses.js';
import { numberOf, type Row } from './pooled-connection.js';
import { columnList, commaList, sql, type SqlText } from './sql-text.js';

const COLUMNS = [
  'selector',
  'handle',
  'user_id',
  'validator_digest',
  'revision',
  'successor',
  'replaced',
  'created_at',
  'last_used_at',
  'expires_at',
  'session_handle',
  'ip',
  'user_agent',
  'record_version',
] as const;

/**
 * Returns the columns of {@link decodeToken}, in its order. A token that has ended with its realm is read as expired.
 */
export function tokenRow({ isPresent }: Pick<GenerationClauses, 'isPresent'>): SqlText {
  const expiresAt = sql`CASE WHEN ${isPresent} THEN expires_at ELSE 0 END`;
  return commaList(COLUMNS.map((column) => (column === 'expires_at' ? expiresAt : columnList([column]))));
}

/** The length of the columns that have one, in bytes: without strict mode the server would cut longer values. */
const WIDTH = 64;

/** Where a record belongs. */
interface TokenOwner {
  readonly userKey: Buffer;
  readonly keys: StoredKeys;
  readonly generations: Pick<GenerationClauses, 'present'>;
}

/** Returns the statement that adds a record. */
export function insertToken(
  table: SqlText,
  record: RememberMeTokenRecord,
  { userKey, keys, generations }: TokenOwner,
): SqlText {
  const values = [
    short(keys.encode(record.selector)),
    short(encodeText(record.id)),
    sql`${keys.encodeUser(record.userId)}`,
    short(record.validatorDigest),
    sql`${record.revision ?? 0}`,
    sql`${jsonOrNull(record.successor)}`,
    sql`${jsonOrNull(record.replaced)}`,
    sql`${record.createdAt}`,
    sql`${record.lastUsedAt}`,
    sql`${record.expiresAt}`,
    short(encodeText(record.sessionId)),
    sql`${textOrNull(record.ip)}`,
    sql`${textOrNull(record.userAgent)}`,
    sql`${RECORD_VERSION}`,
  ];
  return sql`INSERT INTO ${table} (${columnList(COLUMNS)}, user_key, generation)
    VALUES (${commaList(values)}, ${userKey}, ${generations.present})`;
}

/** Returns the assignments of changes, which raise the revision. */
export function tokenAssignments(changes: RememberMeChanges): SqlText {
  const { validatorDigest, successor, replaced, lastUsedAt, expiresAt, sessionId } = changes;
  const parts: SqlText[] = [];
  if (validatorDigest !== undefined) parts.push(sql`validator_digest = ${short(validatorDigest)}`);
  if (successor !== undefined) parts.push(sql`successor = ${jsonOrNull(successor)}`);
  if (replaced !== undefined) parts.push(sql`replaced = ${jsonOrNull(replaced)}`);
  if (lastUsedAt !== undefined) parts.push(sql`last_used_at = ${lastUsedAt}`);
  if (expiresAt !== undefined) parts.push(sql`expires_at = ${expiresAt}`);
  if (sessionId !== undefined) parts.push(sql`session_handle = ${short(encodeText(sessionId))}`);
  parts.push(sql`record_version = GREATEST(record_version, ${RECORD_VERSION})`);
  return commaList([...parts, sql`revision = revision + 1`]);
}

/** Returns a record with the changes of {@link tokenAssignments}. It shares no object with the changes. */
export function withChanges(record: RememberMeTokenRecord, changes: RememberMeChanges): RememberMeTokenRecord {
  const { successor, replaced, ...others } = changes;
  const given = Object.entries(others).filter(([, value]) => value !== undefined);
  return {
    ...record,
    ...Object.fromEntries(given),
    successor: successor === undefined ? record.successor : { ...successor },
    replaced: replaced === undefined ? record.replaced : replaced.map((validator) => ({ ...validator })),
    revision: (record.revision ?? 0) + 1,
  };
}

/**
 * Decodes the columns of {@link tokenRow}.
 *
 * @throws Error for a record of a later version than `latest`
 */
export function decodeToken(row: Row, keys: StoredKeys, latest = LATEST_RECORD_VERSION): RememberMeTokenRecord {
  const text = (column: (typeof COLUMNS)[number]): string | undefined => {
    const bytes = row[COLUMNS.indexOf(column)];
    return bytes == null ? undefined : bytes.toString();
  };
  const number = (column: (typeof COLUMNS)[number]): number => numberOf(row[COLUMNS.indexOf(column)]!);
  checkRecordVersion(number('record_version'), latest);
  const [successor, replaced] = [text('successor'), text('replaced')];
  return {
    selector: keys.decode(text('selector')!),
    id: text('handle')!,
    userId: keys.decodeUser(text('user_id')!),
    validatorDigest: text('validator_digest')!,
    revision: number('revision'),
    successor: successor === undefined ? undefined : (JSON.parse(successor) as RememberMeSuccessor),
    replaced: replaced === undefined ? undefined : (JSON.parse(replaced) as ReplacedValidator[]),
    createdAt: number('created_at'),
    lastUsedAt: number('last_used_at'),
    expiresAt: number('expires_at'),
    sessionId: text('session_handle')!,
    ip: decodeOptional(text('ip')),
    userAgent: decodeOptional(text('user_agent')),
  };
}

function short(text: string): SqlText {
  const bytes = Buffer.from(text);
  if (bytes.length > WIDTH) throw new RangeError(`a part of a remember-me token is longer than ${WIDTH} bytes`);
  return sql`${bytes}`;
}

/** Stores an empty list as NULL. */
function jsonOrNull(value: object | undefined): string | null {
  const isNone = value === undefined || (Array.isArray(value) && value.length === 0);
  return isNone ? null : JSON.stringify(value);
}
