import { statement, type PostgresStatement } from './postgres-statement.js';
import { COLUMNS, COLUMNS_OF_S } from './session-row.js';
import type { SessionTables } from './session-tables.js';

/** The statements that find one session by its digest, for the tables in one schema. */
export interface FindStatements {
  readonly read: PostgresStatement;
  readonly readMany: PostgresStatement;
  readonly touch: PostgresStatement;
  readonly find: PostgresStatement;
}

/** The most sessions that one statement reads. */
export const READ_STEP = 16;

/** The part of a statement that finds the session of digest $1, also while $1 is in its grace. $2 is now. */
export function seenSession({ session, grace }: SessionTables, columns: string): string {
  return `
  seen AS MATERIALIZED (
    SELECT ${columns} FROM ${session} s WHERE s.digest = $1
    UNION ALL
    SELECT ${columns} FROM ${grace} g JOIN ${session} s ON s.handle = g.handle WHERE g.digest = $1 AND g.until > $2::bigint
    LIMIT 1
  )`;
}

/*
 * `read` suffices for most requests, at a third of what `find` costs the server. `touch` records an activity that is
 * due. When they find nothing, `find` decides why, and relies on nothing that they returned. session-statements.ts
 * tells how it stays atomic.
 */
export function findStatements(tables: SessionTables): FindStatements {
  const { session } = tables;

  const found = (digest: string): string =>
    `SELECT json_build_array(${COLUMNS_OF_S}) FROM ${session} s WHERE s.digest = ${digest}`;

  // $2 now, $3 idle, $4 interval
  const touch = `UPDATE ${session} s SET
      last_activity_at = $2::bigint,
      expires_at = least($2::bigint + $3::bigint, s.absolute_expires_at),
      sweep_at = least(s.sweep_at, $2::bigint + $3::bigint, s.absolute_expires_at)`;
  const isDue = `s.expires_at > $2 AND $2 - s.last_activity_at >= $4::bigint`;

  return {
    // $1 digest
    read: statement(found('$1')),

    // $1… digests, or NULL. Not one array: the server would plan anew for each length of it.
    readMany: statement(`
SELECT wanted.digest, (${found('wanted.digest')})
  FROM (VALUES ${Array.from({ length: READ_STEP }, (_, index) => `($${index + 1}::text)`).join(', ')}) wanted (digest)`),

    // $1 digest, $2 now, $3 idle, $4 interval
    touch: statement(`
${touch}
WHERE s.digest = $1 AND ${isDue}
RETURNING json_build_array(${COLUMNS_OF_S})`),

    // $1 digest, $2 now, $3 idle, $4 interval. Inside the interval it writes nothing and locks no row.
    find: statement(`
WITH ${seenSession(tables, COLUMNS_OF_S)},
  touched AS (
    ${touch}
    FROM seen
    WHERE seen.expires_at > $2 AND $2 - seen.last_activity_at >= $4::bigint
      AND s.handle = seen.handle AND s.digest = seen.digest AND ${isDue}
    RETURNING ${COLUMNS_OF_S}
  ),
  removed AS (
    DELETE FROM ${session} s USING seen
    WHERE seen.expires_at <= $2 AND s.handle = seen.handle AND s.digest = seen.digest AND s.expires_at <= $2
    RETURNING s.handle
  )
SELECT json_build_array(${COLUMNS}), 'live' FROM touched
UNION ALL
SELECT json_build_array(${COLUMNS}), CASE
    WHEN EXISTS (SELECT FROM removed) THEN 'expired'
    WHEN expires_at <= $2 OR $2 - last_activity_at >= $4::bigint THEN 'lost'
    ELSE 'live' END
  FROM seen WHERE NOT EXISTS (SELECT FROM touched)`),
  };
}
