import assert from 'node:assert/strict';
import type { OnLimit } from '../../session/concurrency.options.js';
import type { SessionRecord } from '../../session/session-record.js';
import type { SessionStore } from '../../session/session-store.js';
import type { ContractTests } from './contract-tests.js';
import { HOUR, MINUTE, SECOND } from '../../time/units.js';
import { GRACE, IDLE, newDigest, newRecord, newUser, NO_LIMIT, NOW, untouched } from './sample-records.js';
import { assertSame, assertSameSet, endAll, isLive, listedIds, liveRecord } from './store-queries.js';

const POLICIES: readonly OnLimit[] = ['evict-oldest', 'evict-least-recent', 'reject'];

/** `create` under a limit, one call at a time. */
export function admissionContract({ it }: ContractTests): void {
  it('admits without ending anything below the limit, whatever the policy', async ({ store }) => {
    for (const onLimit of POLICIES) {
      const userId = newUser();
      for (let count = 1; count <= 3; count++) {
        const outcome = await store.create(newRecord(userId), { max: 3, onLimit }, NOW);
        assert.deepEqual(outcome, { status: 'created', evicted: [] });
        assert.equal((await listedIds(store, userId)).length, count);
      }
    }
  });

  it('leaves a live session of the same digest as it is, and takes one that has ended for none', async ({ store }) => {
    const userId = newUser();
    const record = newRecord(userId, { data: { first: true } });
    const again = newRecord(userId, { digest: record.digest, data: { second: true } });
    await store.create(record, { max: 1, onLimit: 'evict-oldest' }, NOW);
    for (const onLimit of POLICIES) {
      assert.deepEqual(await store.create(again, { max: 1, onLimit }, NOW), { status: 'exists' });
    }
    assertSame(await liveRecord(store, record.digest), record);
    const next = newDigest(userId);
    await store.rotate(record.digest, { digest: next, now: NOW, grace: GRACE, changes: {} });
    assert.deepEqual(await store.create(again, NO_LIMIT, NOW), { status: 'exists' });
    await store.delete(next, NOW);
    assert.equal((await store.create(again, NO_LIMIT, NOW)).status, 'created');
    assert.deepEqual(await listedIds(store, userId), [again.id]);
    assert.ok(await isLive(store, record.digest));
    const later = newRecord(userId, { digest: record.digest, createdAt: again.expiresAt });
    assert.equal((await store.create(later, NO_LIMIT, again.expiresAt)).status, 'created');
    assert.deepEqual(await listedIds(store, userId, again.expiresAt), [later.id]);
  });

  it('leaves a live session of the same handle as it is, and takes one that has ended for none', async ({ store }) => {
    const userId = newUser();
    const record = newRecord(userId, { data: { first: true } });
    const again = newRecord(userId, { id: record.id, data: { second: true } });
    await store.create(record, NO_LIMIT, NOW);
    for (const onLimit of POLICIES) {
      assert.deepEqual(await store.create(again, { max: 1, onLimit }, NOW), { status: 'exists' });
    }
    assert.deepEqual(await store.create(again, NO_LIMIT, NOW), { status: 'exists' });
    assert.ok(!(await isLive(store, again.digest)));
    assertSame(await liveRecord(store, record.digest), record);
    await store.delete(record.digest, NOW);
    assert.equal((await store.create(again, NO_LIMIT, NOW)).status, 'created');
    const later = newRecord(userId, { id: record.id, createdAt: again.expiresAt });
    assert.equal((await store.create(later, NO_LIMIT, again.expiresAt)).status, 'created');
    assert.deepEqual(await store.find(again.digest, untouched(again.expiresAt)), { status: 'absent' });
    assert.deepEqual(await listedIds(store, userId, again.expiresAt), [later.id]);
    assert.deepEqual(await endAll(store, userId, again.expiresAt), [later.id]);
    assert.ok(!(await isLive(store, later.digest, again.expiresAt)));
  });

  it('refuses a login that comes again after its token was replaced without a grace', async ({ store }) => {
    for (const admission of [NO_LIMIT, { max: 3, onLimit: 'evict-oldest' }] as const) {
      const userId = newUser();
      const record = newRecord(userId);
      await store.create(record, admission, NOW);
      const next = newDigest(userId);
      await store.rotate(record.digest, { digest: next, now: NOW, grace: 0, changes: { createdAt: NOW + SECOND } });
      assert.deepEqual(await store.create(record, admission, NOW), { status: 'exists' });
      assert.ok(!(await isLive(store, record.digest)));
      assert.ok(await isLive(store, next));
      assert.deepEqual(await endAll(store, userId), [record.id]);
      assert.ok(!(await isLive(store, next)));
    }
  });

  it('finds the session of a handle among hundreds', async ({ store }) => {
    const userId = newUser();
    const records = Array.from({ length: 300 }, (_, i) => newRecord(userId, { createdAt: NOW - i }));
    await Promise.all(records.map((record) => store.create(record, NO_LIMIT, NOW)));
    for (const { id } of [records[0]!, records[150]!, records[299]!]) {
      assert.deepEqual(await store.create(newRecord(userId, { id }), NO_LIMIT, NOW), { status: 'exists' });
    }
    assert.equal((await listedIds(store, userId)).length, 300);
  });

  it('ends the session with the earliest createdAt for evict-oldest', async ({ store }) => {
    const userId = newUser();
    const [middle, oldest, newest] = await createAll(store, [
      newRecord(userId, { createdAt: NOW - 2 * SECOND, lastActivityAt: NOW - 2 * SECOND }),
      newRecord(userId, { createdAt: NOW - 3 * SECOND, lastActivityAt: NOW }),
      newRecord(userId, { createdAt: NOW - SECOND, lastActivityAt: NOW - 4 * SECOND }),
    ]);
    const record = newRecord(userId);
    const outcome = await store.create(record, { max: 3, onLimit: 'evict-oldest' }, NOW);
    assert.deepEqual(outcome, { status: 'created', evicted: [{ id: oldest!.id, userId }] });
    assert.ok(!(await isLive(store, oldest!.digest)));
    assert.deepEqual(await listedIds(store, userId), [record.id, newest!.id, middle!.id]);
  });

  it('ends the session with the earliest lastActivityAt for evict-least-recent', async ({ store }) => {
    const userId = newUser();
    const [first, second, third] = await createAll(store, [
      newRecord(userId, { createdAt: NOW - 3 * SECOND }),
      newRecord(userId, { createdAt: NOW - 2 * SECOND }),
      newRecord(userId, { createdAt: NOW - SECOND }),
    ]);
    const now = NOW + MINUTE;
    const touch = { now, idle: IDLE, interval: SECOND };
    await store.find(first!.digest, touch);
    await store.find(third!.digest, touch);
    const outcome = await store.create(newRecord(userId), { max: 3, onLimit: 'evict-least-recent' }, now);
    assert.deepEqual(outcome, { status: 'created', evicted: [{ id: second!.id, userId }] });
    assert.ok(!(await isLive(store, second!.digest, now)));
  });

  it('ends as many as it takes', async ({ store }) => {
    for (const onLimit of ['evict-oldest', 'evict-least-recent'] as const) {
      const userId = newUser();
      const ages = [5, 2, 4, 1, 3];
      const records = await createAll(
        store,
        ages.map((age) => newRecord(userId, { createdAt: NOW - age * SECOND })),
      );
      const record = newRecord(userId);
      const outcome = await store.create(record, { max: 2, onLimit }, NOW);
      assert.equal(outcome.status, 'created');
      const youngest = records[3]!;
      const others = records.filter((other) => other !== youngest);
      assertSameSet(
        outcome.evicted.map((ended) => ended.id),
        others.map((other) => other.id),
      );
      assert.deepEqual(await listedIds(store, userId), [record.id, youngest.id]);
    }
  });

  it('adds nothing and ends nothing for reject, until there is room', async ({ store }) => {
    const userId = newUser();
    const admission = { max: 2, onLimit: 'reject' } as const;
    const [first, second] = await createAll(store, [
      newRecord(userId, { createdAt: NOW - SECOND }),
      newRecord(userId, { createdAt: NOW - 2 * SECOND }),
    ]);
    const refused = newRecord(userId);
    assert.deepEqual(await store.create(refused, admission, NOW), { status: 'limit_reached' });
    assert.ok(!(await isLive(store, refused.digest)));
    assert.deepEqual(await listedIds(store, userId), [first!.id, second!.id]);
    await store.delete(first!.digest, NOW);
    const admitted = newRecord(userId);
    assert.deepEqual(await store.create(admitted, admission, NOW), { status: 'created', evicted: [] });
    assert.deepEqual(await listedIds(store, userId), [admitted.id, second!.id]);
  });

  it('neither counts nor reports sessions that have expired', async ({ store }) => {
    for (const onLimit of POLICIES) {
      const userId = newUser();
      await createAll(store, [newRecord(userId), newRecord(userId)]);
      const later = newRecord(userId, { createdAt: NOW + IDLE });
      const outcome = await store.create(later, { max: 1, onLimit }, NOW + IDLE);
      assert.deepEqual(outcome, { status: 'created', evicted: [] });
      assert.deepEqual(await listedIds(store, userId, NOW + IDLE), [later.id]);
    }
  });

  it('counts a session that was rotated once, and ends its old digests with it', async ({ store }) => {
    const userId = newUser();
    const record = newRecord(userId);
    await store.create(record, NO_LIMIT, NOW);
    const digest = newDigest(userId);
    await store.rotate(record.digest, { digest, now: NOW, grace: GRACE, changes: {} });
    const admitted = await store.create(newRecord(userId), { max: 2, onLimit: 'reject' }, NOW);
    assert.deepEqual(admitted, { status: 'created', evicted: [] });
    const later = newRecord(userId, { createdAt: NOW + HOUR });
    await store.create(later, { max: 1, onLimit: 'evict-oldest' }, NOW);
    assert.ok(!(await isLive(store, digest)));
    assert.ok(!(await isLive(store, record.digest)));
    assert.deepEqual(await listedIds(store, userId), [later.id]);
  });

  it('has no limit where the limit is infinite', async ({ store }) => {
    for (const onLimit of POLICIES) {
      const userId = newUser();
      for (let count = 0; count < 20; count++) {
        const outcome = await store.create(newRecord(userId), { max: Infinity, onLimit }, NOW);
        assert.deepEqual(outcome, { status: 'created', evicted: [] });
      }
      assert.equal((await listedIds(store, userId)).length, 20);
    }
  });

  it('always admits anonymous sessions', async ({ store }) => {
    for (const onLimit of POLICIES) {
      const records = [newRecord(undefined), newRecord(undefined), newRecord(undefined)];
      for (const record of records) {
        const outcome = await store.create(record, { max: 1, onLimit }, NOW);
        assert.deepEqual(outcome, { status: 'created', evicted: [] });
      }
      for (const record of records) assert.ok(await isLive(store, record.digest));
    }
  });
}

async function createAll(store: SessionStore, records: SessionRecord[]): Promise<SessionRecord[]> {
  for (const record of records) await store.create(record, NO_LIMIT, NOW);
  return records;
}
