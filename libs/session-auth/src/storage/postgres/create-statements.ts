import type { GenerationClauses } from './generation-clauses.js';
import type { LinkClauses } from './link-clauses.js';
import { statement, type PostgresStatement } from './postgres-statement.js';
import { parameter, SESSION_COLUMNS, type SessionColumn } from './session-row.js';

/** The statements that create a session, for the table with a qualified name. */
export interface CreateStatements {
  readonly insert: PostgresStatement;
  readonly admit: PostgresStatement;
}

/* session-statements.ts explains how they stay atomic and free of deadlocks. */
export function createStatements(
  session: string,
  link: LinkClauses,
  { present, isPresent }: GenerationClauses,
): CreateStatements {
  const columns = SESSION_COLUMNS.map((column) => `"${column}"`).join(', ');
  const values = SESSION_COLUMNS.map(parameterOf).join(', ');
  const now = `$${SESSION_COLUMNS.length + 1}::bigint`;

  // a session with the handle that is expired, or has ended with its realm, is replaced
  const insertFrom = (source: string): string => `
    INSERT INTO ${session} AS s (${columns}, sweep_at, generation)
      SELECT ${values}, ${parameterOf('expires_at')}, ${present} ${source}
    ON CONFLICT (handle) DO UPDATE
      SET (${columns}, sweep_at, generation) = (
        ${SESSION_COLUMNS.map((column) => `excluded."${column}"`).join(', ')}, excluded.sweep_at, excluded.generation)
      WHERE s.expires_at <= ${now} OR NOT ${isPresent('s')}
    RETURNING s.handle`;

  const [max, policy, sharedFor, replaces, unlessUsedFor, newest] = Array.from(
    { length: 6 },
    (_, index) => `$${SESSION_COLUMNS.length + 2 + index}`,
  );

  return {
    // $1… the columns, then now. Returns no row when a live session has the handle.
    insert: statement(insertFrom(''), ['handle']),

    // $1… the columns, then now, the most sessions and the policy, how long a device's session is shared, the handle of
    // the session to replace and how long it may have been used (null: any time), and how many of the newest sessions
    // are read (null: all). Runs behind the user's lock. Returns no row when a session that must end has changed since
    // it was read. Differences are numeric: an integer difference with a corrupt time would overflow, and keep its user
    // from logging in.
    admit: statement(
      `
WITH live AS MATERIALIZED (
    SELECT handle, device, created_at, last_activity_at, revision,
      coalesce(handle = ${replaces}::text OR device = ${parameterOf('device')}, false) AS replaced
    FROM ${session} s
    WHERE user_id = ${parameterOf('user_id')} AND expires_at > ${now} AND ${isPresent('s')}
    ORDER BY created_at DESC, handle DESC LIMIT ${newest}::bigint
  ),
  surplus AS (
    SELECT greatest(count(*) - ${max}::bigint + 1, 0) AS sessions FROM live WHERE NOT replaced
  ),
  refused AS MATERIALIZED (
    SELECT 'exists' AS what, handle FROM ${session} s
      WHERE handle = ${parameterOf('handle')} AND expires_at > ${now} AND ${isPresent('s')}
    UNION ALL
    SELECT 'shared', handle FROM live
      WHERE device = ${parameterOf('device')} AND greatest(${now} - created_at::numeric, 0) < ${sharedFor}::bigint
    UNION ALL
    SELECT 'in_use', handle FROM live
      WHERE handle = ${replaces}::text AND last_activity_at - created_at::numeric > ${unlessUsedFor}::bigint
    UNION ALL
    SELECT 'limit_reached', NULL FROM surplus WHERE sessions > 0 AND ${policy}::text = 'reject'
  ),
  leaving AS MATERIALIZED (
    SELECT 'replaced' AS what, handle, last_activity_at, revision FROM live WHERE replaced
    UNION ALL
    (SELECT 'evicted', handle, last_activity_at, revision FROM live WHERE NOT replaced
      ORDER BY CASE ${policy}::text WHEN 'evict-least-recent' THEN last_activity_at ELSE created_at END, created_at, handle
      LIMIT (SELECT sessions FROM surplus))
  ),
  -- takes the locks first, in order, and has those that are as they were seen
  held AS MATERIALIZED (
    SELECT s.handle, leaving.what FROM ${session} s JOIN leaving ON leaving.handle = s.handle
    WHERE s.revision = leaving.revision AND s.last_activity_at = leaving.last_activity_at
      AND NOT EXISTS (SELECT FROM refused)
    ORDER BY s.handle FOR UPDATE OF s
  ),
  added AS (
    ${insertFrom(`
    WHERE NOT EXISTS (SELECT FROM refused) AND (SELECT count(*) FROM held) = (SELECT count(*) FROM leaving)`)}
  ),
  removed AS (
    DELETE FROM ${session} s USING held WHERE s.handle = held.handle AND EXISTS (SELECT FROM added)
    RETURNING held.what, s.handle, s.created_at${link.ended('s', 'held.what')}
  )
SELECT 'added'::text AS what, handle FROM added
UNION ALL
SELECT what, handle FROM refused
UNION ALL
(SELECT what, handle FROM removed ORDER BY created_at, handle)`,
      ['what', 'handle'],
    ),
  };
}

/** The parameter of a new session's column. */
function parameterOf(column: SessionColumn): string {
  return parameter(SESSION_COLUMNS.indexOf(column) + 1, column);
}
