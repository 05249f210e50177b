import assert from 'node:assert/strict';
import type { LoginThrottleStore } from '../../throttle/login-throttle-store.js';
import { addTo, countOf, MINUTE, newKey, newSubject, NOW, type Body } from './sample-failures.js';

function realmsOf(store: LoginThrottleStore): readonly LoginThrottleStore[] {
  return store.ofRealm === undefined ? [] : [store, store.ofRealm('staff'), store.ofRealm('sta')];
}

/** Equal subjects in different realms are independent. */
export function realmTests(it: (title: string, body: Body) => void): void {
  it('of one subject in different realms, in all operations', async (store) => {
    const stores = realmsOf(store);
    const key = newKey();
    for (const [i, each] of stores.entries()) {
      assert.deepEqual(await each.read([key], NOW), [undefined]);
      assert.equal(await addTo(each, key, NOW, MINUTE), 1);
      await each.set(key, { count: 10 + i, until: NOW + MINUTE + i }, NOW);
    }
    for (const [i, each] of stores.entries()) {
      const own = { count: 10 + i, until: NOW + MINUTE + i };
      assert.deepEqual(await countOf(each, key, NOW), own);
      assert.deepEqual(await each.list(key.subject, NOW), [{ ...key, ...own }]);
    }
    for (const each of stores) {
      await each.delete([key]);
      assert.deepEqual(await each.list(key.subject, NOW), []);
    }
  });

  it('of one subject in different realms, by parallel callers', async (store, node) => {
    if (realmsOf(store).length === 0) return;
    const nodes = [0, 1].map((turn) => realmsOf(node(turn)));
    const key = newKey();
    await Promise.all(
      Array.from({ length: 60 }, async (_, i) => {
        const each = nodes[i % 2]![i % 3]!;
        await addTo(each, key, NOW, MINUTE);
        if (i % 3 === 2) await each.delete([key]);
      }),
    );
    await nodes[0]![2]!.delete([key]);
    const counts = await Promise.all(nodes[1]!.map(async (each) => (await countOf(each, key, NOW))?.count));
    assert.deepEqual(counts, [20, 20, undefined]);
  });

  it('of different realms, and sweeps only those of its realm', async (store) => {
    const stores = realmsOf(store);
    const key = { subject: newSubject(), counter: 'failures' };
    for (const each of stores) await addTo(each, key, NOW, 1);
    const swept = [];
    for (const each of stores)
      swept.push(await each.deleteExpired(NOW + 1, 10_000), await each.deleteExpired(NOW + 1, 1));
    // a backend that removes counts by itself returns 0
    if ((swept[0] ?? 0) > 0) assert.deepEqual(swept, [1, 0, 1, 0, 1, 0]);
  });
}
