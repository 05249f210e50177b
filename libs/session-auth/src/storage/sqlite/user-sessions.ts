import { LATEST_RECORD_VERSION } from '../../session/record-version.js';
import type { GenerationClauses } from './generation-clauses.js';
import { RAISED_VERSION } from './session-row.js';

/**
 * Returns a statement with a user and the time: counts the sessions that this node may not change, see
 * record-version.ts.
 */
export function countLaterSessions({ isPresent }: Pick<GenerationClauses, 'isPresent'>): string {
  return `SELECT count(*) FROM session_auth_session
  WHERE user_id = ? AND expires_at > ? AND record_version > ${LATEST_RECORD_VERSION} AND ${isPresent}`;
}

/**
 * Returns a statement with roles and e-mail, which may be null, and with a user and the time.
 *
 * Roles and former roles are compared and extended as the text that JSON.stringify makes of lists of strings: JSON
 * functions would fail at one unreadable session, and leave the user's other sessions unchanged.
 */
export function updateSessions({ isPresent }: Pick<GenerationClauses, 'isPresent'>): string {
  return `UPDATE session_auth_session SET
  former_roles = CASE WHEN roles <> given_roles THEN
    CASE WHEN former_roles LIKE '[[%]]' THEN substr(former_roles, 1, length(former_roles) - 1) || ',' ELSE '[' END
    || roles || ']' ELSE former_roles END,
  roles = coalesce(given_roles, roles), email = coalesce(given_email, email),
  rotated_at = 0, revision = revision + 1, ${RAISED_VERSION}
  FROM (SELECT ? AS given_roles, ? AS given_email) WHERE user_id = ? AND expires_at > ?
    AND ${isPresent}`;
}
