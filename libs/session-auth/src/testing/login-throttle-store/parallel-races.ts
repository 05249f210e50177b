import assert from 'node:assert/strict';
import { addTo, countOf, DAY, MINUTE, newKey, NOW, type Body } from './sample-failures.js';

/** Failures, sets, deletions and removals, all at the same time. */
export function raceTests(it: (title: string, body: Body) => void): void {
  it('gives each of 100 simultaneous failures a different number', async (store, node) => {
    const key = newKey();
    const counts = await Promise.all(Array.from({ length: 100 }, (_, i) => addTo(node(i), key, NOW)));
    assert.deepEqual(sorted(counts), upTo(100));
    assert.equal((await countOf(store, key, NOW))?.count, 100);
  });

  it('loses no failure at several keys, in any order of the keys', async (store, node) => {
    const keys = [newKey(), newKey(), newKey()];
    keys.push({ ...keys[0]!, counter: 'beside' });
    await Promise.all(
      Array.from({ length: 40 }, (_, i) => {
        const failures = keys.map((key) => ({ ...key, window: MINUTE }));
        return node(i).add(i % 4 < 2 ? failures : failures.reverse(), NOW);
      }),
    );
    assert.deepEqual(
      (await store.read(keys, NOW)).map((count) => count?.count),
      keys.map(() => 40),
    );
  });

  it('restarts a count once after it expires, while expired ones are removed', async (store, node) => {
    for (let round = 0; round < 5; round += 1) {
      const key = newKey();
      await store.set(key, { count: 9, until: NOW + MINUTE }, NOW);
      const [counts] = await Promise.all([
        Promise.all(Array.from({ length: 20 }, (_, i) => addTo(node(i), key, NOW + MINUTE))),
        node(round).deleteExpired(NOW + MINUTE, 100),
      ]);
      assert.deepEqual(sorted(counts), upTo(20));
    }
  });

  it('never lets a failure overwrite a count that is set meanwhile', async (store, node) => {
    for (let round = 0; round < 5; round += 1) {
      const key = newKey();
      const until = NOW + DAY;
      const calls = Array.from({ length: 20 }, (_, i) =>
        i === 19 - 4 * round ? node(i).set(key, { count: 5, until }, NOW) : addTo(node(i), key, NOW),
      );
      await Promise.all(calls);
      const found = await countOf(store, key, NOW);
      assert.equal(found?.until, until);
      assert.ok(found.count >= 5 && found.count <= 24, `counted ${found.count}`);
    }
  });

  it('never lets a failure revive a count that is deleted meanwhile', async (store, node) => {
    for (let round = 0; round < 5; round += 1) {
      const [one, two] = [newKey(), newKey()];
      for (const key of [one, two]) await store.set(key, { count: 1000, until: NOW + DAY }, NOW);
      const calls = Array.from({ length: 20 }, (_, i) =>
        i === 19 - 4 * round
          ? node(i).delete([two, one])
          : node(i).add(
              [one, two].map((key) => ({ ...key, window: MINUTE })),
              NOW,
            ),
      );
      await Promise.all(calls);
      for (const found of await store.read([one, two], NOW)) assert.ok((found?.count ?? 0) < 1000);
    }
  });
}

function sorted(numbers: readonly number[]): number[] {
  return [...numbers].sort((one, two) => one - two);
}

function upTo(count: number): number[] {
  return Array.from({ length: count }, (_, i) => i + 1);
}
