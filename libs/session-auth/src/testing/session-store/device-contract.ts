import assert from 'node:assert/strict';
import type { Admission } from '../../session/concurrency-limit.js';
import type { SessionRecord } from '../../session/session-record.js';
import type { SessionStore } from '../../session/session-store.js';
import { MINUTE, SECOND } from '../../time/units.js';
import type { ContractTests } from './contract-tests.js';
import { IDLE, newDevice, newRecord, newUser, nextDigest, NO_LIMIT, NOW } from './sample-records.js';
import { assertSame, assertSameSet, CREATED, isLive, listedIds, liveRecord } from './store-queries.js';
import { rotate } from './token-steps.js';

const SHARED_FOR = 10 * SECOND;

/** Ways to admit in which only the device decides. */
const ADMISSIONS: readonly Admission[] = [
  NO_LIMIT,
  { max: 3, onLimit: 'evict-oldest' },
  { max: 3, onLimit: 'evict-least-recent' },
  { max: 3, onLimit: 'reject' },
];

/** `create` with a device, or as a replacement of a session, one call at a time. */
export function deviceContract({ it }: ContractTests): void {
  it('shares a session that the device began a moment ago, and changes nothing', async ({ store }) => {
    for (const admission of ADMISSIONS) {
      const { record, other, again } = await createOfDevice(store);
      const now = NOW + SHARED_FOR - 1;
      for (const max of [1, admission.max]) {
        const outcome = await store.create(again, { ...admission, max, sharedFor: SHARED_FOR }, now);
        assert.deepEqual(outcome, { status: 'exists', id: record.id });
      }
      const replaces = { ...admission, sharedFor: SHARED_FOR, replaces: { id: other.id } };
      assert.deepEqual(await store.create(again, replaces, now), { status: 'exists', id: record.id });
      for (const each of [record, other]) assertSame(await liveRecord(store, each.digest, now), each);
      assert.ok(!(await isLive(store, again.digest, now)));
    }
  });

  it('replaces a session that the device has had for longer, and reports it', async ({ store }) => {
    for (const admission of ADMISSIONS) {
      for (const [sharedFor, age] of [
        [SHARED_FOR, SHARED_FOR],
        [0, 0],
        [undefined, 0],
      ] as const) {
        const { userId, record, other, again } = await createOfDevice(store);
        const outcome = await store.create(again, { ...admission, sharedFor }, NOW + age);
        assert.deepEqual(outcome, { ...CREATED, replaced: [{ id: record.id, userId }] });
        assert.ok(!(await isLive(store, record.digest)));
        assertSameSet(await listedIds(store, userId), [other.id, again.id]);
      }
    }
  });

  it('shares with a login of another node, whose clock is behind, only where sessions are shared', async ({
    store,
  }) => {
    const { userId, record, again } = await createOfDevice(store);
    const behind = NOW - MINUTE;
    const shared = await store.create(again, { ...NO_LIMIT, sharedFor: SHARED_FOR }, behind);
    assert.deepEqual(shared, { status: 'exists', id: record.id });
    const replaced = [{ id: record.id, userId }];
    assert.deepEqual(await store.create(again, { ...NO_LIMIT, sharedFor: 0 }, behind), { ...CREATED, replaced });
  });

  it('compares the present device of a session', async ({ store }) => {
    const { userId, record, again } = await createOfDevice(store);
    const device = newDevice();
    await rotate(store, record, { device });
    const admission = { ...NO_LIMIT, sharedFor: SHARED_FOR };
    assert.deepEqual(await store.create(again, admission, NOW), CREATED);
    const exists = { status: 'exists', id: record.id };
    assert.deepEqual(await store.create(newRecord(userId, { device }), admission, NOW), exists);
  });

  it('compares the last login of a session', async ({ store }) => {
    const { record, again } = await createOfDevice(store);
    const now = NOW + SHARED_FOR;
    await rotate(store, record, { createdAt: now }, now);
    const outcome = await store.create(again, { ...NO_LIMIT, sharedFor: SHARED_FOR }, now + 1);
    assert.deepEqual(outcome, { status: 'exists', id: record.id });
  });

  it('ignores sessions of other devices, without a device, and ended ones', async ({ store }) => {
    for (const sharedFor of [0, SHARED_FOR]) {
      const { userId, record } = await createOfDevice(store);
      for (const device of [newDevice(), undefined, undefined]) {
        assert.deepEqual(await store.create(newRecord(userId, { device }), { ...NO_LIMIT, sharedFor }, NOW), CREATED);
      }
      const { device } = record;
      await store.delete(record.digest, NOW);
      const again = newRecord(userId, { device });
      assert.deepEqual(await store.create(again, { ...NO_LIMIT, sharedFor }, NOW), CREATED);
      const now = again.expiresAt;
      const later = newRecord(userId, { device, createdAt: now });
      assert.deepEqual(await store.create(later, { ...NO_LIMIT, sharedFor: IDLE + 1 }, now), CREATED);
    }
  });

  it('always admits anonymous sessions of a device', async ({ store }) => {
    const device = newDevice();
    for (const sharedFor of [0, SHARED_FOR]) {
      const records = [newRecord(undefined, { device }), newRecord(undefined, { device })];
      for (const record of records)
        assert.deepEqual(await store.create(record, { ...NO_LIMIT, sharedFor }, NOW), CREATED);
      for (const record of records) assertSame(await liveRecord(store, record.digest), record);
    }
  });

  it('replaces the named session, with any device and time of use', async ({ store }) => {
    for (const admission of ADMISSIONS) {
      for (const device of [newDevice(), undefined]) {
        const { userId, record, other } = await createOfDevice(store);
        await store.find(record.digest, { now: NOW + MINUTE, idle: IDLE, interval: SECOND });
        const again = newRecord(userId, { device });
        const outcome = await store.create(again, { ...admission, replaces: { id: record.id } }, NOW + MINUTE);
        assert.deepEqual(outcome, { ...CREATED, replaced: [{ id: record.id, userId }] });
        assertSameSet(await listedIds(store, userId), [other.id, again.id]);
      }
    }
  });

  it('replaces no session that was used for longer than allowed, and changes nothing', async ({ store }) => {
    for (const admission of ADMISSIONS) {
      const { userId, record, other, again } = await createOfDevice(store);
      const now = NOW + MINUTE;
      await store.find(record.digest, { now, idle: IDLE, interval: SECOND });
      const touched = { ...record, lastActivityAt: now, expiresAt: now + IDLE };
      for (const device of [newDevice(), record.device]) {
        for (const max of [1, admission.max]) {
          const replaces = { id: record.id, unlessUsedFor: MINUTE - 1 };
          const outcome = await store.create({ ...again, device }, { ...admission, max, replaces }, now);
          assert.deepEqual(outcome, { status: 'in_use' });
        }
      }
      assertSame(await liveRecord(store, record.digest, now), touched);
      assertSame(await liveRecord(store, other.digest, now), other);
      assert.ok(!(await isLive(store, again.digest, now)));
      // its last use counts, not its age
      const replaces = { id: record.id, unlessUsedFor: MINUTE };
      const outcome = await store.create(again, { ...admission, replaces }, now + MINUTE);
      assert.deepEqual(outcome, { ...CREATED, replaced: [{ id: record.id, userId }] });
    }
  });

  it('does not replace another user’s session, or an ended one', async ({ store }) => {
    const { userId, record, other } = await createOfDevice(store);
    const foreign = newRecord(newUser());
    await store.create(foreign, NO_LIMIT, NOW);
    await store.find(foreign.digest, { now: NOW + MINUTE, idle: IDLE, interval: 0 });
    await store.delete(other.digest, NOW);
    const now = record.expiresAt;
    for (const { id } of [record, other, foreign]) {
      for (const owner of [userId, undefined]) {
        const admission = { ...NO_LIMIT, replaces: { id, unlessUsedFor: 0 } };
        assert.deepEqual(await store.create(newRecord(owner, { createdAt: now }), admission, now), CREATED);
      }
    }
    assert.ok(await isLive(store, foreign.digest, now));
  });

  it('ends the device’s session and the named one, each once', async ({ store }) => {
    for (const admission of ADMISSIONS) {
      const { userId, record, other, again } = await createOfDevice(store);
      const third = newRecord(userId);
      await store.create(third, NO_LIMIT, NOW);
      const named = await store.create(again, { ...admission, replaces: { id: record.id } }, NOW);
      assert.deepEqual(named, { ...CREATED, replaced: [{ id: record.id, userId }] });
      const next = newRecord(userId, { device: record.device });
      const outcome = await store.create(next, { ...admission, replaces: { id: other.id } }, NOW);
      assert.equal(outcome.status, 'created');
      assert.deepEqual(outcome.evicted, []);
      assertSameSet(
        outcome.replaced.map(({ id }) => id),
        [again.id, other.id],
      );
      assertSameSet(await listedIds(store, userId), [third.id, next.id]);
    }
  });

  it('does not count replaced sessions against the limit', async ({ store }) => {
    for (const onLimit of ['evict-oldest', 'evict-least-recent', 'reject'] as const) {
      for (const by of ['device', 'name']) {
        const { userId, record, other, again } = await createOfDevice(store);
        const admission = { max: 2, onLimit, replaces: by === 'name' ? { id: record.id } : undefined };
        const device = by === 'name' ? undefined : record.device;
        const outcome = await store.create({ ...again, device }, admission, NOW);
        assert.deepEqual(outcome, { ...CREATED, replaced: [{ id: record.id, userId }] });
        assertSameSet(await listedIds(store, userId), [other.id, again.id]);
      }
    }
  });

  it('evicts others besides the replaced one, when there are too many', async ({ store }) => {
    for (const onLimit of ['evict-oldest', 'evict-least-recent'] as const) {
      const { userId, record, other, again } = await createOfDevice(store);
      const newest = newRecord(userId, { createdAt: NOW + 1 });
      await store.create(newest, NO_LIMIT, NOW + 1);
      const outcome = await store.create(again, { max: 2, onLimit }, NOW + 1);
      const [evicted, replaced] = [[{ id: other.id, userId }], [{ id: record.id, userId }]];
      assert.deepEqual(outcome, { status: 'created', evicted, replaced });
      assertSameSet(await listedIds(store, userId), [newest.id, again.id]);
    }
  });

  it('keeps the device’s session too, when other sessions reach the limit', async ({ store }) => {
    const { userId, record, other, again } = await createOfDevice(store);
    const admission = { max: 1, onLimit: 'reject', replaces: { id: record.id } } as const;
    assert.deepEqual(await store.create(again, admission, NOW), { status: 'limit_reached' });
    assertSameSet(await listedIds(store, userId), [record.id, other.id]);
  });

  it('recognises the session of its handle, with any device', async ({ store }) => {
    const { userId, record, other } = await createOfDevice(store);
    const device = newDevice();
    await rotate(store, other, { device });
    const again = newRecord(userId, { digest: nextDigest(record.digest), device });
    const admission = { ...NO_LIMIT, sharedFor: SHARED_FOR, replaces: { id: record.id, unlessUsedFor: 0 } };
    assert.deepEqual(await store.create(again, admission, NOW), { status: 'exists', id: record.id });
    assertSameSet(await listedIds(store, userId), [record.id, other.id]);
  });

  it('finds the session of a device, or the named one, among hundreds', async ({ store }) => {
    const userId = newUser();
    const records = Array.from({ length: 600 }, (_, i) =>
      newRecord(userId, { createdAt: NOW - i, device: newDevice() }),
    );
    await Promise.all(records.map((record) => store.create(record, NO_LIMIT, NOW)));
    for (const [i, max] of [[0], [150], [299], [597, 1000]] as const) {
      const admission = { max: max ?? Infinity, onLimit: 'reject', sharedFor: SHARED_FOR } as const;
      const shared = newRecord(userId, { device: records[i]!.device });
      const { id } = records[i]!;
      const exists = { status: 'exists', id };
      assert.deepEqual(await store.create(shared, { ...admission, sharedFor: SHARED_FOR }, NOW - i), exists);
      const outcome = await store.create(newRecord(userId), { ...admission, replaces: { id } }, NOW);
      assert.deepEqual(outcome, { ...CREATED, replaced: [{ id, userId }] });
    }
  });
}

/** A user's session of a device, another session of the user, and a record of the device that is not created yet. */
async function createOfDevice(store: SessionStore): Promise<{
  readonly userId: string;
  readonly record: SessionRecord;
  readonly other: SessionRecord;
  readonly again: SessionRecord;
}> {
  const userId = newUser();
  const device = newDevice();
  const [record, other, again] = [newRecord(userId, { device }), newRecord(userId), newRecord(userId, { device })];
  for (const each of [record, other]) assert.deepEqual(await store.create(each, NO_LIMIT, NOW), CREATED);
  return { userId, record, other, again };
}
