import assert from 'node:assert/strict';
import { DAY } from '../../time/units.js';
import type { RememberMeTokenRecord } from '../../remember-me/remember-me-token-store.js';
import {
  defined,
  find,
  idsOf,
  MAX,
  newRecord,
  newSecret,
  newSuccessor,
  newUser,
  NOW,
  replace,
  type DeclareTest,
} from './sample-tokens.js';

/** Records come back unchanged, and are listed. */
export function recordTests(it: DeclareTest): void {
  for (const userId of ['alice', '0', '}{*', 'üñí\u2028\n"', '__proto__', 'x'.repeat(2000)]) {
    it(`and returns them unchanged for the user ${JSON.stringify(userId.slice(0, 20))}`, async (store) => {
      const record = newRecord(userId, { ip: '2001:db8::1', userAgent: 'agent "quoted"\u2028 ünïcode \\' });
      await store.create(record, MAX, NOW);
      assert.deepEqual(defined(await store.find(record.selector, NOW)), defined(record));
      assert.deepEqual(defined((await store.list(userId, NOW))[0]), defined(record));
      assert.deepEqual(defined(await store.delete(record.selector, NOW)), defined(record));
    });
  }

  it('with every field of a record', async (store) => {
    const record = newRecord(newUser(), {
      revision: 7,
      successor: newSuccessor({ isRepeated: true }),
      replaced: [1, 2, 3].map((age) => ({ digest: newSecret(), until: NOW - age })),
    });
    await store.create(record, MAX, NOW);
    assert.deepEqual(defined(await store.find(record.selector, NOW)), defined(record));
    assert.deepEqual(defined((await store.list(record.userId, NOW))[0]), defined(record));
  });

  it('and finds nothing with another selector', async (store) => {
    const record = newRecord(newUser());
    await store.create(record, MAX, NOW);
    assert.equal(await store.find(newRecord(record.userId).selector, NOW), undefined);
  });

  it('newest first, of one user only, without expired ones', async (store) => {
    const [alice, bob] = [newUser(), newUser()];
    const records = [
      newRecord(alice, { createdAt: NOW, expiresAt: NOW + 10 * DAY }),
      newRecord(alice, { createdAt: NOW + 2, expiresAt: NOW + DAY }),
      newRecord(alice, { createdAt: NOW + 1, expiresAt: NOW + 10 * DAY }),
    ];
    for (const record of [...records, newRecord(bob)]) await store.create(record, MAX, NOW);
    assert.deepEqual(idsOf(await store.list(alice, NOW)), [records[1]!.id, records[2]!.id, records[0]!.id]);
    assert.deepEqual(idsOf(await store.list(alice, NOW + DAY)), [records[2]!.id, records[0]!.id]);
    assert.deepEqual(await store.list(newUser(), NOW), []);
  });

  it('and removes the oldest beyond the maximum of a user', async (store) => {
    const alice = newUser();
    const records = [1, 2, 3, 4, 5].map((age) => newRecord(alice, { createdAt: NOW + age }));
    for (const record of records) await store.create(record, 3, NOW);
    assert.deepEqual(idsOf(await store.list(alice, NOW)), idsOf(records.slice(2).reverse()));
    assert.equal(await store.find(records[0]!.selector, NOW), undefined);
    assert.equal((await store.find(records[4]!.selector, NOW))?.id, records[4]!.id);
  });

  it('copies in and copies out', async (store) => {
    const replaced = [{ digest: newSecret(), until: NOW }];
    const record = newRecord(newUser(), { ip: '192.0.2.1', replaced });
    await store.create(record, MAX, NOW);
    const change = (given: RememberMeTokenRecord): void => {
      (given as { ip?: string }).ip = 'changed';
      (given.replaced as object[]).push({ digest: newSecret(), until: NOW });
    };
    const before = { ...record, replaced: [...replaced] };
    change(record);
    for (const read of [find, async () => (await store.list(record.userId, NOW))[0]!]) {
      const found = await read(store, record);
      assert.deepEqual(defined(found), defined(before));
      change(found);
    }
    const changes = { replaced: [{ digest: newSecret(), until: NOW }] };
    const kept = [...changes.replaced];
    const outcome = await replace(store, record, 0, changes);
    changes.replaced.pop();
    change(outcome.record);
    assert.deepEqual((await find(store, record)).replaced, kept);
  });
}
