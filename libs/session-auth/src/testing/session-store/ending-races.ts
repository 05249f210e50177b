import assert from 'node:assert/strict';
import type { SessionRecord } from '../../session/session-record.js';
import type { SessionStore } from '../../session/session-store.js';
import { withPromoted, withReplaced, withSuccessor } from '../../session/session-tokens.js';
import { MINUTE, SECOND } from '../../time/units.js';
import type { Backend } from './backend.js';
import type { ContractTests } from './contract-tests.js';
import { forEachRound, inEitherOrder } from './rounds.js';
import { GRACE, IDLE, newRecord, newUser, nextDigest, NO_LIMIT, NO_MAXIMUM, NOW, untouched } from './sample-records.js';
import { assertSame, assertSameSet, isLive, listedIds } from './store-queries.js';
import { handOut, rotationOf } from './token-steps.js';

/** Calls of different kinds at once, above all an end against a change: in either order, the session stays ended. */
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

  it('does not let a rotation revive a session that ends at the same time', async (backend) => {
    await raceWithEnd(backend, async (store, record) => {
      const rotation = rotationOf(record, { roles: ['admin'], createdAt: NOW + 1, expiresAt: NOW + 2 * IDLE });
      await store.rotate(record.digest, rotation);
    });
  });

  it('leaves no survivor when tokens are issued and used during an end', async (backend) => {
    await forEachRound(backend, async ({ store, node }, round) => {
      const first = await create(store);
      const { record, digest } = await handOut(store, first);
      const next = nextDigest(digest);
      const rotations = [
        withSuccessor(record, next, NOW),
        withPromoted(record, record.tokens![0]!, NOW, GRACE),
        withReplaced(record, next, { now: NOW, grace: GRACE, kind: 'renewable' }),
      ];
      const by = [first.digest, digest, next, nextDigest(digest)][round % 4]!;
      const start = rotations.map((changes, i) => () => node(i).rotate(digest, rotationOf(record, changes)));
      const [before, ended, after] = await Promise.all([
        Promise.all(start.slice(0, round % 3).map((rotate) => rotate())),
        node(round).delete(by, NOW),
        Promise.all(start.slice(round % 3).map((rotate) => rotate())),
      ]);
      assertSame(ended!, { id: record.id, userId: record.userId });
      assert.ok([...before, ...after].filter(({ status }) => status === 'rotated').length <= 1);
      for (const each of [first.digest, digest, next]) {
        assert.deepEqual(await store.find(each, untouched(NOW)), { status: 'absent' });
      }
      assert.deepEqual(await listedIds(store, record.userId!), []);
    });
  });

  it('replaces no session that is used for the first time while a login would replace it', async (backend) => {
    await forEachRound(backend, async ({ store, node }, round) => {
      const named = await create(store);
      const record = newRecord(named.userId);
      const admission = { ...NO_LIMIT, replaces: { id: named.id, unlessUsedFor: SECOND } };
      const now = NOW + MINUTE;
      const [found, outcome] = await inEitherOrder(
        round,
        () => node(round).find(named.digest, { now, idle: IDLE, interval: SECOND }),
        () => node(round + 1).create(record, admission, now),
      );
      const wasUsed = found.status === 'live';
      assert.equal(outcome.status, wasUsed ? 'in_use' : 'created');
      assert.deepEqual(await listedIds(store, named.userId!, now), [wasUsed ? named.id : record.id]);
      assert.equal(await isLive(store, named.digest, now), wasUsed);
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

async function create(store: SessionStore): Promise<SessionRecord> {
  const record = newRecord(newUser(), { data: { kept: true } });
  await store.create(record, NO_LIMIT, NOW);
  return record;
}
