import assert from 'node:assert/strict';
import type { RememberMeTokenRecord } from '../../remember-me/remember-me-token-store.js';
import { DAY } from '../../time/units.js';
import { find, idsOf, MAX, newRecord, newSuccessor, newUser, NOW, replace, type DeclareTest } from './sample-tokens.js';

/** The right records are removed, and no others. */
export function deletionTests(it: DeclareTest): void {
  it('by their selector, once', async (store) => {
    const record = newRecord(newUser());
    await store.create(record, MAX, NOW);
    assert.equal((await store.delete(record.selector, NOW))?.id, record.id);
    assert.equal(await store.delete(record.selector, NOW), undefined);
    assert.equal(await store.find(record.selector, NOW), undefined);
    assert.deepEqual(await store.list(record.userId, NOW), []);
  });

  it('by their selector and a revision, if they still have it', async (store) => {
    const record = newRecord(newUser());
    await store.create(record, MAX, NOW);
    await replace(store, record, 0, { lastUsedAt: NOW + 1 });
    for (const revision of [0, 2]) assert.equal(await store.delete(record.selector, NOW, revision), undefined);
    assert.equal((await find(store, record)).revision, 1);
    assert.equal((await store.delete(record.selector, NOW, 1))?.id, record.id);
    assert.equal(await store.find(record.selector, NOW), undefined);

    const fresh = newRecord(newUser());
    await store.create(fresh, MAX, NOW);
    assert.equal((await store.delete(fresh.selector, NOW, 0))?.id, fresh.id);
  });

  it('by their handle, for their user only', async (store) => {
    const record = newRecord(newUser());
    await store.create(record, MAX, NOW);
    assert.equal(await store.deleteById(newUser(), record.id, NOW), false);
    assert.equal(await store.deleteById(record.userId, newRecord('x').id, NOW), false);
    assert.equal(await store.deleteById(record.userId, record.id, NOW), true);
    assert.equal(await store.deleteById(record.userId, record.id, NOW), false);
  });

  it('when their session ends, or all sessions except one end', async (store) => {
    const alice = newUser();
    const records = [newRecord(alice), newRecord(alice), newRecord(alice), newRecord(alice)];
    const stranger = newRecord(newUser());
    for (const record of [...records, stranger]) await store.create(record, MAX, NOW);
    assert.equal(await store.deleteBySession(newUser(), records[0]!.sessionId, NOW), 0);
    assert.equal(await store.deleteBySession(alice, records[0]!.sessionId, NOW), 1);
    assert.equal(await store.deleteBySession(alice, records[0]!.sessionId, NOW), 0);
    assert.equal(await store.deleteByUser(alice, records[1]!.sessionId, NOW), 2);
    assert.deepEqual(idsOf(await store.list(alice, NOW)), [records[1]!.id]);
    assert.equal(await store.deleteByUser(alice, undefined, NOW), 1);
    assert.deepEqual(await store.list(alice, NOW), []);
    assert.deepEqual(idsOf(await store.list(stranger.userId, NOW)), [stranger.id]);
  });

  it('when the session of their successor ends, and keeps those of one that continues', async (store) => {
    const alice = newUser();
    const records = Array.from({ length: 3 }, () => newRecord(alice, { successor: newSuccessor() }));
    for (const record of records) await store.create(record, MAX, NOW);
    const [ended, kept] = records as [RememberMeTokenRecord, RememberMeTokenRecord];
    assert.equal(await store.deleteBySession(alice, ended.successor!.sessionId, NOW), 1);
    assert.equal(await store.find(ended.selector, NOW), undefined);
    assert.equal(await store.deleteByUser(alice, kept.successor!.sessionId, NOW), 1);
    assert.deepEqual(idsOf(await store.list(alice, NOW)), [kept.id]);
    assert.equal(await store.deleteBySession(alice, kept.sessionId, NOW), 1);
  });

  it('when they expire, which counts for every operation', async (store) => {
    const alice = newUser();
    const later = NOW + DAY;
    const create = async (): Promise<RememberMeTokenRecord> => {
      const record = newRecord(alice, { expiresAt: later });
      await store.create(record, MAX, NOW);
      return record;
    };
    const record = await create();
    assert.equal(await store.find(record.selector, later), undefined);
    const replacement = { revision: 0, now: later, changes: { expiresAt: later + DAY } };
    assert.deepEqual(await store.replace(record.selector, replacement), { status: 'absent' });
    assert.deepEqual(await store.list(alice, later), []);
    assert.equal(await store.deleteById(alice, record.id, later), false);
    assert.equal(await store.deleteBySession(alice, (await create()).sessionId, later), 0);
    await create();
    assert.equal(await store.deleteByUser(alice, undefined, later), 0);
    assert.equal(await store.delete((await create()).selector, later), undefined);
    assert.equal(await store.delete((await create()).selector, later, 0), undefined);
  });

  it('with their user, including expired ones, and leaves nothing to the cleanup', async (store) => {
    const alice = newUser();
    for (const expiresAt of [NOW + DAY, NOW + 10 * DAY]) {
      await store.create(newRecord(alice, { expiresAt }), MAX, NOW);
    }
    assert.equal(await store.deleteByUser(alice, undefined, NOW + 2 * DAY), 1);
    assert.equal(await store.deleteExpired(NOW + 2 * DAY, 1000), 0);
    assert.deepEqual(await store.list(alice, NOW), []);
  });

  it('when they have expired, in bounded steps, and counts each once', async (store, node) => {
    const alice = newUser();
    const live = newRecord(alice, { expiresAt: NOW + 10 * DAY });
    await store.create(live, MAX, NOW);
    for (let i = 0; i < 10; i += 1) await store.create(newRecord(alice, { expiresAt: NOW + DAY }), MAX, NOW);
    const steps = await Promise.all(Array.from({ length: 8 }, (_, i) => node(i).deleteExpired(NOW + 2 * DAY, 3)));
    assert.ok(steps.every((removed) => removed <= 3));
    const removed = steps.reduce((sum, each) => sum + each, 0);
    assert.ok(removed === 10 || removed === 0, `removed ${removed}`);
    assert.deepEqual(idsOf(await store.list(alice, NOW + 2 * DAY)), [live.id]);
  });
}
