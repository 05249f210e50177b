import assert from 'node:assert/strict';
import type { OnLimit } from '../../session/concurrency.options.js';
import type { Backend } from './backend.js';
import type { ContractTests } from './contract-tests.js';
import { GRACE, IDLE, newDigest, newRecord, newUser, NO_LIMIT, NO_MAXIMUM, NOW, untouched } from './sample-records.js';
import { assertSame, assertSameSet, isLive, listedIds, liveRecord } from './store-queries.js';

/** Many calls of one kind at once: none is lost, none counts twice. */
export function parallelRaces({ it }: ContractTests): void {
  for (const onLimit of ['evict-oldest', 'evict-least-recent'] as const) {
    it(`leaves exactly as many as the limit of 100 parallel logins, ${onLimit}`, async (backend) => {
      const { userId, records, outcomes } = await createAtOnce(backend, onLimit);
      const evicted = outcomes.flatMap((outcome) => (outcome.status === 'created' ? outcome.evicted : []));
      assert.ok(outcomes.every((outcome) => outcome.status === 'created'));
      assert.ok(evicted.every((ended) => ended.userId === userId));
      const live = await liveOf(backend, records);
      assert.equal(live.length, 3);
      assertSameSet(await listedIds(backend.store, userId), live);
      assertSameSet([...live, ...evicted.map((ended) => ended.id)], idsOf(records));
    });
  }

  it('creates exactly as many as the limit of 100 parallel logins, reject', async (backend) => {
    const { userId, records, outcomes } = await createAtOnce(backend, 'reject');
    const created = records.filter((_, i) => outcomes[i]!.status === 'created');
    assert.equal(created.length, 3);
    assert.equal(outcomes.filter((outcome) => outcome.status === 'limit_reached').length, 97);
    assertSameSet(await liveOf(backend, records), idsOf(created));
    assertSameSet(await listedIds(backend.store, userId), idsOf(created));
  });

  it('creates one session of 20 parallel logins by one digest, and ends no other for it', async ({ store, node }) => {
    const userId = newUser();
    const record = newRecord(userId);
    await store.create(newRecord(userId), NO_LIMIT, NOW);
    const outcomes = await Promise.all(
      Array.from({ length: 20 }, (_, i) => node(i).create(record, { max: 2, onLimit: 'evict-oldest' }, NOW)),
    );
    assert.equal(outcomes.filter(({ status }) => status === 'created').length, 1);
    assert.equal(outcomes.filter(({ status }) => status === 'exists').length, 19);
    assert.equal((await listedIds(store, userId)).length, 2);
  });

  it('creates one session of 20 parallel logins by one handle, with a limit and without', async ({ store, node }) => {
    for (const admission of [{ max: 2, onLimit: 'evict-oldest' }, NO_LIMIT] as const) {
      const userId = newUser();
      await store.create(newRecord(userId), NO_LIMIT, NOW);
      const records = Array.from({ length: 20 }, () => newRecord(userId));
      const { id } = records[0]!;
      const outcomes = await Promise.all(records.map((record, i) => node(i).create({ ...record, id }, admission, NOW)));
      const created = records.filter((_, i) => outcomes[i]!.status === 'created');
      assert.equal(created.length, 1);
      assert.equal(outcomes.filter(({ status }) => status === 'exists').length, 19);
      for (const { digest } of records) assert.equal(await isLive(store, digest), digest === created[0]!.digest);
      assert.equal((await listedIds(store, userId)).length, 2);
    }
  });

  it('loses none of 100 parallel updates of different keys', async ({ store, node }) => {
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

  it('lets one of 20 parallel rotations succeed', async ({ store, node }) => {
    for (const grace of [0, GRACE]) {
      const record = newRecord(newUser(), { data: { kept: true } });
      await store.create(record, NO_LIMIT, NOW);
      const digests = Array.from({ length: 20 }, () => newDigest(record.userId));
      const outcomes = await Promise.all(
        digests.map((digest, i) => node(i).rotate(record.digest, { digest, now: NOW, grace, changes: {} })),
      );
      const winners = digests.filter((_, i) => outcomes[i]!.status === 'rotated');
      assert.equal(winners.length, 1);
      const loss = grace === 0 ? 'absent' : 'superseded';
      assert.equal(outcomes.filter((outcome) => outcome.status === loss).length, 19);
      for (const digest of digests) assert.equal(await isLive(store, digest), digest === winners[0]);
      assert.equal(await isLive(store, record.digest), grace > 0);
      assertSame(await liveRecord(store, winners[0]!), { ...record, digest: winners[0], rotatedAt: NOW });
      assert.deepEqual(await listedIds(store, record.userId!), [record.id]);
    }
  });

  it('reports an end once, of 20 parallel deletes', async ({ store, node }) => {
    const record = newRecord(newUser());
    await store.create(record, NO_LIMIT, NOW);
    const { digest, id } = record;
    const userId = record.userId!;
    const ended = await Promise.all(
      Array.from({ length: 20 }, (_, i) =>
        i % 2 === 0 ? node(i / 2).delete(digest, NOW) : node((i - 1) / 2).deleteByHandle(userId, id, NOW),
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

async function createAtOnce({ node }: Backend, onLimit: OnLimit) {
  const userId = newUser();
  const records = Array.from({ length: 100 }, (_, i) => newRecord(userId, { createdAt: NOW + (i % 10) }));
  const outcomes = await Promise.all(
    records.map((record, i) => node(i).create(record, { max: 3, onLimit }, record.createdAt)),
  );
  return { userId, records, outcomes };
}

async function liveOf({ store }: Backend, records: readonly { id: string; digest: string }[]): Promise<string[]> {
  const live = await Promise.all(records.map((record) => isLive(store, record.digest)));
  return idsOf(records.filter((_, i) => live[i]));
}

function idsOf(records: readonly { readonly id: string }[]): string[] {
  return records.map((record) => record.id);
}
