import { seenSession } from './find-statements.js';
import { statement, type PostgresStatement } from './postgres-statement.js';
import { COLUMNS, COLUMNS_OF_S, SESSION_COLUMNS } from './session-row.js';
import type { SessionTables } from './session-tables.js';

/** The statements that create a session and change one by its digest, for the tables in one schema. */
export interface SessionStatements {
  readonly check: PostgresStatement;
  readonly insert: PostgresStatement;
  readonly clear: PostgresStatement;
  readonly admit: PostgresStatement;
  readonly update: PostgresStatement;
  readonly rotate: PostgresStatement;
  readonly delete: PostgresStatement;
}

/*
 * How single statements stay atomic and free of deadlocks:
 *
 * - A statement sees the data as of its beginning. When it writes a row that another transaction has changed meanwhile,
 *   it waits for that transaction, looks at the row again and writes only if its conditions still hold. If they do not,
 *   it returns 'lost' and the store runs it again. The other transaction has made progress by then, so this ends.
 * - A statement that locks several sessions takes the locks in the order of handles. A sweep never waits (SKIP LOCKED).
 *   Digests in grace are written under the lock of their session, or swept without waiting.
 *
 * `now` is a parameter: the server's clock is never used.
 */
export function sessionStatements({ session, grace }: SessionTables): SessionStatements {
  const seen = (columns: string): string => seenSession({ session, grace }, columns);

  // the sessions that already have a new record's handle $1 or digest $2 ($19 is now)
  const occupied = `
  occupied AS MATERIALIZED (
    SELECT CASE WHEN expires_at > $19::bigint THEN 'exists' ELSE 'ended' END AS what
    FROM ${session} WHERE handle = $1 OR digest = $2
    UNION ALL
    SELECT 'exists' FROM ${grace} g JOIN ${session} s ON s.handle = g.handle
    WHERE g.digest = $2 AND g.until > $19::bigint AND s.expires_at > $19::bigint
  )`;

  // digests in grace of an ended session that had the same handle: they must not find the new one
  const forgotten = `forgotten AS (DELETE FROM ${grace} g USING added WHERE g.handle = added.handle)`;

  const insertedValues = SESSION_COLUMNS.map((column, index) => `$${index + 1}::${typeOf(column)}`).join(', ');

  return {
    // fails when a table or column is missing
    check: statement(`
SELECT ${COLUMNS_OF_S}, sweep_at, g.digest, g.handle, g.until FROM ${session} s, ${grace} g LIMIT 0`),

    // $1… the columns, $19 now
    insert: statement(`
WITH ${occupied},
  added AS (
    INSERT INTO ${session} (${COLUMNS}, sweep_at) SELECT ${insertedValues}, $11::bigint
    WHERE NOT EXISTS (SELECT FROM occupied) ON CONFLICT DO NOTHING RETURNING handle
  ),
  ${forgotten}
SELECT 'added', handle FROM added
UNION ALL
SELECT what, NULL FROM occupied`),

    // $1 handle, $2 digest, $3 now: removes ended sessions that have them
    clear: statement(`
DELETE FROM ${session} WHERE (handle = $1 OR digest = $2) AND expires_at <= $3::bigint`),

    // $1… the columns, $19 now, $20 max, $21 the policy. Runs behind the user's lock, so that no other login counts.
    admit: statement(`
WITH ${occupied},
  live AS MATERIALIZED (
    SELECT handle, created_at, last_activity_at FROM ${session} WHERE user_id = $3 AND expires_at > $19::bigint
  ),
  surplus AS (SELECT count(*) - $20::bigint + 1 AS sessions FROM live),
  admitted AS (
    SELECT FROM surplus WHERE (sessions <= 0 OR $21::text <> 'reject') AND NOT EXISTS (SELECT FROM occupied)
  ),
  chosen AS (
    SELECT handle FROM live WHERE $21 <> 'reject' AND NOT EXISTS (SELECT FROM occupied)
    ORDER BY CASE $21 WHEN 'evict-least-recent' THEN last_activity_at ELSE created_at END, created_at, handle
    LIMIT (SELECT greatest(sessions, 0) FROM surplus)
  ),
  -- takes the locks first, in order
  held AS MATERIALIZED (
    SELECT s.handle FROM ${session} s WHERE s.handle = ANY (SELECT handle FROM chosen) AND s.expires_at > $19
    ORDER BY s.handle FOR UPDATE
  ),
  evicted AS (DELETE FROM ${session} s USING held WHERE s.handle = held.handle RETURNING s.handle, s.created_at),
  added AS (
    INSERT INTO ${session} (${COLUMNS}, sweep_at) SELECT ${insertedValues}, $11::bigint FROM admitted RETURNING handle
  ),
  ${forgotten}
SELECT 'added', handle FROM added
UNION ALL
SELECT what, NULL FROM occupied
UNION ALL
(SELECT 'evicted', handle FROM evicted ORDER BY created_at, handle)`),

    // $1 digest, $2 now, $3 most bytes, $4 beginnings, $5 lines (see session-row.ts)
    update: statement(`
WITH ${seen('s.handle, s.digest, s.expires_at')},
  -- the row as it is once it is locked
  held AS MATERIALIZED (
    SELECT s.handle, s.data, json_typeof(s.data) = 'object' AS sound, s.data::text LIKE E'{\\n"%\\n}' AS ours
    FROM seen JOIN ${session} s ON s.handle = seen.handle AND s.digest = seen.digest
    WHERE s.expires_at > $2 FOR NO KEY UPDATE OF s
  ),
  patch AS MATERIALIZED (
    SELECT start, line, place FROM unnest($4::text[], $5::text[]) WITH ORDINALITY AS patch (start, line, place)
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
      merged.bytes <= $3::bigint OR merged.bytes <= (SELECT coalesce(sum(octet_length(line)), 0) FROM old) AS fits
    FROM held, merged
  ),
  updated AS (
    UPDATE ${session} s SET data = verdict.data FROM verdict
    WHERE s.handle = verdict.handle AND verdict.sound AND verdict.fits RETURNING s.data
  )
SELECT 'updated', data FROM updated
UNION ALL
SELECT CASE WHEN sound THEN 'too_large' ELSE 'corrupt' END, NULL FROM verdict WHERE NOT (sound AND fits)
UNION ALL
SELECT 'lost', NULL FROM seen WHERE expires_at > $2 AND NOT EXISTS (SELECT FROM held)`),

    // $1 digest, $2 now, $3 new digest, $4 grace, $5… the changes (null: leave)
    rotate: statement(`
WITH ${seen('s.handle, s.digest, s.expires_at')},
  rotated AS (
    UPDATE ${session} s SET
      digest = $3::text, rotated_at = $2::bigint,
      email = coalesce($5::text, s.email), roles = coalesce($6::json, s.roles),
      created_at = coalesce($7::bigint, s.created_at), authenticated_at = coalesce($8::bigint, s.authenticated_at),
      authentication = coalesce($9::text, s.authentication),
      last_activity_at = coalesce($10::bigint, s.last_activity_at), expires_at = coalesce($11::bigint, s.expires_at),
      sweep_at = coalesce($11::bigint, s.expires_at),
      absolute_expires_at = coalesce($12::bigint, s.absolute_expires_at), ip = coalesce($13::text, s.ip),
      user_agent = coalesce($14::text, s.user_agent), fingerprint = coalesce($15::text, s.fingerprint),
      factors = coalesce($16::json, s.factors), upstream = coalesce($17::text, s.upstream)
    FROM seen
    WHERE seen.digest = $1 AND s.handle = seen.handle AND s.digest = $1 AND s.expires_at > $2
    RETURNING ${COLUMNS_OF_S}
  ),
  kept AS (
    INSERT INTO ${grace} (digest, handle, until) SELECT $1, handle, $2::bigint + $4::bigint FROM rotated WHERE $4 > 0
    ON CONFLICT (digest) DO UPDATE SET handle = excluded.handle, until = excluded.until
  ),
  -- a digest of an earlier rotation must not outlive this one
  forgotten AS (
    DELETE FROM ${grace} g USING rotated WHERE g.handle = rotated.handle AND g.digest <> $1
      AND (g.until <= $2 OR $4 <= 0)
  ),
  shortened AS (
    UPDATE ${grace} g SET until = $2 + $4 FROM rotated WHERE g.handle = rotated.handle AND g.digest <> $1
      AND g.until > $2 + $4 AND $4 > 0
  )
SELECT 'rotated', ${COLUMNS} FROM rotated
UNION ALL
SELECT CASE digest WHEN $1 THEN 'lost' ELSE 'superseded' END${', NULL'.repeat(SESSION_COLUMNS.length)}
  FROM seen WHERE expires_at > $2 AND NOT EXISTS (SELECT FROM rotated)`),

    // $1 digest, $2 now
    delete: statement(`
WITH ${seen('s.handle, s.digest')},
  removed AS (
    DELETE FROM ${session} s USING seen WHERE s.handle = seen.handle AND s.digest = seen.digest
    RETURNING s.handle, s.user_id, s.expires_at
  )
SELECT CASE WHEN expires_at > $2 THEN 'ended' ELSE 'expired' END, handle, user_id FROM removed
UNION ALL
SELECT 'lost', NULL, NULL FROM seen WHERE NOT EXISTS (SELECT FROM removed)`),
  };
}

function typeOf(column: (typeof SESSION_COLUMNS)[number]): string {
  if (column === 'roles' || column === 'data' || column === 'factors') return 'json';
  return column.endsWith('_at') ? 'bigint' : 'text';
}
