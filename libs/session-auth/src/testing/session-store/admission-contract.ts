import assert from 'node:assert/strict';
import type { OnLimit } from '../../session/concurrency.options.js';
import type { SessionRecord } from '../../session/session-record.js';
import type { SessionStore } from '../../session/session-store.js';
import type { ContractTests } from './contract-tests.js';
import { HOUR, MINUTE, SECOND } from '../../time/units.js';
import { IDLE, newRecord, newUser, nextDigest, NO_LIMIT, NOW } from './sample-records.js';
import { assertSame, assertSameSet, CREATED, endAll, isLive, listedIds, liveRecord } from './store-queries.js';
import { handOut, moveOn, replaceToken } from './token-steps.js';

const POLICIES: readonly OnLimit[] = ['evict-oldest', 'evict-least-recent', 'reject'];

/** `create` under a limit, one call at a time. */
export function admissionContract({ it }: ContractTests): void {
  it('admits without ending anything below the limit, with every policy', async ({ store }) => {
    for (const onLimit of POLICIES) {
      const userId = newUser();
      for (let count = 1; count <= 3; count++) {
        const outcome = await store.create(newRecord(userId), { max: 3, onLimit }, NOW);
        assert.deepEqual(outcome, CREATED);
        assert.equal((await listedIds(store, userId)).length, count);
      }
    }
  });

  it('keeps a live session of the same handle unchanged, and ignores an ended one', async ({ store }) => {
    for (const userId of [newUser(), undefined]) {
      const record = newRecord(userId, { data: { first: true } });
      const again = newRecord(userId, { digest: nextDigest(record.digest), data: { second: true } });
      const exists = { status: 'exists', id: record.id };
      await store.create(record, NO_LIMIT, NOW);
      for (const onLimit of POLICIES) {
        for (const max of [1, Infinity]) {
          for (const either of [record, again]) {
            assert.deepEqual(await store.create(either, { max, onLimit }, NOW), exists);
          }
        }
      }
      assertSame(await liveRecord(store, record.digest), record);
      const now = again.expiresAt;
      const late = { ...again, createdAt: now - 1, expiresAt: now + IDLE };
      assert.deepEqual(await store.create(late, NO_LIMIT, now - 1), exists);
      assert.deepEqual(await store.create(late, NO_LIMIT, now), CREATED);
      assertSame(await liveRecord(store, late.digest, now), late);
      await store.delete(late.digest, now);
      assert.deepEqual(await store.create(again, NO_LIMIT, NOW), CREATED);
      assertSame(await liveRecord(store, again.digest), again);
      if (userId === undefined) continue;
      assert.deepEqual(await listedIds(store, userId), [again.id]);
      assert.deepEqual(await endAll(store, userId), [again.id]);
      assert.ok(!(await isLive(store, again.digest)));
    }
  });

  it('refuses a login that comes again after its token was replaced', async ({ store }) => {
    for (const admission of [NO_LIMIT, { max: 3, onLimit: 'evict-oldest' }] as const) {
      const record = newRecord(newUser());
      await store.create(record, admission, NOW);
      const replaced = await replaceToken(store, record, { kind: 'renewable' });
      assert.deepEqual(await store.create(record, admission, NOW), { status: 'exists', id: record.id });
      assertSame(await liveRecord(store, record.digest), replaced);
    }
  });

  it('finds the session of a handle among hundreds', async ({ store }) => {
    const userId = newUser();
    const records = Array.from({ length: 600 }, (_, i) => newRecord(userId, { createdAt: NOW - i }));
    await Promise.all(records.map((record) => store.create(record, NO_LIMIT, NOW)));
    for (const [i, max] of [[0], [150], [299], [599, 1000]] as const) {
      const { id, digest } = records[i]!;
      const outcome = await store.create(
        newRecord(userId, { digest }),
        { max: max ?? Infinity, onLimit: 'reject' },
        NOW,
      );
      assert.deepEqual(outcome, { status: 'exists', id });
    }
    assert.equal((await listedIds(store, userId)).length, 600);
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
    assert.deepEqual(outcome, { ...CREATED, evicted: [{ id: oldest!.id, userId }] });
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
    assert.deepEqual(outcome, { ...CREATED, evicted: [{ id: second!.id, userId }] });
    assert.ok(!(await isLive(store, second!.digest, now)));
  });

  it('ends as many as needed', async ({ store }) => {
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
    assert.deepEqual(await store.create(admitted, admission, NOW), CREATED);
    assert.deepEqual(await listedIds(store, userId), [admitted.id, second!.id]);
  });

  it('neither counts nor reports sessions that have expired', async ({ store }) => {
    for (const onLimit of POLICIES) {
      const userId = newUser();
      await createAll(store, [newRecord(userId), newRecord(userId)]);
      const later = newRecord(userId, { createdAt: NOW + IDLE });
      const outcome = await store.create(later, { max: 1, onLimit }, NOW + IDLE);
      assert.deepEqual(outcome, CREATED);
      assert.deepEqual(await listedIds(store, userId, NOW + IDLE), [later.id]);
    }
  });

  it('counts a session with many tokens once, and ends all of them with it', async ({ store }) => {
    const userId = newUser();
    const record = newRecord(userId);
    await store.create(record, NO_LIMIT, NOW);
    const { digest } = await handOut(store, await moveOn(store, record));
    assert.deepEqual(await store.create(newRecord(userId), { max: 2, onLimit: 'reject' }, NOW), CREATED);
    const later = newRecord(userId, { createdAt: NOW + HOUR });
    await store.create(later, { max: 1, onLimit: 'evict-oldest' }, NOW);
    for (const each of [record.digest, digest]) assert.ok(!(await isLive(store, each)));
    assert.deepEqual(await listedIds(store, userId), [later.id]);
  });

  it('admits any number with an infinite limit', async ({ store }) => {
    for (const onLimit of POLICIES) {
      const userId = newUser();
      for (let count = 0; count < 20; count++) {
        const outcome = await store.create(newRecord(userId), { max: Infinity, onLimit }, NOW);
        assert.deepEqual(outcome, CREATED);
      }
      assert.equal((await listedIds(store, userId)).length, 20);
    }
  });

  it('always admits anonymous sessions', async ({ store }) => {
    for (const onLimit of POLICIES) {
      const records = [newRecord(undefined), newRecord(undefined), newRecord(undefined)];
      for (const record of records) {
        const outcome = await store.create(record, { max: 1, onLimit }, NOW);
        assert.deepEqual(outcome, CREATED);
      }
      for (const record of records) assert.ok(await isLive(store, record.digest));
    }
  });
}

async function createAll(store: SessionStore, records: SessionRecord[]): Promise<SessionRecord[]> {
  for (const record of records) await store.create(record, NO_LIMIT, NOW);
  return records;
}
