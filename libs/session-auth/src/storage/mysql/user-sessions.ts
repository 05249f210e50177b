import { textOrNull } from '../postgres/postgres-text.js';
import { checkRecordVersion, RECORD_VERSION } from '../../session/record-version.js';
import { jsonOrNull } from '../postgres/session-row.js';
import { deleteByKey } from './delete-by-key.js';
import type { GenerationClauses } from './generation-clauses.js';
import { isTrue, numberOf, type StatementRunner } from './pooled-connection.js';
import { sql, type SqlText } from './sql-text.js';

/** The most sessions that one statement names. */
const STEP = 1000;

/** Which sessions of a user end. */
interface SessionsToEnd {
  /** The stored handle of a session to keep; '' for none. */
  readonly except: string;
  readonly limit: number;
  readonly now: number;
  readonly generations: Pick<GenerationClauses, 'isPresent'>;
}

/**
 * Ends sessions of a user, in a transaction that holds the lock of the user.
 *
 * @returns the stored handles of those that were live
 */
export async function endSessionsOfUser(
  transaction: StatementRunner,
  table: SqlText,
  userKey: Buffer,
  { except, limit, now, generations }: SessionsToEnd,
): Promise<{ readonly handles: readonly string[]; readonly more: boolean }> {
  const found = await transaction.query(sql`SELECT handle FROM ${table}
    WHERE user_key = ${userKey} AND handle <> ${except} LIMIT ${limit + 1}`);
  const handles: string[] = [];
  const step = found.rows.slice(0, limit).map(([handle]) => handle!);
  if (step.length === 0) return { handles, more: false };
  const { rows } = await transaction.query(sql`SELECT handle, expires_at, ${generations.isPresent}
    FROM ${table} FORCE INDEX (PRIMARY)
    WHERE handle IN (${step}) ORDER BY handle FOR UPDATE`);
  for (const [handle, expiresAt, isPresent] of rows) {
    if (numberOf(expiresAt!) > now && isTrue(isPresent!)) handles.push(String(handle));
  }
  const held = rows.map(([handle]) => handle!);
  await deleteByKey(transaction, table, 'handle', held);
  return { handles, more: found.rows.length > limit };
}

/**
 * Changes all live sessions of a user, in a transaction that holds the lock of the user, and returns how many.
 *
 * Roles and former roles are compared and extended as the text that JSON.stringify makes of lists of strings. A column
 * is read before it is assigned, because its value after that depends on the `sql_mode`.
 *
 * @throws Error for a session of a later version, see record-version.ts
 */
export async function updateSessionsOfUser(
  transaction: StatementRunner,
  table: SqlText,
  userKey: Buffer,
  changes: { readonly roles?: readonly string[]; readonly email?: string },
  { now, generations }: Pick<SessionsToEnd, 'now' | 'generations'>,
): Promise<number> {
  const found = await transaction.query(sql`SELECT handle, record_version FROM ${table}
    WHERE user_key = ${userKey} AND expires_at > ${now} AND ${generations.isPresent} ORDER BY handle`);
  for (const [, version] of found.rows) checkRecordVersion(numberOf(version!));
  const roles = jsonOrNull(changes.roles);
  const email = textOrNull(changes.email);
  const newRoles =
    roles === null
      ? sql``
      : sql`former_roles = CASE WHEN roles <> ${roles} THEN CONCAT(
            CASE WHEN former_roles LIKE '[[%]]' THEN CONCAT(SUBSTRING(former_roles, 1, LENGTH(former_roles) - 1), ',')
              ELSE '[' END,
            roles, ']') ELSE former_roles END,
          roles = ${roles},`;
  const newEmail = email === null ? sql`` : sql`email = ${email},`;
  let updated = 0;
  for (let at = 0; at < found.rows.length; at += STEP) {
    const step = found.rows.slice(at, at + STEP).map(([handle]) => handle!);
    const { affected } = await transaction.query(sql`UPDATE ${table} FORCE INDEX (PRIMARY)
      SET ${newRoles} ${newEmail} rotated_at = 0, revision = revision + 1, version = version + 1,
        record_version = GREATEST(record_version, ${RECORD_VERSION})
      WHERE handle IN (${step}) AND expires_at > ${now}`);
    updated += affected;
  }
  return updated;
}
