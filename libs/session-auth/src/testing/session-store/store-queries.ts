import assert from 'node:assert/strict';
import type { SessionRecord } from '../../session/session-record.js';
import type { CreateOutcome, SessionStore } from '../../session/session-store.js';
import { standingOf, type TokenStanding } from '../../session/session-tokens.js';
import { NOW, untouched } from './sample-records.js';

/** Returns the live record of a digest, without counting as activity. Fails the test if it is missing. */
export async function liveRecord(store: SessionStore, digest: string, now = NOW): Promise<SessionRecord> {
  const outcome = await store.find(digest, untouched(now));
  assert.equal(outcome.status, 'live');
  return outcome.record;
}

/** Returns what a digest is worth: the standing of its token, or `absent` without a live session. */
export async function worthOf(
  store: SessionStore,
  digest: string,
  now = NOW,
): Promise<TokenStanding['kind'] | 'absent'> {
  const outcome = await store.find(digest, untouched(now));
  return outcome.status === 'live' ? standingOf(outcome.record, digest, now).kind : 'absent';
}

/** Whether a digest finds a live session, with any of its tokens, without counting as activity. */
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

/** Ends all sessions of a user. Returns the handles of the reported ones. */
export async function endAll(store: SessionStore, userId: string, now = NOW): Promise<string[]> {
  const ids: string[] = [];
  for (let more = true; more;) {
    const step = await store.deleteByUser(userId, { limit: 1000 }, now);
    ids.push(...step.ended.map((ended) => ended.id));
    more = step.more;
  }
  return ids;
}

/** The outcome of a `create` that ended nothing. */
export const CREATED: CreateOutcome = { status: 'created', evicted: [], replaced: [] };

/**
 * Asserts that two records, or other plain objects, are equal. An undefined field equals a missing one, and so do empty
 * values that the port declares equal.
 */
export function assertSame(actual: object, expected: object): void {
  assert.deepEqual(normalized(actual), normalized(expected));
}

/** Asserts that two lists hold the same texts, in any order. */
export function assertSameSet(actual: readonly string[], expected: readonly string[]): void {
  assert.deepEqual([...actual].sort(), [...expected].sort());
}

function normalized(value: object): object {
  const {
    roles,
    tokens = [],
    formerRoles = [],
    revision = 0,
    rolesSince = 0,
    ...rest
  } = value as Partial<SessionRecord>;
  return {
    ...withoutUndefined(rest),
    // lists of this JavaScript realm: structuredClone in Jest returns those of another
    roles: roles && [...roles],
    tokens: Array.from(tokens, ({ rolesSince: since = 0, ...token }) => ({ ...withoutUndefined(token), since })),
    formerRoles: Array.from(formerRoles, (former) => [...former]),
    revision,
    rolesSince,
  };
}

function withoutUndefined(value: object): object {
  return Object.fromEntries(Object.entries(value).filter(([, field]) => field !== undefined));
}
