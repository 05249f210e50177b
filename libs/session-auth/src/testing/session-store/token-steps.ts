import assert from 'node:assert/strict';
import type { SessionRecord } from '../../session/session-record.js';
import type { Rotation, SessionStore } from '../../session/session-store.js';
import { standingOf, withPromoted, withReplaced, withSuccessor } from '../../session/session-tokens.js';
import { GRACE, nextDigest, NOW } from './sample-records.js';

/** A rotation of a session in the state in which it was read or created. */
export function rotationOf({ revision = 0 }: SessionRecord, changes: Rotation['changes'] = {}, now = NOW): Rotation {
  return { revision, now, changes };
}

/**
 * Rotates a session in the state in which it was read, and returns its new state. Fails the test if it was changed
 * meanwhile.
 */
export async function rotate(
  store: SessionStore,
  record: SessionRecord,
  changes: Rotation['changes'],
  now = NOW,
): Promise<SessionRecord> {
  const outcome = await store.rotate(record.digest, rotationOf(record, changes, now));
  assert.equal(outcome.status, 'rotated');
  return outcome.record;
}

/** A session with one more token: its record, and the digest of the token. */
export interface Issued {
  readonly record: SessionRecord;
  readonly digest: string;
}

/** Issues a successor. */
export async function handOut(store: SessionStore, before: SessionRecord, now = NOW): Promise<Issued> {
  const digest = nextDigest(before.digest);
  return { record: await rotate(store, before, withSuccessor(before, digest, now), now), digest };
}

/** Uses a successor for the first time: it becomes the token, and the previous one is honoured for the grace period. */
export async function promote(
  store: SessionStore,
  { record, digest }: Issued,
  { now = NOW, grace = GRACE } = {},
): Promise<SessionRecord> {
  const standing = standingOf(record, digest, now);
  assert.equal(standing.kind, 'successor');
  return rotate(store, record, withPromoted(record, standing.token, now, grace), now);
}

/** Issues a successor and uses it. */
export async function moveOn(
  store: SessionStore,
  record: SessionRecord,
  when: { readonly now?: number; readonly grace?: number } = {},
): Promise<SessionRecord> {
  return promote(store, await handOut(store, record, when.now), when);
}

/** Puts a new token in place at once. */
export async function replaceToken(
  store: SessionStore,
  record: SessionRecord,
  {
    now = NOW,
    grace = GRACE,
    kind = 'retired',
  }: { readonly now?: number; readonly grace?: number; readonly kind?: 'retired' | 'renewable' } = {},
): Promise<SessionRecord> {
  return rotate(store, record, withReplaced(record, nextDigest(record.digest), { now, grace, kind }), now);
}
