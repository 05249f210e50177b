import { hash } from 'node:crypto';
import type { GenerationClauses } from './generation-clauses.js';
import type { StoredKeys } from './stored-keys.js';

/** Clauses added to the RETURNING of statements so that they publish their effect; empty without a link. */
export interface LinkClauses {
  /**
   * Publishes that the rows have ended.
   *
   * @param row the alias of the table
   * @param reason SQL of the reason
   * @param now SQL of the time, if a row may have expired before
   */
  ended(row: string, reason: string, now?: string): string;
  /**
   * Publishes that the rows have changed. @param returning text to put before it if the statement has no RETURNING yet
   */
  changed(row: string, returning?: string): string;
  /**
   * Publishes that sessions of the realm have ended all at once. @param reason SQL of the reason
   */
  allEnded(reason: string): string;
}

/** The most bytes of a user's id in JSON: a notification has at most 8000. The other parts take less than 200. */
const LONGEST_USER = 7000;

/**
 * Returns the name of the channel of a schema's tables. Tables of other schemas in the database have another channel.
 */
export function channelOf(qualifiedTable: string): string {
  return `session_auth_${hash('sha256', qualifiedTable, 'hex').slice(0, 16)}`;
}

/**
 * A notification is a JSON array: kind, reason or null, stored handle, stored user or null; for `all_ended` the prefix
 * of handles instead of a handle. PostgreSQL sends it only when the transaction commits.
 *
 * @param keys of the realm
 */
export function linkClauses(
  qualifiedTable: string,
  isOn: boolean,
  { isPresent }: Pick<GenerationClauses, 'isPresent'>,
  keys: StoredKeys,
): LinkClauses {
  if (!isOn) return { ended: () => '', changed: () => '', allEnded: () => '' };
  const channel = channelOf(qualifiedTable);
  // text, because some drivers fail on the type `void`
  const notify = (text: string): string => `pg_catalog.pg_notify('${channel}', ${text})::text`;
  const told = (kind: string, reason: string, row: string): string => {
    const user = `CASE WHEN octet_length(to_json(${row}.user_id)::text) <= ${LONGEST_USER} THEN ${row}.user_id END`;
    return notify(`json_build_array('${kind}', ${reason}, ${row}.handle, ${user})::text`);
  };
  return {
    ended: (row, reason, now) => {
      const found = `(${reason})::text`;
      const why =
        now === undefined ? found : `CASE WHEN ${row}.expires_at > ${now}::bigint THEN ${found} ELSE 'expired' END`;
      // the end of a realm's sessions was published when they ended
      return `, CASE WHEN ${isPresent(row)} THEN ${told('ended', why, row)} END AS told`;
    },
    changed: (row, returning = '') => ` ${returning}, ${told('changed', 'NULL::text', row)} AS told`,
    allEnded: (reason) =>
      `, ${notify(`json_build_array('all_ended', (${reason})::text, '${keys.prefix}', NULL)::text`)} AS told`,
  };
}
