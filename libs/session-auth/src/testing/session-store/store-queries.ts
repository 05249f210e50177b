import assert from 'node:assert/strict';
import type { SessionRecord } from '../../session/session-record.js';
import type { SessionStore } from '../../session/session-store.js';
import { NOW, untouched } from './sample-records.js';

/** The live record of a digest, without counting as activity. Fails the test where there is none. */
export async function liveRecord(store: SessionStore, digest: string, now = NOW): Promise<SessionRecord> {
  const outcome = await store.find(digest, untouched(now));
  assert.equal(outcome.status, 'live');
  return outcome.record;
}

/** Whether a digest finds a live session, without counting as activity. */
export async function isLive(store: SessionStore, digest: string, now = NOW): Promise<boolean> {
  return (await store.find(digest, untouched(now))).status === 'live';
}

/** All pages of a user's list. */
export async function listAll(
  store: SessionStore,
  userId: string,
  { limit = 1000, now = NOW }: { limit?: number; now?: number } = {},
): Promise<SessionRecord[]> {
  const records: SessionRecord[] = [];
  let cursor: string | undefined;
  do {
    const page = await store.list(userId, { limit, cursor }, now);
    assert.ok(page.records.length <= limit, `a page of at most ${limit} has ${page.records.length} records`);
    assert.notEqual(page.next, cursor ?? '', 'the cursor does not move');
    records.push(...page.records);
    cursor = page.next;
  } while (cursor !== undefined);
  return records;
}

/** The handles of a user's live sessions, in the order of the list. */
export async function listedIds(store: SessionStore, userId: string, now = NOW): Promise<string[]> {
  return (await listAll(store, userId, { now })).map((record) => record.id);
}

/** Ends all sessions of a user. Answers the handles of those reported. */
export async function endAll(store: SessionStore, userId: string, now = NOW): Promise<string[]> {
  const ids: string[] = [];
  for (let more = true; more;) {
    const step = await store.deleteByUser(userId, { limit: 1000 }, now);
    ids.push(...step.ended.map((ended) => ended.id));
    more = step.more;
  }
  return ids;
}

/** Asserts that two records, or other plain objects, are equal, where a field that is undefined is one left out. */
export function assertSame(actual: object, expected: object): void {
  assert.deepEqual(withoutUndefined(actual), withoutUndefined(expected));
}

/** Asserts that two lists hold the same texts, in whatever order. */
export function assertSameSet(actual: readonly string[], expected: readonly string[]): void {
  assert.deepEqual([...actual].sort(), [...expected].sort());
}

function withoutUndefined(value: object): object {
  return Object.fromEntries(Object.entries(value).filter(([, field]) => field !== undefined));
}
