import assert from 'node:assert/strict';
import type { SessionRecord, SessionRecordChanges } from '../../session/session-record.js';
import type { SessionStore } from '../../session/session-store.js';
import type { ContractTests } from './contract-tests.js';
import { HOUR, MINUTE, SECOND } from '../../time/units.js';
import {
  ABSOLUTE,
  fullRecord,
  GRACE,
  IDLE,
  newDigest,
  newRecord,
  newUser,
  nextDigest,
  NO_LIMIT,
  NO_MAXIMUM,
  NOW,
} from './sample-records.js';
import { assertSame, isLive, listAll, listedIds, liveRecord } from './store-queries.js';

/** `rotate`: what a session keeps and what it gets. Old digests are the matter of the grace contract. */
export function rotationContract({ it }: ContractTests): void {
  it('moves a session with its data, handle and deadlines', async ({ store }) => {
    for (const grace of [0, GRACE]) {
      const record = await create(store, fullRecord(newUser()));
      const digest = newDigest(record.userId);
      const now = NOW + MINUTE;
      const expected = { ...record, digest, rotatedAt: now };
      const outcome = await store.rotate(record.digest, { digest, now, grace, changes: {} });
      assert.equal(outcome.status, 'rotated');
      assertSame(outcome.record, expected);
      assertSame(await liveRecord(store, digest, now), expected);
      const listed = await listAll(store, record.userId!, { now });
      assert.equal(listed.length, 1);
      assertSame(listed[0]!, expected);
    }
  });

  it('moves an anonymous session, which stays anonymous', async ({ store }) => {
    const record = await create(store, newRecord(undefined, { data: { cart: [1] } }));
    const digest = nextDigest(record.digest);
    const outcome = await store.rotate(record.digest, { digest, now: NOW, grace: GRACE, changes: {} });
    assert.equal(outcome.status, 'rotated');
    assertSame(await liveRecord(store, digest), { ...record, digest, rotatedAt: NOW });
    assertSame(await liveRecord(store, record.digest), { ...record, digest, rotatedAt: NOW });
  });

  it('applies the changes', async ({ store }) => {
    const record = await create(store, newRecord(newUser(), { data: { kept: true } }));
    const changes: SessionRecordChanges = {
      email: 'new@example.com',
      roles: ['admin', 'line\nbreak'],
      createdAt: NOW + HOUR,
      authenticatedAt: NOW + HOUR,
      authentication: 'password',
      factors: { totp: NOW + MINUTE },
      upstream: 'another',
      lastActivityAt: NOW + MINUTE,
      expiresAt: NOW + 2 * HOUR,
      absoluteExpiresAt: NOW + 3 * HOUR,
      ip: '192.0.2.7',
      userAgent: 'A "new" one\\',
      fingerprint: 'print',
    };
    const digest = newDigest(record.userId);
    const expected = { ...record, ...changes, digest, rotatedAt: NOW + MINUTE };
    const outcome = await store.rotate(record.digest, { digest, now: NOW + MINUTE, grace: 0, changes });
    assert.equal(outcome.status, 'rotated');
    assertSame(outcome.record, expected);
    assertSame(await liveRecord(store, digest, NOW + 2 * HOUR - 1), expected);
    assert.ok(!(await isLive(store, digest, NOW + 2 * HOUR)));
  });

  it('replaces factors as a whole, and takes empty values for what they are', async ({ store }) => {
    const record = await create(store, fullRecord(newUser()));
    const [first, second] = [newDigest(record.userId), newDigest(record.userId)];
    const factors = { passkey: NOW };
    await store.rotate(record.digest, { digest: first, now: NOW, grace: 0, changes: { factors } });
    assert.deepEqual((await liveRecord(store, first)).factors, factors);
    const changes = { factors: {}, upstream: '', email: '' };
    const outcome = await store.rotate(first, { digest: second, now: NOW, grace: 0, changes });
    assert.equal(outcome.status, 'rotated');
    const expected = { ...record, ...changes, digest: second, rotatedAt: NOW };
    assertSame(outcome.record, expected);
    assertSame(await liveRecord(store, second), expected);
    assertSame((await listAll(store, record.userId!))[0]!, expected);
  });

  it('leaves fields as they are whose change is undefined', async ({ store }) => {
    const record = await create(store, fullRecord(newUser()));
    const digest = newDigest(record.userId);
    const changes = {
      email: undefined,
      roles: undefined,
      createdAt: undefined,
      authenticatedAt: undefined,
      authentication: undefined,
      factors: undefined,
      upstream: undefined,
      lastActivityAt: undefined,
      expiresAt: undefined,
      absoluteExpiresAt: undefined,
      ip: undefined,
      userAgent: undefined,
      fingerprint: undefined,
    };
    await store.rotate(record.digest, { digest, now: NOW, grace: 0, changes });
    assertSame(await liveRecord(store, digest), { ...record, digest, rotatedAt: NOW });
  });

  it('keeps when and how the user authenticated when createdAt changes, and the other way round', async ({ store }) => {
    for (const authentication of ['password', 'remember-me'] as const) {
      const given = { authenticatedAt: NOW, authentication, createdAt: NOW, rotatedAt: NOW };
      const record = await create(store, newRecord(newUser(), given));
      const [first, second] = [newDigest(record.userId), newDigest(record.userId)];
      const rotation = { now: NOW + SECOND, grace: 0 };
      const renewed = await create(store, newRecord(newUser(), given));
      const both = { createdAt: NOW + SECOND, authenticatedAt: NOW + MINUTE };
      await store.rotate(renewed.digest, { ...rotation, digest: nextDigest(renewed.digest), changes: both });
      const [after] = await listAll(store, renewed.userId!);
      assertSame(after!, { ...renewed, ...both, digest: after!.digest, rotatedAt: NOW + SECOND });
      await store.rotate(record.digest, { ...rotation, digest: first, changes: { createdAt: NOW + SECOND } });
      const expected = { ...record, createdAt: NOW + SECOND, rotatedAt: NOW + SECOND };
      assertSame(await liveRecord(store, first), { ...expected, digest: first });
      const changes = { authenticatedAt: NOW + MINUTE, authentication: 'custom' } as const;
      await store.rotate(first, { ...rotation, digest: second, changes });
      assertSame(await liveRecord(store, second), { ...expected, ...changes, digest: second });
    }
  });

  it('keeps the deadlines: rotating does not make a session live longer', async ({ store }) => {
    const record = await create(store);
    const digest = newDigest(record.userId);
    const now = NOW + IDLE - MINUTE;
    assert.equal((await store.rotate(record.digest, { digest, now, grace: 0, changes: {} })).status, 'rotated');
    assert.ok(await isLive(store, digest, NOW + IDLE - 1));
    assert.ok(!(await isLive(store, digest, NOW + IDLE)));
  });

  it('keeps the absolute deadline for touches after it', async ({ store }) => {
    const record = await create(store);
    let digest = record.digest;
    for (let now = NOW; now < NOW + ABSOLUTE; now += IDLE - MINUTE) {
      await store.find(digest, { now, idle: IDLE, interval: SECOND });
      const next = newDigest(record.userId);
      await store.rotate(digest, { digest: next, now, grace: 0, changes: {} });
      digest = next;
    }
    assert.equal((await liveRecord(store, digest, NOW + ABSOLUTE - 1)).expiresAt, NOW + ABSOLUTE);
    assert.ok(!(await isLive(store, digest, NOW + ABSOLUTE)));
  });

  it('takes what it is given for the session: data can be updated and deleted under the new digest', async ({
    store,
  }) => {
    const record = await create(store, newRecord(newUser(), { data: { a: 1 } }));
    const digest = newDigest(record.userId);
    await store.rotate(record.digest, { digest, now: NOW, grace: 0, changes: {} });
    const outcome = await store.update(digest, { b: 2 }, NOW, NO_MAXIMUM);
    assert.deepEqual(outcome, { status: 'updated', data: { a: 1, b: 2 } });
    assertSame((await store.delete(digest, NOW))!, { id: record.id, userId: record.userId });
    assert.deepEqual(await listedIds(store, record.userId!), []);
  });

  it('can be ended by handle and by user afterwards', async ({ store }) => {
    for (const grace of [0, GRACE]) {
      const userId = newUser();
      const [byHandle, byUser] = [await create(store, newRecord(userId)), await create(store, newRecord(userId))];
      const digests = [newDigest(userId), newDigest(userId)] as const;
      await store.rotate(byHandle.digest, { digest: digests[0], now: NOW, grace, changes: {} });
      await store.rotate(byUser.digest, { digest: digests[1], now: NOW, grace, changes: {} });
      assertSame((await store.deleteByHandle(userId, byHandle.id, NOW))!, { id: byHandle.id, userId });
      assert.deepEqual((await store.deleteByUser(userId, { limit: 10 }, NOW)).ended, [{ id: byUser.id, userId }]);
      for (const digest of [...digests, byHandle.digest, byUser.digest]) assert.ok(!(await isLive(store, digest)));
    }
  });

  it('answers absent for a session that is not there, and makes none', async ({ store }) => {
    const userId = newUser();
    const digest = newDigest(userId);
    const outcome = await store.rotate(newDigest(userId), { digest, now: NOW, grace: GRACE, changes: {} });
    assert.deepEqual(outcome, { status: 'absent' });
    assert.ok(!(await isLive(store, digest)));
    assert.deepEqual(await listedIds(store, userId), []);
  });

  it('puts a session in its new place in the list when createdAt changes', async ({ store }) => {
    const userId = newUser();
    const first = await create(store, newRecord(userId, { createdAt: NOW - 3 * SECOND }));
    const second = await create(store, newRecord(userId, { createdAt: NOW - 2 * SECOND }));
    const third = await create(store, newRecord(userId, { createdAt: NOW - SECOND }));
    assert.deepEqual(await listedIds(store, userId), [third.id, second.id, first.id]);
    const rotation = { digest: newDigest(userId), now: NOW, grace: GRACE };
    await store.rotate(first.digest, { ...rotation, changes: { createdAt: NOW } });
    assert.deepEqual(await listedIds(store, userId), [first.id, third.id, second.id]);
    await store.rotate(third.digest, { ...rotation, digest: newDigest(userId), changes: {} });
    assert.deepEqual(await listedIds(store, userId), [first.id, third.id, second.id]);
    const outcome = await store.create(newRecord(userId), { max: 3, onLimit: 'evict-oldest' }, NOW);
    assert.deepEqual(outcome, { status: 'created', evicted: [{ id: second.id, userId }] });
  });
}

async function create(store: SessionStore, record: SessionRecord = newRecord(newUser())): Promise<SessionRecord> {
  await store.create(record, NO_LIMIT, NOW);
  return record;
}
