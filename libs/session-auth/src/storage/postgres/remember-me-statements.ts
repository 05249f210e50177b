import { listColumns, statement, type PostgresStatement } from './postgres-statement.js';

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
] as const;

/** The statements of the remember-me token store, for the table in one schema. */
export interface RememberMeStatements {
  readonly check: PostgresStatement;
  readonly create: PostgresStatement;
  readonly use: PostgresStatement;
  readonly delete: PostgresStatement;
  readonly deleteById: PostgresStatement;
  readonly deleteBySession: PostgresStatement;
  readonly deleteByUser: PostgresStatement;
  readonly list: PostgresStatement;
  readonly deleteExpired: PostgresStatement;
}

/*
 * A statement that writes several rows of a user runs behind that user's lock. One that writes a single row locks this
 * row only. A sweep never waits. So they cannot deadlock with each other.
 */
export function rememberMeStatements(table: string): RememberMeStatements {
  const columns = listColumns(COLUMNS);
  const columnsOf = (alias: string): string => listColumns(COLUMNS, alias);
  return {
    check: statement(`SELECT ${columns}, replaced_digests, replaced_until FROM ${table} LIMIT 0`),

    // $1… the columns, $11 now, $12 the most other records that the user keeps
    create: statement(`
WITH kept AS (
    SELECT selector FROM ${table} WHERE user_id = $3 AND expires_at > $11::bigint
    ORDER BY created_at DESC, handle DESC LIMIT $12::bigint
  ),
  removed AS (DELETE FROM ${table} WHERE user_id = $3 AND selector NOT IN (SELECT selector FROM kept))
INSERT INTO ${table} (${columns})
VALUES ($1, $2, $3, $4, $5::bigint, $6::bigint, $7::bigint, $8, $9, $10)`),

    // $1 selector, $2 presented, $3 successor, $4 now, $5 until when the presented one is honoured, $6 session,
    // $7 new end (null: keep). It takes the lock first, and judges the row as it is then.
    use: statement(`
WITH held AS MATERIALIZED (
    SELECT t.* FROM ${table} t WHERE t.selector = $1 AND t.expires_at > $4::bigint FOR UPDATE
  ),
  honoured AS (
    SELECT coalesce(array_agg(r.digest ORDER BY r.place), '{}') AS digests,
      coalesce(array_agg(r.until ORDER BY r.place), '{}') AS until
    FROM held, unnest(held.replaced_digests, held.replaced_until) WITH ORDINALITY AS r(digest, until, place)
    WHERE r.until > $4
  ),
  verdict AS (
    SELECT ${columnsOf('held')}, honoured.digests, honoured.until, array_position(honoured.digests, $2::text) AS place,
      CASE WHEN held.validator_digest = $2 THEN 'used'
        WHEN honoured.digests @> ARRAY[$2::text] THEN 'reused' ELSE 'theft' END AS what
    FROM held, honoured
  ),
  used AS (
    UPDATE ${table} t SET
      validator_digest = $3, last_used_at = $4, session_handle = $6, expires_at = coalesce($7::bigint, t.expires_at),
      replaced_digests = array_prepend($2::text, verdict.digests),
      replaced_until = array_prepend($5::bigint, verdict.until)
    FROM verdict WHERE t.selector = verdict.selector AND verdict.what = 'used'
    RETURNING ${columnsOf('t')}
  ),
  stolen AS (DELETE FROM ${table} t USING verdict WHERE t.selector = verdict.selector AND verdict.what = 'theft')
SELECT 'used', 0, ${columnsOf('used')} FROM used
UNION ALL
SELECT what, place, ${columnsOf('verdict')} FROM verdict WHERE what <> 'used'`),

    // $1 selector, $2 now
    delete: statement(`
DELETE FROM ${table} WHERE selector = $1 RETURNING expires_at > $2::bigint, ${columns}`),

    // $1 user, $2 handle, $3 now
    deleteById: statement(`
DELETE FROM ${table} WHERE user_id = $1 AND handle = $2 RETURNING expires_at > $3::bigint`),

    // $1 user, $2 session, $3 now
    deleteBySession: statement(`
DELETE FROM ${table} WHERE user_id = $1 AND session_handle = $2 RETURNING expires_at > $3::bigint`),

    // $1 user, $2 session whose records stay ('' none), $3 now
    deleteByUser: statement(`
DELETE FROM ${table} WHERE user_id = $1 AND session_handle <> $2 RETURNING expires_at > $3::bigint`),

    // $1 user, $2 now
    list: statement(`
SELECT ${columns} FROM ${table} WHERE user_id = $1 AND expires_at > $2::bigint ORDER BY created_at DESC, handle DESC`),

    // $1 now, $2 limit
    deleteExpired: statement(`
WITH due AS MATERIALIZED (
    SELECT selector FROM ${table} WHERE expires_at <= $1::bigint
    ORDER BY expires_at LIMIT $2::bigint FOR UPDATE SKIP LOCKED
  )
DELETE FROM ${table} WHERE selector IN (SELECT selector FROM due) RETURNING selector`),
  };
}
