import type { GenerationClauses } from './generation-clauses.js';
import type { LinkClauses } from './link-clauses.js';
import { statement, type PostgresStatement } from './postgres-statement.js';
import { SESSION_AS_JSON } from './session-row.js';

/** The statements that find one session by its handle, for the table with a qualified name. */
export interface FindStatements {
  readonly read: PostgresStatement;
  readonly readMany: PostgresStatement;
  readonly touch: PostgresStatement;
  readonly deleteIfExpired: PostgresStatement;
  readonly deleteManyIfExpired: PostgresStatement;
}

/** The most sessions that one statement reads or removes. */
export const READ_STEP = 16;

/*
 * `read` is enough for most requests. The others are conditional: session-statements.ts explains how that stays atomic.
 */
export function findStatements(
  session: string,
  link: LinkClauses,
  { isPresent }: Pick<GenerationClauses, 'isPresent'>,
): FindStatements {
  const removed = `RETURNING s.handle, s.user_id AS owner${link.ended('s', `'expired'`)}`;
  const found = (handle: string): string =>
    `SELECT ${SESSION_AS_JSON} AS session FROM ${session} s WHERE s.handle = ${handle} AND ${isPresent('s')}`;

  return {
    // $1 handle
    read: statement(found('$1'), ['session']),

    // $1… handles, or NULL. Not one array: the server would plan again for each array length.
    readMany: statement(
      `
SELECT wanted.handle, (${found('wanted.handle')}) AS session
  FROM (VALUES ${Array.from({ length: READ_STEP }, (_, index) => `($${index + 1}::text)`).join(', ')}) wanted (handle)`,
      ['handle', 'session'],
    ),

    // $1 handle, $2 revision, $3 now, $4 idle, $5 interval, $6 address and $7 user agent (null: unchanged)
    touch: statement(
      `
UPDATE ${session} s SET
  last_activity_at = $3::bigint,
  expires_at = least($3::bigint + $4::bigint, s.absolute_expires_at),
  sweep_at = least(s.sweep_at, $3::bigint + $4::bigint, s.absolute_expires_at),
  ip = coalesce($6::text, s.ip),
  user_agent = coalesce($7::text, s.user_agent)
WHERE s.handle = $1 AND s.revision = $2::bigint AND s.expires_at > $3::bigint
  AND $3::bigint - s.last_activity_at >= $5::bigint AND ${isPresent('s')}
RETURNING ${SESSION_AS_JSON} AS session`,
      ['session'],
    ),

    // $1 handle, $2 now
    deleteIfExpired: statement(
      `
DELETE FROM ${session} s WHERE s.handle = $1 AND s.expires_at <= $2::bigint ${removed}`,
      ['handle', 'owner'],
    ),

    // $1 now, $2… handles, or NULL. Another call may remove some of them in another order: those are left to it.
    deleteManyIfExpired: statement(
      `
DELETE FROM ${session} s USING (
  SELECT e.handle FROM ${session} e
  WHERE e.handle IN (${Array.from({ length: READ_STEP }, (_, index) => `$${index + 2}::text`).join(', ')})
    AND e.expires_at <= $1::bigint
  FOR UPDATE SKIP LOCKED
) expired WHERE s.handle = expired.handle ${removed}`,
      ['handle', 'owner'],
    ),
  };
}
