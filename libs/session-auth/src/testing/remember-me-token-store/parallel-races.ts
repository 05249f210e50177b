import assert from 'node:assert/strict';
import type { RememberMeTokenRecord, RememberMeTokenStore } from '../../remember-me/remember-me-token-store.js';
import { DAY } from '../../time/units.js';
import {
  defined,
  find,
  MAX,
  newRecord,
  newSecret,
  newSuccessor,
  newUser,
  NOW,
  replace,
  type DeclareTest,
} from './sample-tokens.js';

/** Calls of several nodes at the same time. */
export function parallelRaces(it: DeclareTest): void {
  it('lets one of twenty tabs replace a record, and shows the others the result', async (store, node) => {
    const record = newRecord(newUser());
    await store.create(record, MAX, NOW);
    const outcomes = await Promise.all(
      Array.from({ length: 20 }, (_, i) => replace(node(i), record, 0, { successor: newSuccessor() })),
    );
    const [winner, ...rest] = outcomes.filter(({ status }) => status === 'replaced');
    assert.deepEqual(rest, []);
    assert.equal(outcomes.filter(({ status }) => status === 'changed').length, 19);
    for (const outcome of outcomes) assert.deepEqual(defined(outcome.record), defined(winner!.record));
    assert.deepEqual(defined(await find(store, record)), defined(winner!.record));
  });

  it('loses no change when twenty are retried on top of each other', async (store, node) => {
    const record = newRecord(newUser());
    await store.create(record, MAX, NOW);
    const change = async (on: RememberMeTokenStore): Promise<void> => {
      let present: RememberMeTokenRecord = record;
      for (let tries = 0; tries < 100; tries += 1) {
        const { revision = 0, replaced = [] } = present;
        const changes = { replaced: [{ digest: newSecret(), until: NOW }, ...replaced] };
        const outcome = await replace(on, record, revision, changes);
        if (outcome.status === 'replaced') return;
        present = outcome.record;
      }
      throw new Error('tried too often');
    };
    await Promise.all(Array.from({ length: 20 }, (_, i) => change(node(i))));
    const { revision, replaced } = await find(store, record);
    assert.equal(revision, 20);
    assert.equal(new Set(replaced?.map(({ digest }) => digest)).size, 20);
  });

  it('returns the record to one of twenty callers with one revision', async (store, node) => {
    const record = newRecord(newUser());
    await store.create(record, MAX, NOW);
    const removed = await Promise.all(Array.from({ length: 20 }, (_, i) => node(i).delete(record.selector, NOW, 0)));
    assert.deepEqual(
      removed.filter((each) => each !== undefined).map(({ id }) => id),
      [record.id],
    );
  });

  it('lets either a replacement or a removal with the same revision succeed', async (store, node) => {
    for (let round = 0; round < 20; round += 1) {
      const record = newRecord(newUser());
      await store.create(record, MAX, NOW);
      const [outcome, removed] = await Promise.all([
        store.replace(record.selector, { revision: 0, now: NOW, changes: { successor: newSuccessor() } }),
        node(1).delete(record.selector, NOW, 0),
      ]);
      const isThere = (await store.find(record.selector, NOW)) !== undefined;
      assert.deepEqual([outcome.status, removed === undefined], isThere ? ['replaced', true] : ['absent', false]);
    }
  });

  it('never revives a record that was revoked while it was used', async (store, node) => {
    for (let round = 0; round < 20; round += 1) {
      const record = newRecord(newUser());
      await store.create(record, MAX, NOW);
      const changes = { successor: newSuccessor(), expiresAt: NOW + 40 * DAY };
      await Promise.all([
        node(round).replace(record.selector, { revision: 0, now: NOW, changes }),
        round % 2 === 0
          ? node(round + 1).delete(record.selector, NOW)
          : node(round + 1).deleteByUser(record.userId, undefined, NOW),
      ]);
      assert.deepEqual(await store.list(record.userId, NOW), []);
      assert.equal(await store.find(record.selector, NOW), undefined);
    }
  });

  it('forgets a device whose session ends while it gets another one', async (store, node) => {
    for (let round = 0; round < 20; round += 1) {
      const record = newRecord(newUser());
      await store.create(record, MAX, NOW);
      const changes = { successor: newSuccessor() };
      const [, forgotten] = await Promise.all([
        node(round).replace(record.selector, { revision: 0, now: NOW, changes }),
        node(round + 1).deleteBySession(record.userId, record.sessionId, NOW),
      ]);
      assert.equal(forgotten, 1);
      assert.equal(await store.find(record.selector, NOW), undefined);
    }
  });

  it('keeps at most the maximum of a user during parallel logins', async (store, node) => {
    const alice = newUser();
    const records = Array.from({ length: 30 }, (_, i) => newRecord(alice, { createdAt: NOW + i }));
    await Promise.all(records.map((record, i) => node(i).create(record, 5, NOW)));
    assert.equal((await store.list(alice, NOW)).length, 5);
  });

  it('reports each record of a user in one of parallel revocations', async (store, node) => {
    const alice = newUser();
    for (let i = 0; i < 10; i += 1) await store.create(newRecord(alice), MAX, NOW);
    const counts = await Promise.all(Array.from({ length: 5 }, (_, i) => node(i).deleteByUser(alice, undefined, NOW)));
    assert.equal(
      counts.reduce((sum, each) => sum + each, 0),
      10,
    );
  });
}
