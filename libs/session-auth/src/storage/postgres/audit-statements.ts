import { statement, type PostgresStatement } from './postgres-statement.js';

/** The statements of the audit log, for the table in one schema. */
export interface AuditStatements {
  readonly insert: PostgresStatement;
  readonly find: PostgresStatement;
  readonly findOfUser: PostgresStatement;
  readonly deleteOlder: PostgresStatement;
}

const COLUMNS = 'at, event, level, type, user_id, session_id, ip, user_agent, details';

export function auditStatements(table: string): AuditStatements {
  const find = (condition: string): PostgresStatement =>
    statement(`
SELECT id, ${COLUMNS} FROM ${table} WHERE at >= $1::bigint AND at < $2::bigint${condition}
ORDER BY at DESC, id DESC LIMIT $3::bigint`);
  return {
    // $1 rows as a JSON array
    insert: statement(`
INSERT INTO ${table} (${COLUMNS})
SELECT ${COLUMNS} FROM json_to_recordset($1::json) AS row (
  at bigint, event text, level text, type text, user_id text, session_id text, ip text, user_agent text, details json)`),

    // $1 from, $2 to, $3 limit, $4 user
    find: find(''),
    findOfUser: find(' AND user_id = $4'),

    // $1 time before which events are removed, $2 limit
    deleteOlder: statement(`
WITH due AS MATERIALIZED (
    SELECT id FROM ${table} WHERE at < $1::bigint ORDER BY at LIMIT $2::bigint FOR UPDATE SKIP LOCKED
  ),
  removed AS (DELETE FROM ${table} t USING due WHERE t.id = due.id)
SELECT count(*) FROM due`),
  };
}
