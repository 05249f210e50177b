import { listAsText, listColumns, nameInRow, statement, type PostgresStatement } from './postgres-statement.js';

/** The statements of the audit log, for the table in one schema. */
export interface AuditStatements {
  readonly insert: PostgresStatement;
  readonly find: PostgresStatement;
  readonly findOfUser: PostgresStatement;
  readonly deleteOlder: PostgresStatement;
  readonly export: PostgresStatement;
  /**
   * How a user is erased: first the rows that only sessions tie to the user, while the sessions' rows still name the
   * user.
   */
  readonly anonymise: UserErasureStatements;
  readonly delete: UserErasureStatements;
}

/** The statements that erase a user. Each erases a limited number of records, and returns how many. */
export interface UserErasureStatements {
  readonly ofSessions: PostgresStatement;
  readonly ofUser: PostgresStatement;
}

/** The columns of an event, in the order of `decodeAuditRow`. The server numbers events with the first column. */
const [ID, ...WRITTEN] = [
  'id',
  'at',
  'event',
  'level',
  'type',
  'realm',
  'user_id',
  'session_id',
  'ip',
  'user_agent',
  'details',
] as const;

const NAMES = [ID, ...WRITTEN].map(nameInRow);

export function auditStatements(table: string): AuditStatements {
  const columns = listAsText([ID, ...WRITTEN], 't');
  const find = (condition: string): PostgresStatement =>
    statement(
      `
SELECT ${columns} FROM ${table} t WHERE t.at >= $1::bigint AND t.at < $2::bigint AND t.realm = $4${condition}
ORDER BY t.at DESC, t.id DESC LIMIT $3::bigint`,
      NAMES,
    );
  // $1 user, $2 limit, $3 realm
  const ofUser = 'user_id = $1 AND realm = $3';
  const ofSessions = `user_id IS NULL AND realm = $3 AND session_id IN (SELECT session_id FROM ${table} WHERE ${ofUser})`;
  const erasure = (action: string, condition: string): PostgresStatement =>
    statement(
      `
WITH due AS MATERIALIZED (
    SELECT id FROM ${table} WHERE ${condition} ORDER BY id LIMIT $2::bigint FOR UPDATE
  ),
  erased AS (${action} WHERE t.id = due.id)
SELECT count(*)::text AS erased FROM due`,
      ['erased'],
    );
  const anonymise = `UPDATE ${table} t SET user_id = NULL, ip = NULL, user_agent = NULL FROM due`;
  const remove = `DELETE FROM ${table} t USING due`;
  return {
    // $1 rows as a JSON array
    insert: statement(`
INSERT INTO ${table} (${listColumns(WRITTEN)})
SELECT ${listColumns(WRITTEN)} FROM json_to_recordset($1::text::json) AS row (
  at bigint, event text, level text, type text, realm text, user_id text, session_id text, ip text, user_agent text, details json)`),

    // $1 from, $2 to, $3 limit, $4 realm, $5 user
    find: find(''),
    findOfUser: find(' AND t.user_id = $5'),

    // $1 time before which events are removed, $2 limit, $3 realm
    deleteOlder: statement(
      `
WITH due AS MATERIALIZED (
    SELECT id FROM ${table} WHERE at < $1::bigint AND realm = $3 ORDER BY at LIMIT $2::bigint FOR UPDATE SKIP LOCKED
  ),
  removed AS (DELETE FROM ${table} t USING due WHERE t.id = due.id)
SELECT count(*)::text AS removed FROM due`,
      ['removed'],
    ),

    // $1 user, $2 limit, $3 realm, $4 id after which records are returned
    export: statement(
      `
SELECT ${columns} FROM ${table} t WHERE ((${ofUser}) OR (${ofSessions})) AND t.id > $4::bigint
ORDER BY t.id LIMIT $2::bigint`,
      NAMES,
    ),

    anonymise: {
      ofSessions: erasure(anonymise, `${ofSessions} AND (ip IS NOT NULL OR user_agent IS NOT NULL)`),
      ofUser: erasure(anonymise, ofUser),
    },
    delete: { ofSessions: erasure(remove, ofSessions), ofUser: erasure(remove, ofUser) },
  };
}
