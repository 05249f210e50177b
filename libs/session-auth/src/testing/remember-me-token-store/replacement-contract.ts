import assert from 'node:assert/strict';
import type { RememberMeChanges, RememberMeTokenRecord } from '../../remember-me/remember-me-token-store.js';
import { DAY } from '../../time/units.js';
import {
  defined,
  find,
  idsOf,
  MAX,
  newHandle,
  newRecord,
  newSecret,
  newSuccessor,
  newUser,
  NOW,
  replace,
  type DeclareTest,
} from './sample-tokens.js';

/** A record changes only if it is still the one that the changes are based on. */
export function replacementTests(it: DeclareTest): void {
  it('if the record has the revision, and increases it', async (store) => {
    const record = newRecord(newUser(), { replaced: [{ digest: newSecret(), until: NOW + 1 }] });
    await store.create(record, MAX, NOW);
    const changes: Required<RememberMeChanges> = {
      validatorDigest: newSecret(),
      successor: newSuccessor({ isRepeated: true }),
      replaced: [1, 2].map((age) => ({ digest: newSecret(), until: NOW + age })),
      lastUsedAt: NOW + DAY,
      expiresAt: NOW + 40 * DAY,
      sessionId: newHandle(),
    };
    const outcome = await replace(store, record, 0, changes);
    const expected = { ...record, ...changes, revision: 1 };
    assert.equal(outcome.status, 'replaced');
    assert.deepEqual(defined(outcome.record), defined(expected));
    assert.deepEqual(defined(await find(store, record)), defined(expected));
    assert.deepEqual(defined((await store.list(record.userId, NOW + 39 * DAY))[0]), defined(expected));
  });

  it('and leaves the other fields, from one revision to the next', async (store) => {
    const record = newRecord(newUser(), { ip: '192.0.2.1' });
    await store.create(record, MAX, NOW);
    const steps: RememberMeChanges[] = [
      { successor: newSuccessor({ isRepeated: true }) },
      { sessionId: newHandle(), validatorDigest: undefined, expiresAt: undefined },
      { successor: newSuccessor(), lastUsedAt: NOW + 1 },
      { validatorDigest: newSecret(), replaced: [{ digest: newSecret(), until: NOW + 1 }] },
      { expiresAt: NOW + 31 * DAY },
      {},
    ];
    let expected: RememberMeTokenRecord = record;
    for (const [revision, changes] of steps.entries()) {
      const outcome = await replace(store, record, revision, changes);
      assert.equal(outcome.status, 'replaced');
      expected = { ...expected, ...defined(changes), revision: revision + 1 };
      assert.deepEqual(defined(outcome.record), defined(expected));
      assert.deepEqual(defined(await find(store, record)), defined(expected));
    }
  });

  it('and changes nothing if the revision differs', async (store) => {
    const record = newRecord(newUser());
    await store.create(record, MAX, NOW);
    const { record: present } = await replace(store, record, 0, { successor: newSuccessor() });
    for (const revision of [0, 2]) {
      const outcome = await replace(store, record, revision, { validatorDigest: newSecret(), sessionId: newHandle() });
      assert.equal(outcome.status, 'changed');
      assert.deepEqual(defined(outcome.record), defined(present));
    }
    assert.deepEqual(defined(await find(store, record)), defined(present));
  });

  it('but not of a missing record', async (store) => {
    const { selector } = newRecord(newUser());
    const replacement = { revision: 0, now: NOW, changes: { lastUsedAt: NOW } };
    assert.deepEqual(await store.replace(selector, replacement), { status: 'absent' });
    assert.equal(await store.find(selector, NOW), undefined);
  });

  it('so that a record lives to its new expiry', async (store) => {
    const record = newRecord(newUser(), { expiresAt: NOW + DAY });
    await store.create(record, MAX, NOW);
    await replace(store, record, 0, { expiresAt: NOW + 10 * DAY });
    assert.equal((await store.find(record.selector, NOW + 9 * DAY))?.expiresAt, NOW + 10 * DAY);
    assert.deepEqual(idsOf(await store.list(record.userId, NOW + 9 * DAY)), [record.id]);
    assert.equal(await store.find(record.selector, NOW + 10 * DAY), undefined);
  });
}
