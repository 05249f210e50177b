import { planAdmission, type Admission } from '../../session/concurrency-limit.js';
import type { SessionRecord } from '../../session/session-record.js';
import type { CreateOutcome, EndedSession } from '../../session/session-store.js';
import { decodeOptional } from '../postgres/postgres-text.js';
import { encodeRow } from '../postgres/session-row.js';
import type { StoredKeys } from '../postgres/stored-keys.js';
import type { GenerationClauses } from './generation-clauses.js';
import { insertSession } from './session-row.js';
import type { Row, SqliteConnection, SqliteValue } from './sqlite-handle.js';

/** How many sessions of a user without a limit a login reads. */
const NEWEST = 500;

/** SQLite's value for no limit. */
const ALL = -1;

/** What a login is admitted by. */
interface GivenAdmission {
  readonly admission: Admission;
  readonly now: number;
  readonly keys: StoredKeys;
  readonly generations: GenerationClauses;
}

/** The fields that a login reads. The record may be unreadable. */
type LiveSession = Required<Pick<SessionRecord, 'id' | 'createdAt' | 'lastActivityAt'>> & Pick<SessionRecord, 'device'>;

/** Adds a session under its user's limit, in a transaction. */
export function admitSession(
  { all, run }: SqliteConnection,
  record: SessionRecord,
  given: GivenAdmission,
): CreateOutcome {
  const { admission, now, keys, generations } = given;
  const handle = keys.encode(record.id);
  const hasEnded = `(expires_at <= ? OR NOT ${generations.isPresent})`;
  run(`DELETE FROM session_auth_session WHERE handle = ? AND ${hasEnded}`, handle, now);
  const namesakes = all('SELECT 1 FROM session_auth_session WHERE handle = ?', handle);
  if (namesakes.length > 0) return { status: 'exists', id: record.id };
  const plan = planAdmission(record, liveSessions({ all }, record, given), admission, now);
  if (plan.status !== 'admitted') return plan;
  for (const { id } of [...plan.replaced, ...plan.evicted]) {
    run('DELETE FROM session_auth_session WHERE handle = ?', keys.encode(id));
  }
  run(insertSession(generations), ...(encodeRow(record, keys) as SqliteValue[]));
  const ended = ({ id }: LiveSession): EndedSession => ({ id, userId: record.userId });
  return { status: 'created', evicted: plan.evicted.map(ended), replaced: plan.replaced.map(ended) };
}

/** Returns the live sessions of a record's user that its admission depends on. */
function liveSessions(
  { all }: Pick<SqliteConnection, 'all'>,
  { userId, device }: SessionRecord,
  { admission, now, keys, generations }: GivenAdmission,
): LiveSession[] {
  const isLimited = admission.max < Infinity;
  if (userId === undefined || (!isLimited && device === undefined && admission.replaces === undefined)) return [];
  const rows = all(
    `SELECT handle, device, created_at, last_activity_at FROM session_auth_session
    WHERE user_id = ? AND expires_at > ? AND ${generations.isPresent} ORDER BY created_at DESC, handle DESC LIMIT ?`,
    keys.encodeUser(userId),
    now,
    isLimited ? ALL : NEWEST,
  );
  return rows.map((row) => decodeLive(row, keys));
}

function decodeLive([handle, device, createdAt, lastActivityAt]: Row, keys: StoredKeys): LiveSession {
  return {
    id: keys.decode(String(handle)),
    device: decodeOptional(device as string | null),
    createdAt: Number(createdAt),
    lastActivityAt: Number(lastActivityAt),
  };
}
