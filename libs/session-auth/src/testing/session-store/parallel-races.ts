import assert from 'node:assert/strict';
import type { ContractTests } from './contract-tests.js';
import { IDLE, newRecord, newUser, nextDigest, NO_LIMIT, NO_MAXIMUM, NOW, untouched } from './sample-records.js';
import { assertSameSet, listedIds, liveRecord } from './store-queries.js';

/** Many updates, ends and expiries of one kind at once: none is lost, none counts twice. */
export function parallelRaces({ it }: ContractTests): void {
  it('loses no update of 100 parallel ones of different keys', async ({ store, node }) => {
    const record = newRecord(newUser(), { data: { kept: true } });
    await store.create(record, NO_LIMIT, NOW);
    const keys = Array.from({ length: 100 }, (_, i) => `key${i}`);
    const outcomes = await Promise.all(
      keys.map((key, i) => node(i).update(record.digest, { [key]: i }, NOW, NO_MAXIMUM)),
    );
    assert.ok(outcomes.every((outcome) => outcome.status === 'updated'));
    const data = { kept: true, ...Object.fromEntries(keys.map((key, i) => [key, i])) };
    assert.deepEqual((await liveRecord(store, record.digest)).data, data);
  });

  it('loses no update to touches at the same time', async ({ store, node }) => {
    const record = newRecord(newUser());
    await store.create(record, NO_LIMIT, NOW);
    const turns = Array.from({ length: 50 }, (_, i) => i);
    await Promise.all(
      turns.flatMap((i) => {
        const update = () => node(i).update(record.digest, { [`key${i}`]: i }, NOW, NO_MAXIMUM);
        const touch = () => node(i + 1).find(record.digest, { now: NOW + i, idle: IDLE, interval: 0 });
        return i % 2 === 0 ? [update(), touch()] : [touch(), update()];
      }),
    );
    const found = await liveRecord(store, record.digest);
    assert.equal(Object.keys(found.data).length, 50);
    assert.deepEqual([found.lastActivityAt, found.expiresAt], [NOW + 49, NOW + 49 + IDLE]);
  });

  it('refuses the updates that would be too large together', async ({ store, node }) => {
    const record = newRecord(newUser());
    await store.create(record, NO_LIMIT, NOW);
    const turns = Array.from({ length: 20 }, (_, i) => i);
    const value = 'x'.repeat(300);
    const outcomes = await Promise.all(
      turns.map((i) => node(i).update(record.digest, { [`key${i}`]: value }, NOW, 1000)),
    );
    const updated = turns.filter((i) => outcomes[i]!.status === 'updated').map((i) => `key${i}`);
    assert.equal(updated.length, 3);
    assertSameSet(Object.keys((await liveRecord(store, record.digest)).data), updated);
  });

  it('reports an end once, of 20 parallel deletes', async ({ store, node }) => {
    const record = newRecord(newUser());
    await store.create(record, NO_LIMIT, NOW);
    const { digest, id } = record;
    const userId = record.userId!;
    const ended = await Promise.all(
      Array.from({ length: 20 }, (_, i) =>
        i % 2 === 0
          ? node(i / 2).delete(i % 4 === 0 ? digest : nextDigest(digest), NOW)
          : node((i - 1) / 2).deleteByHandle(userId, id, NOW),
      ),
    );
    assert.deepEqual(
      ended.filter((session) => session !== undefined),
      [{ id, userId }],
    );
  });

  it('reports an expiry once, of 20 parallel reads', async ({ store, node }) => {
    const record = newRecord(newUser());
    await store.create(record, NO_LIMIT, NOW);
    const outcomes = await Promise.all(
      Array.from({ length: 20 }, (_, i) => node(i).find(record.digest, untouched(NOW + IDLE))),
    );
    assert.equal(outcomes.filter((outcome) => outcome.status === 'expired').length, 1);
    assert.equal(outcomes.filter((outcome) => outcome.status === 'absent').length, 19);
  });

  it('reports an expiry at most once, of parallel cleanups', async ({ store, node }) => {
    const records = Array.from({ length: 40 }, () => newRecord(newUser()));
    await Promise.all(records.map((record) => store.create(record, NO_LIMIT, NOW)));
    const steps = await Promise.all(Array.from({ length: 8 }, (_, i) => node(i).deleteExpired(NOW + IDLE, 20)));
    const reported = steps.flat().map((ended) => ended.id);
    assert.equal(new Set(reported).size, reported.length);
  });

  it('reports each session once, of parallel calls that end a user', async ({ store, node }) => {
    for (const limit of [10, 100]) {
      const userId = newUser();
      const records = Array.from({ length: 40 }, () => newRecord(userId));
      await Promise.all(records.map((record) => store.create(record, NO_LIMIT, NOW)));
      const steps = await Promise.all(
        Array.from({ length: 8 }, (_, i) => node(i).deleteByUser(userId, { limit }, NOW)),
      );
      const reported = steps.flatMap((step) => step.ended.map((ended) => ended.id));
      assertSameSet(reported, idsOf(records));
      assert.deepEqual(await listedIds(store, userId), []);
    }
  });
}

function idsOf(records: readonly { readonly id: string }[]): string[] {
  return records.map((record) => record.id);
}
