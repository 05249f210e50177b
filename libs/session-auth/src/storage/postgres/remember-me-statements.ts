import { LATEST_RECORD_VERSION, RECORD_VERSION } from '../../session/record-version.js';
import type { GenerationClauses } from './generation-clauses.js';
import { listAsText, listColumns, nameInRow, statement, type PostgresStatement } from './postgres-statement.js';
import type { StoredKeys } from './stored-keys.js';

/** The columns of a record, in the order in which the statements take and return them. */
const COLUMNS = [
  'selector',
  'handle',
  'user_id',
  'validator_digest',
  'created_at',
  'last_used_at',
  'expires_at',
  'session_handle',
  'ip',
  'user_agent',
  'revision',
  'successor',
  'replaced_digests',
  'replaced_until',
  'record_version',
] as const;

const NAMES = COLUMNS.map(nameInRow);

/** The statements of the remember-me token store, for the table in one schema. */
export interface RememberMeStatements {
  readonly check: PostgresStatement;
  readonly create: PostgresStatement;
  readonly find: PostgresStatement;
  readonly replace: PostgresStatement;
  readonly delete: PostgresStatement;
  readonly deleteById: PostgresStatement;
  readonly deleteBySession: PostgresStatement;
  readonly deleteByUser: PostgresStatement;
  readonly list: PostgresStatement;
  readonly deleteByRealm: PostgresStatement;
  readonly deleteExpired: PostgresStatement;
}

/*
 * A statement that writes several rows of a user runs behind that user's lock. One that writes a single row locks this
 * row only. A sweep never waits. So they cannot deadlock with each other.
 */
export function rememberMeStatements(
  table: string,
  keys: StoredKeys,
  generations: GenerationClauses,
): RememberMeStatements {
  const { present, isPresent } = generations;
  const columns = listColumns(COLUMNS);
  const columnsOf = (alias: string): string => listColumns(COLUMNS, alias);
  return {
    check: statement(`SELECT ${columns} FROM ${table} t WHERE ${isPresent('t')} LIMIT 0`),

    // $1… the columns, $16 now, $17 the most other records that the user keeps
    create: statement(`
WITH kept AS (
    SELECT selector FROM ${table} t WHERE user_id = $3 AND expires_at > $16::bigint AND ${isPresent('t')}
    ORDER BY created_at DESC, handle DESC LIMIT $17::bigint
  ),
  removed AS (DELETE FROM ${table} WHERE user_id = $3 AND selector NOT IN (SELECT selector FROM kept))
INSERT INTO ${table} (${columns}, generation)
VALUES ($1, $2, $3, $4, $5::bigint, $6::bigint, $7::bigint, $8, $9, $10, $11::bigint, $12::text::json,
  $13::text::text[], $14::text::bigint[], $15::integer, ${present})`),

    // $1 selector, $2 now
    find: statement(
      `
SELECT ${listAsText(COLUMNS, 't')} FROM ${table} t
WHERE t.selector = $1 AND t.expires_at > $2::bigint AND ${isPresent('t')}`,
      NAMES,
    ),

    // $1 selector, $2 now, $3 revision, then the changes (null: unchanged): $4 validator, $5 successor, $6 and $7
    // replaced validators, $8 last use, $9 end, $10 session. It takes the lock first, and checks the row afterwards. A
    // row of a version that only later nodes may change stays unchanged, and is returned.
    replace: statement(
      `
WITH held AS MATERIALIZED (
    SELECT ${columnsOf('t')} FROM ${table} t
    WHERE t.selector = $1 AND t.expires_at > $2::bigint AND ${isPresent('t')} FOR NO KEY UPDATE OF t
  ),
  replaced AS (
    UPDATE ${table} t SET
      revision = t.revision + 1,
      validator_digest = coalesce($4, t.validator_digest),
      successor = coalesce($5::text::json, t.successor),
      replaced_digests = coalesce($6::text::text[], t.replaced_digests),
      replaced_until = coalesce($7::text::bigint[], t.replaced_until),
      last_used_at = coalesce($8::bigint, t.last_used_at),
      expires_at = coalesce($9::bigint, t.expires_at),
      session_handle = coalesce($10, t.session_handle),
      record_version = greatest(t.record_version, ${RECORD_VERSION})
    FROM held WHERE t.selector = held.selector AND held.revision = $3::bigint
      AND held.record_version <= ${LATEST_RECORD_VERSION}
    RETURNING ${columnsOf('t')}
  )
SELECT 'replaced'::text AS what, ${listAsText(COLUMNS, 'replaced')} FROM replaced
UNION ALL
SELECT 'changed', ${listAsText(COLUMNS, 'held')} FROM held
  WHERE held.revision <> $3::bigint OR held.record_version > ${LATEST_RECORD_VERSION}`,
      ['what', ...NAMES],
    ),

    // $1 selector, $2 now, $3 revision (null: any)
    delete: statement(
      `
DELETE FROM ${table} t WHERE t.selector = $1 AND t.revision = coalesce($3::bigint, t.revision)
RETURNING (t.expires_at > $2::bigint AND ${isPresent('t')})::text AS live, ${listAsText(COLUMNS, 't')}`,
      ['live', ...NAMES],
    ),

    // $1 user, $2 handle, $3 now
    deleteById: statement(
      `
DELETE FROM ${table} t WHERE user_id = $1 AND handle = $2
RETURNING (expires_at > $3::bigint AND ${isPresent('t')})::text AS live`,
      ['live'],
    ),

    // $1 user, $2 session, $3 now
    deleteBySession: statement(
      `
DELETE FROM ${table} t WHERE user_id = $1 AND $2 IN (session_handle, successor ->> 'sessionId')
RETURNING (expires_at > $3::bigint AND ${isPresent('t')})::text AS live`,
      ['live'],
    ),

    // $1 user, $2 session whose records stay ('': none stay), $3 now
    deleteByUser: statement(
      `
DELETE FROM ${table} t
WHERE user_id = $1 AND session_handle <> $2 AND successor ->> 'sessionId' IS DISTINCT FROM $2
RETURNING (expires_at > $3::bigint AND ${isPresent('t')})::text AS live`,
      ['live'],
    ),

    // $1 user, $2 now
    list: statement(
      `
SELECT ${listAsText(COLUMNS, 't')} FROM ${table} t
WHERE t.user_id = $1 AND t.expires_at > $2::bigint AND ${isPresent('t')}
ORDER BY t.created_at DESC, t.handle DESC`,
      NAMES,
    ),

    // $1 generation, $2 time
    deleteByRealm: generations.begin(),

    // $1 now, $2 limit
    deleteExpired: statement(
      `
WITH due AS MATERIALIZED (
    SELECT selector FROM ${table} WHERE expires_at <= $1::bigint AND ${keys.isOwn('selector')}
    ORDER BY expires_at LIMIT $2::bigint FOR UPDATE SKIP LOCKED
  )
DELETE FROM ${table} WHERE selector IN (SELECT selector FROM due) RETURNING selector`,
      ['selector'],
    ),
  };
}
