import assert from 'node:assert/strict';
import type { SessionRecord } from '../../session/session-record.js';
import type { SessionStore } from '../../session/session-store.js';
import type { Backend } from './backend.js';
import type { ContractTests } from './contract-tests.js';
import { SECOND } from '../../time/units.js';
import { GRACE, IDLE, newDigest, newRecord, newUser, NO_LIMIT, NO_MAXIMUM, NOW, untouched } from './sample-records.js';
import { assertSame, assertSameSet, isLive, listAll, listedIds, liveRecord } from './store-queries.js';

const ROUNDS = 40;

/** Calls of different kinds at once, above all an end against a change: whichever comes first, an end stays an end. */
export function endingRaces({ it }: ContractTests): void {
  it('does not let an update revive a session that ends at the same time', async (backend) => {
    await raceWithEnd(backend, async (store, { digest }) => {
      const outcome = await store.update(digest, { revived: true }, NOW, NO_MAXIMUM);
      assert.ok(outcome.status === 'updated' || outcome.status === 'absent');
    });
  });

  it('does not let a touch revive a session that ends at the same time', async (backend) => {
    await raceWithEnd(backend, async (store, { digest }) => {
      await store.find(digest, { now: NOW + SECOND, idle: IDLE, interval: 0 });
    });
  });

  it('does not let a change of the account revive a session that ends at the same time', async (backend) => {
    await raceWithEnd(backend, async (store, { userId }) => {
      await store.updateByUser(userId!, { roles: ['admin'] }, NOW);
    });
  });

  it('leaves either digest dead when a rotation without a grace meets an end', async (backend) => {
    await forEachRound(backend, async ({ store, node }, round) => {
      const record = await create(store);
      const digest = newDigest(record.userId);
      const [ended, outcome] = await inEitherOrder(
        round,
        () => node(round).delete(record.digest, NOW),
        () => node(round + 1).rotate(record.digest, { digest, now: NOW, grace: 0, changes: {} }),
      );
      assert.ok(!(await isLive(store, record.digest)));
      // Without a grace the old digest ends nothing any more once it is rotated: exactly one of the two takes place.
      assert.equal(ended === undefined, outcome.status === 'rotated');
      assert.equal(await isLive(store, digest), outcome.status === 'rotated');
      const left = outcome.status === 'rotated' ? [record.id] : [];
      assert.deepEqual(await listedIds(store, record.userId!), left);
    });
  });

  it('ends a session for good when a rotation with a grace meets an end', async (backend) => {
    const ends: readonly ((store: SessionStore, record: SessionRecord) => Promise<unknown>)[] = [
      (store, { digest }) => store.delete(digest, NOW),
      (store, { userId, id }) => store.deleteByHandle(userId!, id, NOW),
      (store, { userId }) => store.deleteByUser(userId!, { limit: 10 }, NOW),
    ];
    for (const end of ends) {
      await forEachRound(backend, async ({ store, node }, round) => {
        const record = await create(store);
        const digest = newDigest(record.userId);
        await inEitherOrder(
          round,
          () => end(node(round), record),
          () => node(round + 1).rotate(record.digest, { digest, now: NOW, grace: GRACE, changes: {} }),
        );
        for (const either of [record.digest, digest]) {
          assert.deepEqual(await store.find(either, untouched(NOW)), { status: 'absent' });
        }
        assert.deepEqual(await listedIds(store, record.userId!), []);
      });
    }
  });

  it('loses no update to a rotation at the same time', async (backend) => {
    await forEachRound(backend, async ({ store, node }, round) => {
      const record = await create(store);
      const digest = newDigest(record.userId);
      const turns = Array.from({ length: 5 }, (_, i) => i);
      await Promise.all([
        ...turns.slice(0, round % 6).map((i) => updated(node(i), record.digest, { [`key${i}`]: i })),
        node(round).rotate(record.digest, { digest, now: NOW, grace: GRACE, changes: { roles: ['admin'] } }),
        ...turns.slice(round % 6).map((i) => updated(node(i), record.digest, { [`key${i}`]: i })),
      ]);
      const data = { kept: true, key0: 0, key1: 1, key2: 2, key3: 3, key4: 4 };
      assertSame(await liveRecord(store, digest), { ...record, digest, rotatedAt: NOW, roles: ['admin'], data });
    });
  });

  it('loses no rotation to a touch at the same time', async (backend) => {
    await forEachRound(backend, async ({ store, node }, round) => {
      const record = await create(store);
      const digest = newDigest(record.userId);
      const now = NOW + SECOND;
      const [found, outcome] = await inEitherOrder(
        round,
        () => node(round).find(record.digest, { now, idle: IDLE, interval: SECOND }),
        () => node(round + 1).rotate(record.digest, { digest, now, grace: GRACE, changes: {} }),
      );
      assert.deepEqual([found.status, outcome.status], ['live', 'rotated']);
      const touched = { lastActivityAt: now, expiresAt: now + IDLE };
      assertSame(await liveRecord(store, digest, now), { ...record, ...touched, digest, rotatedAt: now });
    });
  });

  it('leaves no session with the old roles when the account changes during rotations', async (backend) => {
    await forEachRound(backend, async ({ store, node }, round) => {
      const userId = newUser();
      const records = Array.from({ length: 5 }, () => newRecord(userId, { roles: ['old'] }));
      await Promise.all(records.map((record) => store.create(record, NO_LIMIT, NOW)));
      const rotations = records.map(
        (record, i) => () =>
          node(i).rotate(record.digest, { digest: newDigest(userId), now: NOW, grace: GRACE, changes: {} }),
      );
      const [count] = await Promise.all([
        ...rotations.slice(0, round % 6).map((rotate) => rotate()),
        node(round).updateByUser(userId, { roles: ['new'] }, NOW),
        ...rotations.slice(round % 6).map((rotate) => rotate()),
      ]).then((outcomes) => outcomes.filter((outcome) => typeof outcome === 'number'));
      assert.equal(count, 5);
      for (const record of records) assert.deepEqual((await liveRecord(store, record.digest)).roles, ['new']);
      const listed = await listAll(store, userId);
      assert.equal(listed.length, 5);
      for (const record of listed) assert.deepEqual(record.roles, ['new']);
    });
  });

  it('lists exactly what can be found after logins meet the end of all', async (backend) => {
    await forEachRound(backend, async ({ store, node }, round) => {
      const userId = newUser();
      const records = Array.from({ length: 6 }, () => newRecord(userId));
      const creations = records.map(
        (record, i) => () => node(i).create(record, i % 2 === 0 ? NO_LIMIT : { max: 4, onLimit: 'evict-oldest' }, NOW),
      );
      await Promise.all([
        ...creations.slice(0, round % 7).map((create) => create()),
        node(round).deleteByUser(userId, { limit: 100 }, NOW),
        ...creations.slice(round % 7).map((create) => create()),
      ]);
      const live = await Promise.all(records.map((record) => isLive(store, record.digest)));
      const found = records.filter((_, i) => live[i]).map((record) => record.id);
      assertSameSet(await listedIds(store, userId), found);
      const { ended } = await store.deleteByUser(userId, { limit: 100 }, NOW);
      assertSameSet(
        ended.map((session) => session.id),
        found,
      );
    });
  });
}

/** Races a change with each way to end its session, and asserts that the session is gone afterwards. */
async function raceWithEnd(
  backend: Backend,
  change: (store: SessionStore, record: SessionRecord) => Promise<void>,
): Promise<void> {
  const ends: readonly ((store: SessionStore, record: SessionRecord) => Promise<unknown>)[] = [
    (store, { digest }) => store.delete(digest, NOW),
    (store, { userId, id }) => store.deleteByHandle(userId!, id, NOW),
    (store, { userId }) => store.deleteByUser(userId!, { limit: 10 }, NOW),
  ];
  for (const end of ends) {
    await forEachRound(backend, async ({ store, node }, round) => {
      const record = await create(store);
      await inEitherOrder(
        round,
        () => end(node(round), record),
        () => Promise.all([change(node(round), record), change(node(round + 1), record)]),
      );
      assert.deepEqual(await store.find(record.digest, untouched(NOW)), { status: 'absent' });
      assert.deepEqual(await listedIds(store, record.userId!), []);
    });
  }
}

async function forEachRound(backend: Backend, play: (backend: Backend, round: number) => Promise<void>): Promise<void> {
  for (let round = 0; round < ROUNDS; round++) await play(backend, round);
}

/** Starts two calls at once, each of them first in half of the rounds. */
async function inEitherOrder<A, B>(round: number, a: () => Promise<A>, b: () => Promise<B>): Promise<[A, B]> {
  // Four rounds to a cycle, as calls take nodes in turn by round: each order meets each node.
  if (round % 4 < 2) return Promise.all([a(), b()]);
  const [second, first] = await Promise.all([b(), a()]);
  return [first, second];
}

async function create(store: SessionStore): Promise<SessionRecord> {
  const record = newRecord(newUser(), { data: { kept: true } });
  await store.create(record, NO_LIMIT, NOW);
  return record;
}

async function updated(store: SessionStore, digest: string, patch: Record<string, unknown>): Promise<void> {
  assert.equal((await store.update(digest, patch, NOW, NO_MAXIMUM)).status, 'updated');
}
