import assert from 'node:assert/strict';
import type { SessionRecord } from '../../session/session-record.js';
import type { SessionStore } from '../../session/session-store.js';
import type { ContractTests } from './contract-tests.js';
import { MINUTE } from '../../time/units.js';
import { GRACE, IDLE, newDigest, newRecord, newUser, nextDigest, NO_LIMIT, NO_MAXIMUM, NOW } from './sample-records.js';
import { assertSame, isLive, listedIds, liveRecord } from './store-queries.js';

/** What a digest can do after it was rotated away, and for how long. */
export function graceContract({ it }: ContractTests): void {
  it('finds the session by an old digest, with the present one in the record', async ({ store }) => {
    const { record, digest } = await createRotated(store);
    assertSame(await liveRecord(store, record.digest, NOW + GRACE - 1), { ...record, digest, rotatedAt: NOW });
  });

  it('counts a request with an old digest as activity', async ({ store }) => {
    const { record, digest } = await createRotated(store);
    const now = NOW + GRACE / 2;
    const outcome = await store.find(record.digest, { now, idle: IDLE, interval: 1 });
    assert.equal(outcome.status, 'live');
    const touched = { ...record, digest, rotatedAt: NOW, lastActivityAt: now, expiresAt: now + IDLE };
    assertSame(outcome.record, touched);
    assertSame(await liveRecord(store, digest, now), touched);
  });

  it('updates the session by an old digest', async ({ store }) => {
    const { record, digest } = await createRotated(store);
    const outcome = await store.update(record.digest, { late: true }, NOW + GRACE - 1, NO_MAXIMUM);
    assert.deepEqual(outcome, { status: 'updated', data: { kept: true, late: true } });
    assert.deepEqual((await liveRecord(store, digest)).data, { kept: true, late: true });
  });

  it('ends the session by an old digest', async ({ store }) => {
    const { record, digest } = await createRotated(store);
    const ended = await store.delete(record.digest, NOW + GRACE - 1);
    assertSame(ended!, { id: record.id, userId: record.userId });
    assert.ok(!(await isLive(store, digest)));
    assert.ok(!(await isLive(store, record.digest)));
    assert.deepEqual(await listedIds(store, record.userId!), []);
    assert.equal(await store.delete(record.digest, NOW), undefined);
    assert.equal(await store.delete(digest, NOW), undefined);
  });

  it('does not let old digests of a session that has ended find one that is made anew of its handle', async ({
    store,
  }) => {
    for (const sameDigest of [true, false]) {
      const { record, digest } = await createRotated(store);
      const last = newDigest(record.userId);
      await store.rotate(digest, { digest: last, now: NOW, grace: GRACE, changes: {} });
      await store.delete(last, NOW);
      const again = newRecord(record.userId, { id: record.id, ...(sameDigest && { digest: record.digest }) });
      assert.equal((await store.create(again, NO_LIMIT, NOW)).status, 'created');
      for (const old of [record.digest, digest, last]) assert.equal(await isLive(store, old), old === again.digest);
      await store.delete(again.digest, NOW);
      const limited = newRecord(record.userId, { id: record.id });
      assert.equal((await store.create(limited, { max: 3, onLimit: 'reject' }, NOW)).status, 'created');
      for (const old of [record.digest, digest, last]) assert.ok(!(await isLive(store, old)));
    }
  });

  it('ends the old digests with the session', async ({ store }) => {
    const { record, digest } = await createRotated(store);
    await store.delete(digest, NOW);
    assert.ok(!(await isLive(store, record.digest)));
    assert.deepEqual(await store.update(record.digest, { a: 1 }, NOW, NO_MAXIMUM), { status: 'absent' });
    const rotation = { digest: newDigest(record.userId), now: NOW, grace: GRACE, changes: {} };
    assert.deepEqual(await store.rotate(record.digest, rotation), { status: 'absent' });
  });

  it('does not rotate by an old digest', async ({ store }) => {
    const { record, digest } = await createRotated(store);
    const unused = newDigest(record.userId);
    const rotation = { digest: unused, now: NOW + 1, grace: GRACE, changes: { roles: ['admin'] } };
    assert.deepEqual(await store.rotate(record.digest, rotation), { status: 'superseded' });
    assert.ok(!(await isLive(store, unused)));
    assertSame(await liveRecord(store, digest), { ...record, digest, rotatedAt: NOW });
  });

  it('knows an old digest no more when its grace is over', async ({ store }) => {
    const { record, digest } = await createRotated(store);
    await expectDead(store, record, NOW + GRACE);
    assertSame(await liveRecord(store, digest, NOW + GRACE), { ...record, digest, rotatedAt: NOW });
  });

  it('knows an old digest no more at once without a grace', async ({ store }) => {
    const { record, digest } = await createRotated(store, 0);
    await expectDead(store, record, NOW);
    assertSame(await liveRecord(store, digest), { ...record, digest, rotatedAt: NOW });
  });

  it('measures each grace of a chain of rotations by itself', async ({ store }) => {
    const { record, digest: second } = await createRotated(store);
    const third = newDigest(record.userId);
    const now = NOW + GRACE / 2;
    await store.rotate(second, { digest: third, now, grace: GRACE, changes: {} });
    for (const digest of [record.digest, second, third]) {
      assert.equal((await liveRecord(store, digest, now)).digest, third);
    }
    for (const digest of [record.digest, second]) {
      const rotation = { digest: newDigest(record.userId), now, grace: GRACE, changes: {} };
      assert.deepEqual(await store.rotate(digest, rotation), { status: 'superseded' });
    }
    await expectDead(store, record, NOW + GRACE);
    assert.equal((await liveRecord(store, second, NOW + GRACE)).digest, third);
    await expectDead(store, { ...record, digest: second }, now + GRACE);
    assert.ok(await isLive(store, third, now + GRACE));
  });

  it('lets no digest outlive a newer one: a rotation without a grace ends all before it', async ({ store }) => {
    const { record, digest: second } = await createRotated(store);
    const third = newDigest(record.userId);
    await store.rotate(second, { digest: third, now: NOW, grace: 0, changes: {} });
    await expectDead(store, record, NOW);
    await expectDead(store, { ...record, digest: second }, NOW);
    assert.ok(await isLive(store, third));
  });

  it('lets no digest outlive a newer one: a shorter grace holds for all before it', async ({ store }) => {
    const { record, digest: second } = await createRotated(store);
    const third = newDigest(record.userId);
    await store.rotate(second, { digest: third, now: NOW, grace: GRACE / 4, changes: {} });
    assert.equal((await liveRecord(store, record.digest, NOW + GRACE / 4 - 1)).digest, third);
    await expectDead(store, record, NOW + GRACE / 4);
  });

  it('follows a long chain of rotations, and ends all of it', async ({ store }) => {
    const record = newRecord(newUser(), { data: { kept: true } });
    await store.create(record, NO_LIMIT, NOW);
    const digests = [record.digest];
    for (let i = 0; i < 30; i++) {
      const digest = newDigest(record.userId);
      const outcome = await store.rotate(digests.at(-1)!, { digest, now: NOW + i, grace: GRACE, changes: {} });
      assert.equal(outcome.status, 'rotated');
      digests.push(digest);
    }
    for (const digest of digests) assert.equal((await liveRecord(store, digest, NOW + 30)).digest, digests.at(-1));
    assertSame((await store.delete(digests[10]!, NOW + 30))!, { id: record.id, userId: record.userId });
    for (const digest of digests) assert.ok(!(await isLive(store, digest, NOW + 30)));
  });

  it('grants a grace to anonymous sessions as well', async ({ store }) => {
    const record = newRecord(undefined);
    await store.create(record, NO_LIMIT, NOW);
    const digest = nextDigest(record.digest);
    await store.rotate(record.digest, { digest, now: NOW, grace: GRACE, changes: {} });
    assert.equal((await liveRecord(store, record.digest)).digest, digest);
    assert.ok(!(await isLive(store, record.digest, NOW + MINUTE)));
    assert.ok(await isLive(store, digest, NOW + MINUTE));
  });
}

async function createRotated(
  store: SessionStore,
  grace = GRACE,
): Promise<{ readonly record: SessionRecord; readonly digest: string }> {
  const record = newRecord(newUser(), { data: { kept: true } });
  await store.create(record, NO_LIMIT, NOW);
  const digest = newDigest(record.userId);
  const outcome = await store.rotate(record.digest, { digest, now: NOW, grace, changes: {} });
  assert.equal(outcome.status, 'rotated');
  return { record, digest };
}

async function expectDead(store: SessionStore, { digest, userId }: SessionRecord, now: number): Promise<void> {
  assert.ok(!(await isLive(store, digest, now)), 'the old digest finds the session');
  assert.deepEqual(await store.update(digest, { a: 1 }, now, NO_MAXIMUM), { status: 'absent' });
  const rotation = { digest: newDigest(userId), now, grace: GRACE, changes: {} };
  assert.deepEqual(await store.rotate(digest, rotation), { status: 'absent' });
  assert.equal(await store.delete(digest, now), undefined);
}
