import type { GenerationClauses } from './generation-clauses.js';
import type { LinkClauses } from './link-clauses.js';
import { statement, type PostgresStatement } from './postgres-statement.js';
import { LATEST_RECORD_VERSION, RECORD_VERSION } from '../../session/record-version.js';
import { SESSION_AS_JSON } from './session-row.js';

/** The statements on all sessions of a user, for the table with a qualified name. */
export interface UserSessionStatements {
  readonly list: PostgresStatement;
  readonly listBehind: PostgresStatement;
  readonly deleteByHandle: PostgresStatement;
  readonly deleteByUser: PostgresStatement;
  readonly updateByUser: PostgresStatement;
}

/**
 * The most sessions that one step of `updateByUser` changes. A part of the text, not a parameter: a plan for any limit
 * would scan large tables completely.
 */
export const UPDATE_STEP = 1000;

/* session-statements.ts explains how they stay atomic and free of deadlocks. */
export function userSessionStatements(
  session: string,
  link: LinkClauses,
  { isPresent }: Pick<GenerationClauses, 'isPresent'>,
): UserSessionStatements {
  return {
    // $1 user, $2 now, $3 the length of the page plus one
    list: statement(
      `
SELECT ${SESSION_AS_JSON} AS session FROM ${session} s
WHERE user_id = $1 AND expires_at > $2::bigint AND ${isPresent('s')}
ORDER BY created_at DESC, handle DESC LIMIT $3::bigint`,
      ['session'],
    ),

    // $1 to $3 as for `list`, $4 and $5 createdAt and handle of the last session of the previous page
    listBehind: statement(
      `
SELECT ${SESSION_AS_JSON} AS session FROM ${session} s
WHERE user_id = $1 AND expires_at > $2::bigint AND (created_at, handle) < ($4::bigint, $5)
  AND ${isPresent('s')}
ORDER BY created_at DESC, handle DESC LIMIT $3::bigint`,
      ['session'],
    ),

    // $1 user, $2 handle, $3 now, $4 the reason
    deleteByHandle: statement(
      `
DELETE FROM ${session} s WHERE s.handle = $2 AND s.user_id = $1
RETURNING (s.expires_at > $3::bigint AND ${isPresent('s')})::text AS live${link.ended('s', '$4', '$3')}`,
      ['live'],
    ),

    // $1 user, $2 handle to keep ('': keep none), $3 limit, $4 now, $5 the reason. Runs behind the user's lock.
    deleteByUser: statement(
      `
WITH held AS MATERIALIZED (
    SELECT handle FROM ${session} WHERE user_id = $1 AND handle <> $2 ORDER BY handle LIMIT $3::bigint + 1 FOR UPDATE
  ),
  removed AS (
    DELETE FROM ${session} s USING (SELECT handle FROM held ORDER BY handle LIMIT $3::bigint) AS step
    WHERE s.handle = step.handle RETURNING s.handle, s.expires_at > $4::bigint AND ${isPresent('s')} AS live${link.ended('s', '$5', '$4')}
  )
SELECT 'ended'::text AS what, handle FROM removed WHERE live
UNION ALL
SELECT 'more', NULL FROM (SELECT count(*) AS sessions FROM held) AS held WHERE sessions > $3::bigint`,
      ['what', 'handle'],
    ),

    // $1 user, $2 now, $3 the last handle of the previous step, $4 roles, $5 email (null: unchanged). Runs behind the
    // user's lock. Roles and former roles are compared and extended as the text that JSON.stringify makes of lists of
    // strings. If some sessions of the step are of a version that only later nodes may change, it changes none and
    // returns how many these are.
    updateByUser: statement(
      `
WITH held AS MATERIALIZED (
    SELECT handle, record_version > ${LATEST_RECORD_VERSION} AS later FROM ${session} s
    WHERE user_id = $1 AND expires_at > $2::bigint AND handle > $3 AND ${isPresent('s')}
    ORDER BY handle LIMIT ${UPDATE_STEP} FOR NO KEY UPDATE OF s
  ),
  updated AS (
    UPDATE ${session} s SET
      revision = s.revision + 1, rotated_at = 0, record_version = greatest(s.record_version, ${RECORD_VERSION}),
      email = coalesce($5::text, s.email), roles = coalesce($4::text::json, s.roles),
      former_roles = CASE WHEN $4::text <> s.roles::text THEN (
          CASE WHEN s.former_roles::text LIKE '[[%]]' THEN left(s.former_roles::text, -1) || ',' ELSE '[' END
          || s.roles::text || ']'
        )::json ELSE s.former_roles END
    FROM held WHERE s.handle = held.handle AND NOT EXISTS (SELECT FROM held WHERE later)${link.changed('s', 'RETURNING s.handle')}
  )
SELECT count(*)::text AS sessions, max(handle) AS last, (count(*) FILTER (WHERE later))::text AS later FROM held`,
      ['sessions', 'last', 'later'],
    ),
  };
}
