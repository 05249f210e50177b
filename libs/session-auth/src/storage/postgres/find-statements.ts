import { statement, type PostgresStatement } from './postgres-statement.js';
import { SESSION_AS_JSON } from './session-row.js';

/** The statements that find one session by its handle, for the table with a qualified name. */
export interface FindStatements {
  readonly read: PostgresStatement;
  readonly readMany: PostgresStatement;
  readonly touch: PostgresStatement;
  readonly deleteIfExpired: PostgresStatement;
}

/** The most sessions that one statement reads. */
export const READ_STEP = 16;

/* `read` suffices for most requests. The others are conditional: session-statements.ts tells how that stays atomic. */
export function findStatements(session: string): FindStatements {
  const found = (handle: string): string => `SELECT ${SESSION_AS_JSON} FROM ${session} s WHERE s.handle = ${handle}`;

  return {
    // $1 handle
    read: statement(found('$1')),

    // $1… handles, or NULL. Not one array: the server would plan anew for each length of it.
    readMany: statement(`
SELECT wanted.handle, (${found('wanted.handle')})
  FROM (VALUES ${Array.from({ length: READ_STEP }, (_, index) => `($${index + 1}::text)`).join(', ')}) wanted (handle)`),

    // $1 handle, $2 revision, $3 now, $4 idle, $5 interval, $6 address and $7 user agent (null: leave)
    touch: statement(`
UPDATE ${session} s SET
  last_activity_at = $3::bigint,
  expires_at = least($3::bigint + $4::bigint, s.absolute_expires_at),
  sweep_at = least(s.sweep_at, $3::bigint + $4::bigint, s.absolute_expires_at),
  ip = coalesce($6::text, s.ip),
  user_agent = coalesce($7::text, s.user_agent)
WHERE s.handle = $1 AND s.revision = $2::bigint AND s.expires_at > $3 AND $3 - s.last_activity_at >= $5::bigint
RETURNING ${SESSION_AS_JSON}`),

    // $1 handle, $2 now
    deleteIfExpired: statement(`
DELETE FROM ${session} WHERE handle = $1 AND expires_at <= $2::bigint RETURNING handle, user_id`),
  };
}
