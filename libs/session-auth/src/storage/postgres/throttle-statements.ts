import { statement, type PostgresStatement } from './postgres-statement.js';
import type { StoredKeys } from './stored-keys.js';

/** The statements on the counts of failed logins, for the table of one schema. */
export interface ThrottleStatements {
  readonly read: PostgresStatement;
  readonly add: PostgresStatement;
  readonly set: PostgresStatement;
  readonly delete: PostgresStatement;
  readonly list: PostgresStatement;
  readonly deleteExpired: PostgresStatement;
}

/** The columns that the statements return of a count. */
const COLUMNS = ['key', 'points', 'until'];

/*
 * A statement that writes several rows takes them in the order of their keys, so two of them wait for each other
 * without a deadlock.
 */
export function throttleStatements(table: string, keys: StoredKeys): ThrottleStatements {
  const columns = 't.key, t.points::text AS points, t.expires_at::text AS until';
  return {
    // $1 keys, $2 now
    read: statement(
      `
SELECT ${columns} FROM ${table} t WHERE t.key = ANY ($1::text::text[]) AND t.expires_at > $2::bigint`,
      COLUMNS,
    ),

    // $1 keys, $2 now, $3 ends of first counts
    add: statement(
      `
INSERT INTO ${table} AS t (key, points, expires_at)
SELECT key, 1, ends FROM unnest($1::text::text[], $3::text::bigint[]) AS failure (key, ends) ORDER BY key COLLATE "C"
ON CONFLICT (key) DO UPDATE SET
  points = CASE WHEN t.expires_at <= $2::bigint THEN 1 ELSE t.points + 1 END,
  expires_at = CASE WHEN t.expires_at <= $2::bigint THEN excluded.expires_at ELSE t.expires_at END
RETURNING ${columns}`,
      COLUMNS,
    ),

    // $1 key, $2 points, $3 end
    set: statement(`
INSERT INTO ${table} (key, points, expires_at) VALUES ($1, $2::integer, $3::bigint)
ON CONFLICT (key) DO UPDATE SET points = excluded.points, expires_at = excluded.expires_at`),

    // $1 keys
    delete: statement(`
WITH given AS MATERIALIZED (
    SELECT key FROM ${table} WHERE key = ANY ($1::text::text[]) ORDER BY key FOR UPDATE
  )
DELETE FROM ${table} t USING given WHERE t.key = given.key`),

    // $1 start of the keys, $2 the first text after all of them, $3 now
    list: statement(
      `
SELECT ${columns} FROM ${table} t WHERE t.key >= $1 AND t.key < $2 AND t.expires_at > $3::bigint`,
      COLUMNS,
    ),

    // $1 now, $2 limit
    deleteExpired: statement(
      `
WITH due AS MATERIALIZED (
    SELECT key FROM ${table} WHERE expires_at <= $1::bigint AND ${keys.isOwn('key')}
    ORDER BY expires_at LIMIT $2::bigint FOR UPDATE SKIP LOCKED
  ),
  removed AS (DELETE FROM ${table} t USING due WHERE t.key = due.key)
SELECT count(*)::text AS removed FROM due`,
      ['removed'],
    ),
  };
}
