import assert from 'node:assert/strict';
import type { FailureKey, LoginThrottleStore } from '../throttle/login-throttle-store.js';
import { raceTests } from './login-throttle-store/parallel-races.js';
import { realmTests } from './login-throttle-store/realm-contract.js';
import {
  addTo,
  countOf,
  DAY,
  MINUTE,
  newKey,
  newSubject,
  NOW,
  type Body,
} from './login-throttle-store/sample-failures.js';
import { storeTests } from './store-tests.js';
import { testFramework } from './test-framework.js';

/** A store made for one test. */
export interface LoginThrottleStoreUnderTest {
  readonly store: LoginThrottleStore;
  /** Makes a second instance on the same backend, like another node of the application. */
  readonly another?: () => Promise<LoginThrottleStore>;
  /** Ends both instances and empties or drops the backend. */
  close(): Promise<void>;
}

/**
 * Declares the tests that every `LoginThrottleStore` must pass: each sentence of the port's contract, including races.
 * Use it like `sessionStoreContract`.
 *
 * @param name the name of the tests
 * @param makeStore makes the store of one test
 * @throws SessionAuthError `not_configured` without a global `describe` and `it`
 */
export function loginThrottleStoreContract(name: string, makeStore: () => Promise<LoginThrottleStoreUnderTest>): void {
  const framework = testFramework();
  const it = storeTests(framework, makeStore);
  framework.describe(`${name}: login throttle store contract`, () => {
    framework.describe('counts failures', () => countTests(it));
    framework.describe('keeps counts apart', () => realmTests(it));
    framework.describe('forgets counts', () => forgettingTests(it));
    framework.describe('is atomic in parallel', () => raceTests(it));
  });
}

function countTests(it: (title: string, body: Body) => void): void {
  it('from one up, until the window of the first ends, to the millisecond', async (store) => {
    const key = newKey();
    assert.deepEqual(await store.read([key], NOW), [undefined]);
    const until = NOW + 12_345;
    assert.equal(await addTo(store, key, NOW, 12_345), 1);
    assert.deepEqual(await countOf(store, key, NOW), { count: 1, until });
    assert.deepEqual(await store.add([{ ...key, window: 12_345 }], NOW + 1000), [{ count: 2, until }]);
    assert.deepEqual(await store.add([{ ...key, window: 99_999 }], until - 1), [{ count: 3, until }]);
    assert.deepEqual(await countOf(store, key, until - 1), { count: 3, until });
    assert.equal(await countOf(store, key, until), undefined);
    assert.deepEqual(await store.add([{ ...key, window: 50_000 }], until), [{ count: 1, until: until + 50_000 }]);
  });

  it('at several keys in one call, each with its own window, and returns them in order', async (store) => {
    const subject = newSubject();
    const keys = ['a', 'b', 'c'].map((counter) => ({ subject, counter }));
    const [a, b, c] = keys as [FailureKey, FailureKey, FailureKey];
    const other = newKey();
    await addTo(store, b, NOW);
    const counts = await store.add(
      [
        { ...c, window: 1000 },
        { ...other, window: 2000 },
        { ...b, window: 3000 },
      ],
      NOW,
    );
    const expected = [
      { count: 1, until: NOW + 1000 },
      { count: 1, until: NOW + 2000 },
      { count: 2, until: NOW + MINUTE },
    ] as const;
    assert.deepEqual(counts, expected);
    assert.deepEqual(await store.read([b, a, other, c], NOW), [expected[2], undefined, expected[1], expected[0]]);
    assert.deepEqual(await store.read([a, c, b, other], NOW + 1000), [undefined, undefined, expected[2], expected[1]]);
  });

  it('at keys of every character, and keeps keys apart that look alike', async (store) => {
    const subject = newSubject();
    const letters = 'abcdefghijklmnopqrstuvwxyz';
    const counters = [`${letters}${letters.toUpperCase()}:0123456789-_`.slice(0, 64), 'a', 'A', 'a:', 'a:a', 'a-', '_'];
    for (const [i, counter] of counters.entries()) {
      await store.set({ subject, counter }, { count: i + 1, until: NOW + MINUTE }, NOW);
    }
    const keys = counters.map((counter) => ({ subject, counter }));
    assert.deepEqual(
      (await store.read(keys, NOW)).map((count) => count?.count),
      keys.map((_, i) => i + 1),
    );
    assert.deepEqual(await store.read([{ subject: `${subject}a`, counter: 'a' }], NOW), [undefined]);
  });

  it('for weeks, and to a million', async (store) => {
    const key = newKey();
    const until = NOW + 24 * DAY;
    await store.set(key, { count: 1_000_000, until }, NOW);
    assert.equal(await addTo(store, key, until - 1), 1_000_001);
    assert.deepEqual(await countOf(store, key, until - 1), { count: 1_000_001, until });
  });

  it('for more than a year, as a change of credentials is remembered', async (store) => {
    const key = newKey();
    const until = NOW + 400 * DAY;
    await store.set(key, { count: 1, until }, NOW);
    assert.deepEqual(await countOf(store, key, until - 1), { count: 1, until });
    assert.equal(await countOf(store, key, until), undefined);
  });

  it('up from a value that was set, replacing an earlier one', async (store) => {
    const key = newKey();
    for (const count of [5, 2]) {
      await store.set(key, { count, until: NOW + count * MINUTE }, NOW);
      assert.deepEqual(await countOf(store, key, NOW), { count, until: NOW + count * MINUTE });
      assert.equal(await addTo(store, key, NOW + MINUTE), count + 1);
      assert.equal((await countOf(store, key, NOW))?.until, NOW + count * MINUTE);
    }
    await store.set(key, { count: 7, until: NOW + DAY + MINUTE }, NOW + DAY);
    assert.deepEqual(await countOf(store, key, NOW + DAY), { count: 7, until: NOW + DAY + MINUTE });
  });

  it('and lists those of one subject', async (store) => {
    const subject = newSubject();
    const counters = ['failures', 'failures:x', 'blocks:x', 'known:y'];
    for (const [i, counter] of counters.entries()) {
      await store.set({ subject, counter }, { count: i + 1, until: NOW + (i + 1) * MINUTE }, NOW);
    }
    // texts after a subject's name in any order
    for (const other of ['', ...'-_0Aaz']) await addTo(store, { subject: `${subject}${other}x`, counter: 'x' }, NOW);
    await addTo(store, { subject: subject.slice(0, -1), counter: 'x' }, NOW);
    const listed = async (now: number): Promise<unknown[]> =>
      [...(await store.list(subject, now))].sort((one, two) => one.count - two.count);
    const expected = counters.map((counter, i) => ({ subject, counter, count: i + 1, until: NOW + (i + 1) * MINUTE }));
    assert.deepEqual(await listed(NOW), expected);
    assert.deepEqual(await listed(NOW + 2 * MINUTE), expected.slice(2));
    assert.deepEqual(await store.list(newSubject(), NOW), []);
  });

  it('and returns copies', async (store) => {
    const key = newKey();
    const given = { count: 1, until: NOW + MINUTE };
    await store.set(key, given, NOW);
    given.count = 9;
    for (const handed of [await countOf(store, key, NOW), (await store.list(key.subject, NOW))[0]]) {
      (handed as { count: number }).count = 9;
    }
    const [added] = await store.add([{ ...key, window: MINUTE }], NOW);
    (added as { count: number }).count = 9;
    assert.equal((await countOf(store, key, NOW))?.count, 2);
  });
}

function forgettingTests(it: (title: string, body: Body) => void): void {
  it('that are deleted, of several subjects in one call, and no others', async (store) => {
    const [one, two, three] = [newKey(), newKey(), newKey()];
    const beside = { ...one, counter: 'beside' };
    for (const key of [one, two, three, beside]) await addTo(store, key, NOW);
    for (let i = 0; i < 2; i += 1) {
      await store.delete([one, newKey(), three]);
      const counts = await store.read([one, two, three, beside], NOW);
      assert.deepEqual(
        counts.map((count) => count?.count),
        [undefined, 1, undefined, 1],
      );
    }
    assert.equal(await addTo(store, one, NOW), 1);
  });

  it('of a whole subject, by the listed keys', async (store) => {
    const subject = newSubject();
    for (let i = 0; i < 30; i += 1) await addTo(store, { subject, counter: `failures:${i}` }, NOW);
    const listed = await store.list(subject, NOW);
    assert.equal(listed.length, 30);
    await store.delete(listed);
    assert.deepEqual(await store.list(subject, NOW), []);
  });

  it('that have expired, in bounded steps, each by one call, and leaves live ones', async (store, node) => {
    const live = newKey();
    await store.set(live, { count: 1, until: NOW + DAY + 1 }, NOW);
    for (let i = 0; i < 10; i += 1) await store.set(newKey(), { count: 1, until: NOW + DAY }, NOW);
    const steps = await Promise.all(Array.from({ length: 8 }, (_, i) => node(i).deleteExpired(NOW + DAY, 3)));
    assert.ok(steps.every((removed) => removed <= 3));
    const removed = steps.reduce((sum, each) => sum + each, 0);
    assert.ok(removed === 10 || removed === 0, `removed ${removed}`);
    assert.equal((await countOf(store, live, NOW + DAY))?.count, 1);
  });
}
