import { planAdmission, type Admission } from '../../session/concurrency-limit.js';
import type { SessionRecord } from '../../session/session-record.js';
import type { CreateOutcome, EndedSession } from '../../session/session-store.js';
import { decodeOptional } from '../postgres/postgres-text.js';
import type { StoredKeys } from '../postgres/stored-keys.js';
import { deleteByKey } from './delete-by-key.js';
import type { GenerationClauses } from './generation-clauses.js';
import { isDuplicate } from './mysql-error.js';
import { numberOf, type Row, type StatementRunner } from './pooled-connection.js';
import { insertSession, userKeyOf } from './session-row.js';
import { sql, SqlText } from './sql-text.js';

/** How many sessions of a user without a limit a login reads. */
const NEWEST = 500;

/** What a login is admitted by. */
interface GivenAdmission {
  readonly admission: Admission;
  readonly now: number;
  readonly keys: StoredKeys;
  readonly generations: GenerationClauses;
}

/** The fields that a login reads. The record may be unreadable. */
interface LiveSession {
  readonly id: string;
  readonly device: string | undefined;
  readonly createdAt: number;
  readonly lastActivityAt: number;
  readonly stored: { readonly handle: Buffer; readonly version: number };
}

/**
 * Adds a session under its user's limit, in a transaction that holds the lock of the user. Returns undefined when a
 * session that must end has changed since it was read: nothing has changed then, and the caller must try again.
 */
export async function admitSession(
  transaction: StatementRunner,
  table: SqlText,
  record: SessionRecord & { readonly userId: string },
  { admission, now, keys, generations }: GivenAdmission,
): Promise<CreateOutcome | undefined> {
  const limit = admission.max === Infinity ? sql` LIMIT ${NEWEST}` : sql``;
  const { rows } =
    await transaction.query(sql`SELECT handle, device, created_at, last_activity_at, version FROM ${table}
    WHERE user_key = ${userKeyOf(record.userId, keys)} AND expires_at > ${now} AND ${generations.isPresent}
    ORDER BY created_at DESC, handle DESC${limit}`);
  const live = rows.map((row) => decodeLive(row, keys));
  if (live.some(({ id }) => id === record.id)) return { status: 'exists', id: record.id };
  const plan = planAdmission(record, live, admission, now);
  if (plan.status !== 'admitted') {
    // an existing session comes first, even if another user owns it
    const namesake = sql`SELECT 1 FROM ${table}
      WHERE handle = ${keys.encode(record.id)} AND expires_at > ${now} AND ${generations.isPresent}`;
    return (await transaction.query(namesake)).rows.length > 0 ? { status: 'exists', id: record.id } : plan;
  }
  const leaving = [...plan.replaced, ...plan.evicted];
  if (!(await holdAll(transaction, table, leaving))) return undefined;
  const insert = insertSession(table, record, keys, generations);
  if (!(await addSession(transaction, table, insert, { handle: keys.encode(record.id), now, generations }))) {
    return { status: 'exists', id: record.id };
  }
  if (leaving.length > 0) {
    const handles = leaving.map(({ stored }) => stored.handle);
    await deleteByKey(transaction, table, 'handle', handles);
  }
  const ended = ({ id }: LiveSession): EndedSession => ({ id, userId: record.userId });
  return { status: 'created', evicted: plan.evicted.map(ended), replaced: plan.replaced.map(ended) };
}

/**
 * Adds a session, and returns whether it did. Fails if a live session has the handle; one that has ended is replaced.
 */
export async function addSession(
  runner: StatementRunner,
  table: SqlText,
  insert: SqlText,
  { handle, now, generations }: Pick<GivenAdmission, 'now' | 'generations'> & { readonly handle: string },
): Promise<boolean> {
  for (;;) {
    try {
      await runner.query(insert);
      return true;
    } catch (error) {
      if (!isDuplicate(error)) throw error;
    }
    const removed = await runner.query(sql`DELETE FROM ${table}
      WHERE handle = ${handle} AND (expires_at <= ${now} OR NOT ${generations.isPresent})`);
    if (removed.affected === 0) return false;
  }
}

/** Locks sessions, in the order of their handles, and returns whether all exist and are unchanged. */
async function holdAll(
  transaction: StatementRunner,
  table: SqlText,
  sessions: readonly LiveSession[],
): Promise<boolean> {
  if (sessions.length === 0) return true;
  const handles = sessions.map(({ stored }) => stored.handle);
  const { rows } = await transaction.query(sql`SELECT handle, version FROM ${table} FORCE INDEX (PRIMARY)
    WHERE handle IN (${handles}) ORDER BY handle FOR UPDATE`);
  const held = new Map(rows.map(([handle, version]) => [String(handle), numberOf(version!)]));
  return sessions.every(({ stored }) => held.get(String(stored.handle)) === stored.version);
}

function decodeLive([handle, device, createdAt, lastActivityAt, version]: Row, keys: StoredKeys): LiveSession {
  return {
    id: keys.decode(String(handle)),
    device: device == null ? undefined : decodeOptional(String(device)),
    createdAt: numberOf(createdAt!),
    lastActivityAt: numberOf(lastActivityAt!),
    stored: { handle: handle!, version: numberOf(version!) },
  };
}
