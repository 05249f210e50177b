import type { GenerationClauses } from './generation-clauses.js';
import type { LinkClauses } from './link-clauses.js';
import { statement, type PostgresStatement } from './postgres-statement.js';
import { LATEST_RECORD_VERSION, RECORD_VERSION } from '../../session/record-version.js';
import { CHANGED_COLUMNS, parameter, SESSION_AS_JSON, SESSION_COLUMNS } from './session-row.js';

/** The statements that change one session, for the table with a qualified name. */
export interface SessionStatements {
  readonly check: PostgresStatement;
  readonly update: PostgresStatement;
  /** As `update`, and tells of it. */
  readonly updateAndTell: PostgresStatement;
  readonly rotate: PostgresStatement;
  /** As `rotate`, and publishes the change. */
  readonly rotateAndTell: PostgresStatement;
  readonly delete: PostgresStatement;
  readonly deleteByRealm: PostgresStatement;
}

/*
 * How single statements stay atomic and free of deadlocks:
 *
 * - A statement sees the data as of its beginning. When it writes a row that another transaction has changed meanwhile,
 *   it waits for that transaction, reads the row again and writes only if its conditions still hold.
 * - Node decides what a token is worth, from a row that was read. The following statement is conditional on the basis
 *   of that decision: `revision`, which every change of tokens or roles raises, or `expires_at`. If it changes nothing,
 *   the store reads the row again. Another transaction has made progress by then, so this ends.
 * - A statement that locks several sessions takes the locks in the order of handles. A sweep never waits (SKIP LOCKED).
 * - `admit`, `updateByUser` and `deleteByUser` run behind the advisory lock of the user. Otherwise a login that evicts
 *   one session and adds another could commit after such a statement began and before it locked its rows: the statement
 *   would skip the evicted session, and not see the new one.
 *
 * `now` is a parameter: the server's clock is never used.
 *
 * A session is changed only if this version may change it, and then has this version or a later one: see
 * record-version.ts. When a change does nothing for that reason, the store reads the row and reports it.
 */
export function sessionStatements(
  session: string,
  link: LinkClauses,
  generations: GenerationClauses,
): SessionStatements {
  const { isPresent } = generations;
  const columns = SESSION_COLUMNS.map((column) => `"${column}"`).join(', ');
  const changes = CHANGED_COLUMNS.map((column, index) => {
    return `"${column}" = coalesce(${parameter(index + 4, column)}, s."${column}")`;
  });
  const newExpiry = `$${CHANGED_COLUMNS.indexOf('expires_at') + 4}::bigint`;
  const rotate = (told: string): PostgresStatement =>
    statement(
      `
UPDATE ${session} s SET revision = s.revision + 1, ${changes.join(', ')},
  record_version = greatest(s.record_version, ${RECORD_VERSION}), sweep_at = least(s.sweep_at, ${newExpiry})
WHERE s.handle = $1 AND s.revision = $2::bigint AND s.expires_at > $3::bigint
  AND s.record_version <= ${LATEST_RECORD_VERSION} AND ${isPresent('s')}
RETURNING ${SESSION_AS_JSON} AS session${told}`,
      ['session'],
    );

  const update = (told: string): PostgresStatement =>
    statement(
      `
WITH held AS MATERIALIZED (
    -- the row as it is once it is locked
    SELECT handle, data, json_typeof(data) = 'object' AS sound, data::text LIKE E'{\\n"%\\n}' AS ours FROM ${session} s
    WHERE handle = $1 AND expires_at > $4::bigint AND (digest = $2 OR revision = $3::bigint)
      AND record_version <= ${LATEST_RECORD_VERSION} AND ${isPresent('s')} FOR NO KEY UPDATE OF s
  ),
  patch AS MATERIALIZED (
    -- an empty line removes its key
    SELECT start, nullif(line, '') AS line, place
      FROM unnest($6::text::text[], $7::text::text[]) WITH ORDINALITY AS patch (start, line, place)
  ),
  old AS MATERIALIZED (
    SELECT lines.line, lines.place FROM held,
      unnest(string_to_array(CASE WHEN ours THEN substr(data::text, 3, length(data::text) - 4) END, E',\\n'))
        WITH ORDINALITY AS lines (line, place)
    UNION ALL
    -- data that was edited in SQL
    SELECT to_json(members.key)::text || ':' || translate(members.value::text, E'\\n\\r', '  '), members.place FROM held,
      json_each(CASE WHEN sound AND NOT ours THEN data ELSE '{}'::json END)
        WITH ORDINALITY AS members (key, value, place)
  ),
  merged AS (
    SELECT string_agg(line, E',\\n' ORDER BY part, place) AS body, coalesce(sum(octet_length(line)), 0) AS bytes FROM (
      SELECT coalesce(patch.line, old.line) AS line, 0 AS part, old.place
        FROM old LEFT JOIN patch ON left(old.line, length(patch.start)) = patch.start
        WHERE patch.start IS NULL OR patch.line IS NOT NULL
      UNION ALL
      SELECT patch.line, 1, patch.place FROM patch
        WHERE patch.line IS NOT NULL
          AND NOT EXISTS (SELECT FROM old WHERE left(old.line, length(patch.start)) = patch.start)
    ) AS line
  ),
  verdict AS (
    SELECT held.handle, held.sound, coalesce(E'{\\n' || merged.body || E'\\n}', '{}')::json AS data,
      merged.bytes <= $5::bigint OR merged.bytes <= (SELECT coalesce(sum(octet_length(line)), 0) FROM old) AS fits
    FROM held, merged
  ),
  updated AS (
    UPDATE ${session} s SET data = verdict.data, record_version = greatest(s.record_version, ${RECORD_VERSION})
    FROM verdict
    WHERE s.handle = verdict.handle AND verdict.sound AND verdict.fits RETURNING s.data${told}
  )
SELECT 'updated'::text AS what, data::text AS data FROM updated
UNION ALL
SELECT CASE WHEN sound THEN 'too_large' ELSE 'corrupt' END, NULL FROM verdict WHERE NOT (sound AND fits)`,
      ['what', 'data'],
    );

  return {
    // fails when the table or a column is missing
    check: statement(`
SELECT ${columns}, sweep_at FROM ${session} s WHERE ${isPresent('s')} LIMIT 0`),

    // $1 handle, $2 digest of the present token, $3 or the revision, $4 now, $5 most bytes, $6 beginnings, $7 lines
    // (see session-data.ts)
    update: update(''),
    updateAndTell: update(link.changed('s')),

    // $1 handle, $2 revision, $3 now, $4… the changes (null: unchanged)
    rotate: rotate(''),
    rotateAndTell: rotate(link.changed('s')),

    // $1 handle, $2 now, $3 the reason
    delete: statement(
      `
DELETE FROM ${session} s WHERE s.handle = $1
RETURNING s.handle, s.user_id AS owner, (s.expires_at > $2::bigint AND ${isPresent('s')})::text AS live${link.ended('s', '$3', '$2')}`,
      ['handle', 'owner', 'live'],
    ),

    // $1 generation, $2 time, $3 the reason
    deleteByRealm: generations.begin(link.allEnded('$3')),
  };
}
