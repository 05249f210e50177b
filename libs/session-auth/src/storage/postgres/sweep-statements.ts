import type { GenerationClauses } from './generation-clauses.js';
import type { LinkClauses } from './link-clauses.js';
import { statement, type PostgresStatement } from './postgres-statement.js';
import type { StoredKeys } from './stored-keys.js';

/** The statement of a cleanup of sessions, for the table with a qualified name. */
export interface SweepStatements {
  readonly deleteExpired: PostgresStatement;
}

/**
 * The most rows that one step of a sweep reads. A part of the text, not a parameter: a plan for any limit would scan
 * large tables completely.
 */
const SWEEP_STEP = 500;

/* Sweeps never wait for a lock: see session-statements.ts. */
export function sweepStatements(
  session: string,
  keys: StoredKeys,
  link: LinkClauses,
  { isPresent }: Pick<GenerationClauses, 'isPresent'>,
): SweepStatements {
  return {
    // $1 now, $2 limit. Sessions that have ended with their realm are removed when they are due, as `reported`. This is
    // within `lifetime.idle` of their end, because nothing postpones them. Sessions of other realms are left to those
    // realms, which report them.
    deleteExpired: statement(
      `
WITH due AS MATERIALIZED (
    SELECT handle, expires_at, expires_at <= $1::bigint OR NOT ${isPresent('s')} AS over FROM ${session} s
    WHERE sweep_at <= $1::bigint AND ${keys.isOwn('handle')}
    ORDER BY sweep_at LIMIT ${SWEEP_STEP} FOR UPDATE OF s SKIP LOCKED
  ),
  removed AS (
    DELETE FROM ${session} s USING (SELECT handle FROM due WHERE over LIMIT $2::bigint) AS step
    WHERE s.handle = step.handle RETURNING s.handle, s.user_id, ${isPresent('s')} AS present${link.ended('s', `'expired'`)}
  ),
  -- sessions that were used meanwhile: a sweep looks at them again when they may have ended
  postponed AS (
    UPDATE ${session} s SET sweep_at = s.expires_at FROM due WHERE s.handle = due.handle AND NOT due.over
  )
SELECT CASE WHEN present THEN 'removed' ELSE 'reported' END::text AS what, handle, user_id AS owner FROM removed
UNION ALL
SELECT 'more', NULL, NULL FROM (SELECT count(*) AS sessions FROM due) AS due WHERE sessions >= ${SWEEP_STEP}`,
      ['what', 'handle', 'owner'],
    ),
  };
}
