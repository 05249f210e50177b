import type { Admission } from '../../session/concurrency-limit.js';
import type { CreateOutcome, EndedSession } from '../../session/session-store.js';
import type { Row, SqlValue } from './postgres-statement.js';
import type { StoredKeys } from './stored-keys.js';

const MAX_COUNT = 2 ** 31;

/** How many sessions of a user without a limit a login reads. */
const NEWEST = 500;

/** Returns the parameters of the statement `admit` that follow the new session and the time. */
export function encodeAdmission({ max, onLimit, sharedFor = 0, replaces }: Admission, keys: StoredKeys): SqlValue[] {
  return [
    Math.min(max, MAX_COUNT),
    onLimit,
    boundedTime(sharedFor),
    replaces === undefined ? null : keys.encode(replaces.id),
    replaces?.unlessUsedFor === undefined ? null : boundedTime(replaces.unlessUsedFor),
    max === Infinity ? NEWEST : null,
  ];
}

/** Decodes the rows of the statement `admit`; undefined: it must run again. */
export function decodeAdmission(rows: readonly Row[], userId: string, keys: StoredKeys): CreateOutcome | undefined {
  const handlesOf = (what: string): string[] =>
    rows.filter((row) => row[0] === what).map(([, handle]) => (handle == null ? '' : keys.decode(handle)));
  const [shared] = [...handlesOf('exists'), ...handlesOf('shared')];
  if (shared !== undefined) return { status: 'exists', id: shared };
  if (handlesOf('in_use').length > 0) return { status: 'in_use' };
  if (handlesOf('limit_reached').length > 0) return { status: 'limit_reached' };
  if (handlesOf('added').length === 0) return undefined;
  const endedBy = (what: string): EndedSession[] => handlesOf(what).map((id) => ({ id, userId }));
  return { status: 'created', evicted: endedBy('evicted'), replaced: endedBy('replaced') };
}

/** Limits a time to the numbers that PostgreSQL can compare. */
function boundedTime(milliseconds: number): number {
  return Math.min(milliseconds, Number.MAX_SAFE_INTEGER);
}
