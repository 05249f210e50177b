import assert from 'node:assert/strict';
import type { RememberMeTokenStore } from '../../remember-me/remember-me-token-store.js';
import { idsOf, MAX, newRecord, newUser, NOW, type DeclareTest } from './sample-tokens.js';

function realmsOf(store: RememberMeTokenStore): readonly RememberMeTokenStore[] {
  return store.ofRealm === undefined ? [] : [store, store.ofRealm('staff'), store.ofRealm('sta')];
}

/** Equal users, and even equal selectors, in different realms are independent. */
export function realmTests(it: DeclareTest): void {
  it('of equal users in different realms, in all operations', async (store) => {
    const stores = realmsOf(store);
    const userId = newUser();
    const records = stores.map(() => newRecord(userId));
    for (const [i, each] of stores.entries()) await each.create(records[i]!, 1, NOW);
    for (const [i, each] of stores.entries()) {
      assert.deepEqual(idsOf(await each.list(userId, NOW)), [records[i]!.id]);
      for (const [j, { selector, id, sessionId }] of records.entries()) {
        if (i === j) continue;
        assert.equal(await each.find(selector, NOW), undefined);
        const replacement = { revision: 0, now: NOW, changes: { lastUsedAt: NOW + 1 } };
        assert.deepEqual(await each.replace(selector, replacement), { status: 'absent' });
        assert.equal(await each.delete(selector, NOW), undefined);
        assert.equal(await each.deleteById(userId, id, NOW), false);
        assert.equal(await each.deleteBySession(userId, sessionId, NOW), 0);
      }
    }
    for (const [i, each] of stores.entries()) {
      assert.equal(await each.deleteByUser(userId, undefined, NOW), 1);
      const left = await Promise.all(stores.map(async (other) => (await other.list(userId, NOW)).length));
      assert.deepEqual(
        left,
        stores.map((_, j) => (j > i ? 1 : 0)),
      );
    }
  });

  it('of one selector in different realms', async (store) => {
    const record = newRecord(newUser());
    const stores = realmsOf(store);
    for (const each of stores) await each.create(record, MAX, NOW);
    for (const each of stores) {
      assert.equal((await each.delete(record.selector, NOW))?.id, record.id);
      assert.equal(await each.find(record.selector, NOW), undefined);
    }
  });

  it('counts and forgets only devices of its realm, by parallel callers', async (store, node) => {
    if (realmsOf(store).length === 0) return;
    const userId = newUser();
    const nodes = [0, 1].map((turn) => realmsOf(node(turn)));
    await Promise.all(
      Array.from({ length: 24 }, async (_, i) => {
        const record = newRecord(userId, { createdAt: NOW + i });
        await nodes[i % 2]![i % 3]!.create(record, 2, NOW + i);
        if (i % 3 === 2) await nodes[(i + 1) % 2]![2]!.deleteByUser(userId, undefined, NOW + i);
      }),
    );
    await nodes[0]![2]!.deleteByUser(userId, undefined, NOW + 24);
    const left = await Promise.all(nodes[0]!.map(async (each) => (await each.list(userId, NOW + 24)).length));
    assert.deepEqual(left, [2, 2, 0]);
  });

  it('sweeps only the records of its realm', async (store) => {
    const stores = realmsOf(store);
    const record = newRecord(newUser(), { expiresAt: NOW + 1 });
    for (const each of stores) await each.create(record, MAX, NOW);
    const swept = [];
    for (const each of stores)
      swept.push(await each.deleteExpired(NOW + 1, 10_000), await each.deleteExpired(NOW + 1, 1));
    // a backend that removes expired records by itself returns 0
    if ((swept[0] ?? 0) > 0) assert.deepEqual(swept, [1, 0, 1, 0, 1, 0]);
  });
}
