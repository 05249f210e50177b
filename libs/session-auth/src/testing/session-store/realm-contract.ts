import assert from 'node:assert/strict';
import type { SessionRecord } from '../../session/session-record.js';
import type { SessionStore } from '../../session/session-store.js';
import { MINUTE } from '../../time/units.js';
import type { ContractTests } from './contract-tests.js';
import { ABSOLUTE, newDevice, newRecord, newUser, NO_LIMIT, NO_MAXIMUM, NOW, untouched } from './sample-records.js';
import { assertSame, assertSameSet, CREATED, endAll, isLive, listAll, listedIds, liveRecord } from './store-queries.js';

/** The stores of the default realm and of two others on one backend; undefined for a store that serves one realm. */
function realmsOf(store: SessionStore): readonly SessionStore[] | undefined {
  if (store.ofRealm === undefined) return undefined;
  return [store, store.ofRealm('staff'), store.ofRealm('sta')];
}

/** User ids that are equal in all realms; one of them looks like the stored form of another realm's user. */
const usersOf = (userId: string): string[] => [userId, `@staff:${userId}`, `staff:${userId}`];

/** Equal user ids, and even equal handles, in different realms are independent. */
export function realmContract({ it }: ContractTests): void {
  it('separates the sessions of equal users in different realms, in all operations', async ({ store }) => {
    const stores = realmsOf(store) ?? [];
    for (const userId of usersOf(newUser())) {
      const device = newDevice();
      const records: SessionRecord[] = [];
      for (const each of stores) {
        const record = newRecord(userId, { device, data: { at: records.length } });
        const admission = { max: 1, onLimit: 'reject' as const, sharedFor: 1000 };
        assert.deepEqual(await each.create(record, admission, NOW), CREATED);
        records.push(record);
      }
      for (const [i, each] of stores.entries()) {
        assertSame(await liveRecord(each, records[i]!.digest), records[i]!);
        assert.deepEqual(await listedIds(each, userId), [records[i]!.id]);
        for (const foreign of records.filter((record) => record !== records[i])) await ignores(each, foreign);
      }
      for (const [i, each] of stores.entries()) {
        assert.equal(await each.updateByUser(userId, { roles: [`role${i}`] }, NOW), 1);
      }
      for (const [i, each] of stores.entries()) {
        assert.deepEqual((await liveRecord(each, records[i]!.digest)).roles, [`role${i}`]);
        assert.deepEqual(await endAll(each, userId), [records[i]!.id]);
        for (const [j, other] of stores.entries()) assert.equal(await isLive(other, records[j]!.digest), j > i);
      }
    }
  });

  it('separates sessions of one handle in different realms', async ({ store }) => {
    const stores = realmsOf(store) ?? [];
    const userId = newUser();
    const record = newRecord(userId);
    for (const each of stores) assert.deepEqual(await each.create(record, NO_LIMIT, NOW), CREATED);
    for (const [i, each] of stores.entries()) {
      const updated = await each.update(record.digest, { at: i }, NOW, NO_MAXIMUM);
      assertSame(updated, { status: 'updated', data: { at: i } });
    }
    for (const [i, each] of stores.entries()) {
      assertSame((await liveRecord(each, record.digest)).data, { at: i });
      assertSame((await each.deleteByHandle(userId, record.id, NOW)) ?? {}, { id: record.id, userId });
      assert.equal(await each.deleteByHandle(userId, record.id, NOW), undefined);
    }
  });

  it('touches and rotates sessions of one handle only in their realm', async ({ store }) => {
    const stores = realmsOf(store) ?? [];
    const userId = newUser();
    const record = newRecord(userId);
    for (const each of stores) await each.create(record, NO_LIMIT, NOW);
    for (const [i, each] of stores.entries()) {
      const now = NOW + MINUTE * (i + 1);
      const client = { ip: `192.0.2.${i + 1}` };
      const touched = await each.find(record.digest, { ...untouched(now), interval: 0, client });
      assert.equal(touched.status === 'live' && touched.record.lastActivityAt, now);
      const revision = (await liveRecord(each, record.digest, now)).revision ?? 0;
      const rotated = await each.rotate(record.digest, { revision, now, changes: { roles: [`role${i}`] } });
      assert.equal(rotated.status, 'rotated');
      for (const [j, other] of stores.entries()) {
        const { lastActivityAt, ip, roles } = await liveRecord(other, record.digest, now);
        const changed = [NOW + MINUTE * (j + 1), `192.0.2.${j + 1}`, [`role${j}`]];
        assert.deepEqual([lastActivityAt, ip, [...roles]], j > i ? [NOW, undefined, []] : changed);
      }
    }
  });

  it('lists, changes and ends only sessions of its realm, by parallel callers', async ({ store, node }) => {
    if (realmsOf(store) === undefined) return;
    const userId = newUser();
    const nodes = [0, 1].map((turn) => realmsOf(node(turn))!);
    const kept = [0, 1, 2].map((i) => newRecord(userId, { createdAt: NOW - 10 + i }));
    await nodes[0]![0]!.create(kept[0]!, NO_LIMIT, NOW);
    await nodes[0]![1]!.create(kept[1]!, NO_LIMIT, NOW);
    const ended = new Set<string>();
    const work = Array.from({ length: 24 }, async (_, i) => {
      const stores = nodes[i % 2]!;
      const record = newRecord(userId, { createdAt: NOW + i });
      await stores[2]!.create(record, NO_LIMIT, NOW);
      await stores[1]!.updateByUser(userId, { roles: ['staff'] }, NOW);
      await stores[0]!.update(kept[0]!.digest, { [`key${i}`]: i }, NOW, NO_MAXIMUM);
      if (i % 2 === 0) for (const id of await endAll(stores[2]!, userId)) ended.add(id);
      else if ((await stores[2]!.deleteByHandle(userId, record.id, NOW)) !== undefined) ended.add(record.id);
    });
    await Promise.all(work);
    for (const id of await endAll(nodes[1]![2]!, userId)) ended.add(id);
    assert.equal(ended.size, 24);
    for (const [i, roles] of [[], ['staff']].entries()) {
      const each = nodes[i]![i]!;
      assert.deepEqual(await listedIds(each, userId), [kept[i]!.id]);
      const { roles: own, data } = await liveRecord(each, kept[i]!.digest);
      assert.deepEqual([[...own], Object.keys(data).length], [roles, i === 0 ? 24 : 0]);
    }
  });

  it('pages only through the sessions of its realm', async ({ store }) => {
    const stores = realmsOf(store) ?? [];
    const userId = newUser();
    const ids: string[][] = stores.map(() => []);
    for (let turn = 0; turn < 5; turn += 1) {
      for (const [i, each] of stores.entries()) {
        // equal times: the handle decides, which is stored differently in each realm
        const record = newRecord(userId);
        await each.create(record, NO_LIMIT, NOW);
        ids[i]!.push(record.id);
      }
    }
    for (const [i, each] of stores.entries()) {
      const pages = await listAll(each, userId, { limit: 2 });
      assertSameSet(
        pages.map(({ id }) => id),
        ids[i]!,
      );
      const [one, ...others] = ids[i]!;
      const { ended } = await each.deleteByUser(userId, { except: one!, limit: 100 }, NOW);
      assertSameSet(
        ended.map(({ id }) => id),
        others,
      );
      assert.deepEqual(await listedIds(each, userId), [one]);
    }
  });

  it('sweeps only the sessions of its realm, including anonymous ones', async ({ store }) => {
    const stores = realmsOf(store) ?? [];
    const userId = newUser();
    const over = NOW + 2 * ABSOLUTE;
    for (const each of stores) await sweptIds(each, over);
    const records: SessionRecord[][] = [];
    for (const each of stores) {
      const own = [newRecord(userId), newRecord(undefined)];
      for (const record of own) await each.create(record, NO_LIMIT, NOW);
      records.push(own);
    }
    for (const [i, each] of stores.entries()) {
      const ids = await sweptIds(each, over);
      // a backend that removes expired records by itself returns nothing
      if (ids.length > 0)
        assertSameSet(
          ids,
          records[i]!.map(({ id }) => id),
        );
      for (const { digest } of records.slice(i + 1).flat()) {
        const found = await Promise.all(stores.slice(i + 1).map((other) => isLive(other, digest)));
        assert.equal(found.filter(Boolean).length, 1);
      }
    }
  });

  it('counts no session of another realm against a limit, also in parallel logins', async ({ store, node }) => {
    if (realmsOf(store) === undefined) return;
    const userId = newUser();
    const nodes = [0, 1].map((turn) => realmsOf(node(turn))!);
    const made: string[][] = [[], [], []];
    const logins = Array.from({ length: 30 }, async (_, i) => {
      const realm = i % 3;
      const record = newRecord(userId, { createdAt: NOW + i });
      made[realm]!.push(record.id);
      return nodes[i % 2]![realm]!.create(record, { max: realm + 1, onLimit: 'evict-oldest' }, NOW + i);
    });
    const outcomes = await Promise.all(logins);
    for (const [i, outcome] of outcomes.entries()) {
      assert.ok(outcome.status === 'created');
      assert.ok(outcome.evicted.every(({ id }) => made[i % 3]!.includes(id)));
    }
    for (const [realm, each] of nodes[0]!.entries()) {
      const listed = await listedIds(each, userId, NOW + 30);
      assert.equal(listed.length, realm + 1);
      assert.ok(listed.every((id) => made[realm]!.includes(id)));
    }
  });
}

/** Asserts that a store ignores the digest, the handle and the user of another realm's session. */
async function ignores(store: SessionStore, { digest, id, userId }: SessionRecord): Promise<void> {
  assert.deepEqual(await store.find(digest, { ...untouched(NOW), interval: 0 }), { status: 'absent' });
  assert.deepEqual(await store.update(digest, { stolen: true }, NOW, NO_MAXIMUM), { status: 'absent' });
  const rotation = { revision: 0, now: NOW, changes: { roles: ['admin'] } };
  assert.deepEqual(await store.rotate(digest, rotation), { status: 'absent' });
  assert.equal(await store.delete(digest, NOW), undefined);
  assert.equal(await store.deleteByHandle(userId!, id, NOW), undefined);
}

async function sweptIds(store: SessionStore, now: number): Promise<string[]> {
  return (await store.deleteExpired(now, 10_000)).map(({ id }) => id);
}
