import assert from 'node:assert/strict';
import type { EndedSession } from '../../session/session-store.js';
import type { ContractTests } from './contract-tests.js';
import { MINUTE } from '../../time/units.js';
import { IDLE, newDigest, newRecord, newUser, NO_LIMIT, NO_MAXIMUM, NOW, untouched } from './sample-records.js';
import { assertSame, assertSameSet, isLive, listedIds } from './store-queries.js';

/** `delete`, `deleteByHandle`, `deleteByUser` and `deleteExpired`, one call at a time. */
export function endingContract({ it }: ContractTests): void {
  it('ends the session of a digest, once', async ({ store }) => {
    for (const userId of [newUser(), undefined]) {
      const record = newRecord(userId);
      await store.create(record, NO_LIMIT, NOW);
      assertSame((await store.delete(record.digest, NOW))!, { id: record.id, userId });
      assert.deepEqual(await store.find(record.digest, untouched(NOW)), { status: 'absent' });
      assert.equal(await store.delete(record.digest, NOW), undefined);
      assert.deepEqual(await store.update(record.digest, { a: 1 }, NOW, NO_MAXIMUM), { status: 'absent' });
      assert.deepEqual(await store.find(record.digest, untouched(NOW)), { status: 'absent' });
    }
  });

  it('ends nothing with an unknown digest', async ({ store }) => {
    const userId = newUser();
    const record = newRecord(userId);
    await store.create(record, NO_LIMIT, NOW);
    assert.equal(await store.delete(newDigest(userId), NOW), undefined);
    assert.deepEqual(await listedIds(store, userId), [record.id]);
  });

  it('ends the session of a user that has a handle, once', async ({ store }) => {
    const userId = newUser();
    const [record, other] = [newRecord(userId), newRecord(userId)];
    await store.create(record, NO_LIMIT, NOW);
    await store.create(other, NO_LIMIT, NOW);
    assertSame((await store.deleteByHandle(userId, record.id, NOW))!, { id: record.id, userId });
    assert.ok(!(await isLive(store, record.digest)));
    assert.equal(await store.deleteByHandle(userId, record.id, NOW), undefined);
    assert.deepEqual(await listedIds(store, userId), [other.id]);
  });

  it('ends nothing with a handle of another user, or an invalid handle', async ({ store }) => {
    const [userId, foreigner] = [newUser(), newUser()];
    const [record, foreign] = [newRecord(userId), newRecord(foreigner)];
    await store.create(record, NO_LIMIT, NOW);
    await store.create(foreign, NO_LIMIT, NOW);
    const handles = [
      foreign.id,
      record.id.slice(0, 19),
      `${record.id}x`,
      '',
      '*',
      '%',
      record.digest,
      "' or 1=1 --",
      '☃',
    ];
    for (const handle of handles) assert.equal(await store.deleteByHandle(userId, handle, NOW), undefined);
    assert.ok(await isLive(store, record.digest));
    assert.ok(await isLive(store, foreign.digest));
  });

  it('ends all sessions of a user', async ({ store }) => {
    const userId = newUser();
    const records = Array.from({ length: 5 }, (_, i) => newRecord(userId, { createdAt: NOW - i }));
    for (const record of records) await store.create(record, NO_LIMIT, NOW);
    const { ended, more } = await store.deleteByUser(userId, { limit: 100 }, NOW);
    assert.equal(more, false);
    assert.ok(ended.every((session) => session.userId === userId));
    assertSameSet(ids(ended), ids(records));
    for (const record of records) assert.ok(!(await isLive(store, record.digest)));
    assert.deepEqual(await store.deleteByUser(userId, { limit: 100 }, NOW), { ended: [], more: false });
  });

  it('ends all sessions of a user except one', async ({ store }) => {
    const userId = newUser();
    for (const kept of [0, 2, 4]) {
      const records = Array.from({ length: 5 }, (_, i) => newRecord(userId, { createdAt: NOW - i }));
      for (const record of records) await store.create(record, NO_LIMIT, NOW);
      const { id, digest } = records[kept]!;
      const { ended, more } = await store.deleteByUser(userId, { limit: 4, except: id }, NOW);
      assert.equal(more, false, `the one kept is number ${kept}`);
      assertSameSet(ids(ended), ids(records.filter((record) => record.id !== id)));
      assert.deepEqual(await listedIds(store, userId), [id]);
      await store.delete(digest, NOW);
    }
  });

  it('makes no exception for the handle of another user', async ({ store }) => {
    const userId = newUser();
    const record = newRecord(userId);
    await store.create(record, NO_LIMIT, NOW);
    const { ended } = await store.deleteByUser(userId, { limit: 10, except: newRecord(newUser()).id }, NOW);
    assert.deepEqual(ids(ended), [record.id]);
  });

  it('ends a user in steps of at most the limit, and says whether to continue', async ({ store }) => {
    const userId = newUser();
    const records = Array.from({ length: 25 }, (_, i) => newRecord(userId, { createdAt: NOW - (i % 4) }));
    for (const record of records) await store.create(record, NO_LIMIT, NOW);
    const except = records[7]!.id;
    const all: string[] = [];
    for (let steps = 1, more = true; more; steps++) {
      assert.ok(steps <= 25, 'the steps do not end');
      const step = await store.deleteByUser(userId, { limit: 10, except }, NOW);
      assert.ok(step.ended.length <= 10);
      all.push(...ids(step.ended));
      more = step.more;
      const left = await listedIds(store, userId);
      assert.equal(left.length, 25 - all.length);
      if (!more) assert.deepEqual(left, [except]);
    }
    assertSameSet(all, ids(records.filter((record) => record.id !== except)));
  });

  it('reports each expired session once, by deleteExpired or by find, and keeps the live ones', async ({ store }) => {
    // Removes what earlier tests left in the backend.
    while ((await store.deleteExpired(NOW + IDLE, 1000)).length > 0);
    const userId = newUser();
    const expired = [undefined, userId, userId, newUser(), userId].map((user) => newRecord(user));
    const live = [undefined, userId].map((user) => newRecord(user, { expiresAt: NOW + IDLE + 1 }));
    for (const record of [...expired, ...live]) await store.create(record, NO_LIMIT, NOW);
    const reported: EndedSession[] = [];
    let step: readonly EndedSession[];
    do {
      step = await store.deleteExpired(NOW + IDLE, 2);
      assert.ok(step.length <= 2);
      reported.push(...step);
    } while (step.length > 0);
    const collected = reported.length > 0;
    for (const { digest } of expired) {
      const outcome = await store.find(digest, untouched(NOW + IDLE));
      if (collected) assert.deepEqual(outcome, { status: 'absent' });
      else assert.equal(outcome.status, 'expired', 'not reported');
      if (outcome.status === 'expired') reported.push(outcome.ended);
    }
    assertSameSet(ids(reported), ids(expired));
    for (const record of expired) {
      const { userId: owner } = reported.find((session) => session.id === record.id)!;
      assert.equal(owner, record.userId);
    }
    for (const { digest } of live) assert.ok(await isLive(store, digest, NOW + IDLE));
    assert.deepEqual(await listedIds(store, userId, NOW + IDLE), [live[1]!.id]);
  });

  it('removes nothing live in deleteExpired', async ({ store }) => {
    const record = newRecord(newUser(), { expiresAt: NOW + MINUTE });
    await store.create(record, NO_LIMIT, NOW);
    const removed = await store.deleteExpired(NOW + MINUTE - 1, 1000);
    assert.ok(!ids(removed).includes(record.id));
    assert.ok(await isLive(store, record.digest, NOW + MINUTE - 1));
  });
}

function ids(sessions: readonly { readonly id: string }[]): string[] {
  return sessions.map((session) => session.id);
}
