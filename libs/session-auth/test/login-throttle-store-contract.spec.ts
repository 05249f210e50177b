import { describe, expect, it } from '@jest/globals';
import { loginThrottleStoreContract } from 'nestjs-session-auth/testing';
import { MemoryLoginThrottleStore } from '../src/storage/memory/memory-login-throttle-store.js';
import type { FailureCount, FailureKey, LoginThrottleStore, NewFailure } from '../src/throttle/login-throttle-store.js';
import { failedTests } from './contract-run.js';

/** Lets everybody else go first, as a round trip between a read and a write does. */
const pause = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Stores that break one promise each, and tests of the contract that must notice. */
const broken: Readonly<Record<string, readonly [() => LoginThrottleStore, ...RegExp[]]>> = {
  'reads, counts and writes': [
    () =>
      new (class extends MemoryLoginThrottleStore {
        override async add(failures: readonly NewFailure[], now: number): Promise<readonly FailureCount[]> {
          const found = await super.read(failures, now);
          await pause();
          const counts = failures.map(({ window }, i) => ({
            count: (found[i]?.count ?? 0) + 1,
            until: found[i]?.until ?? now + window,
          }));
          for (const [i, failure] of failures.entries()) await super.set(failure, counts[i]!, now);
          return counts;
        }
      })(),
    /100 simultaneous failures/,
    /loses no failure at several keys/,
    /restarts a count once/,
    /overwrite a count that is set/,
    /revive a count that is deleted/,
  ],
  'prolongs a count with each failure': [
    () =>
      new (class extends MemoryLoginThrottleStore {
        override async add(failures: readonly NewFailure[], now: number): Promise<readonly FailureCount[]> {
          const counts = await super.add(failures, now);
          const prolonged = counts.map(({ count }, i) => ({ count, until: now + failures[i]!.window }));
          for (const [i, failure] of failures.entries()) await super.set(failure, prolonged[i]!, now);
          return prolonged;
        }
      })(),
    /until the window of the first ends/,
    /up from a value that was set/,
  ],
  'rounds to seconds': [
    () =>
      new (class extends MemoryLoginThrottleStore {
        override add(failures: readonly NewFailure[], now: number): Promise<readonly FailureCount[]> {
          return super.add(
            failures.map((each) => ({ ...each, window: Math.ceil(each.window / 1000) * 1000 })),
            now,
          );
        }
      })(),
    /to the millisecond/,
  ],
  'asks its own clock': [
    () =>
      new (class extends MemoryLoginThrottleStore {
        override read(keys: readonly FailureKey[]): Promise<readonly (FailureCount | undefined)[]> {
          return super.read(keys, Date.now());
        }
      })(),
    /from one up/,
    /for weeks/,
  ],
  'returns what it found in an order of its own': [
    () =>
      new (class extends MemoryLoginThrottleStore {
        override async read(keys: readonly FailureKey[], now: number): Promise<readonly (FailureCount | undefined)[]> {
          return (await super.read(keys, now)).filter((count) => count !== undefined);
        }
      })(),
    /in order/,
  ],
  'starts anew in a step of its own': [
    () =>
      new (class extends MemoryLoginThrottleStore {
        override async add(failures: readonly NewFailure[], now: number): Promise<readonly FailureCount[]> {
          for (const key of failures) {
            const [live] = await super.read([key], now);
            if (live !== undefined) continue;
            await pause();
            await super.delete([key]);
          }
          return super.add(failures, now);
        }
      })(),
    /100 simultaneous failures/,
    /restarts a count once/,
  ],
  'lists what begins alike': [
    () =>
      new (class extends MemoryLoginThrottleStore {
        readonly #keys: FailureKey[] = [];
        override add(failures: readonly NewFailure[], now: number): Promise<readonly FailureCount[]> {
          this.#keys.push(...failures);
          return super.add(failures, now);
        }
        override async list(subject: string, now: number): Promise<readonly (FailureKey & FailureCount)[]> {
          const alike = new Set(this.#keys.map((key) => key.subject).filter((each) => each.startsWith(subject)));
          return (await Promise.all([...alike, subject].map((each) => super.list(each, now)))).flat();
        }
      })(),
    /lists those of one subject/,
  ],
  'deletes the first key only': [
    () =>
      new (class extends MemoryLoginThrottleStore {
        override delete(keys: readonly FailureKey[]): Promise<void> {
          return super.delete(keys.slice(0, 1));
        }
      })(),
    /that are deleted, of several subjects/,
    /of a whole subject/,
  ],
  'counts for all realms together': [
    () =>
      new (class extends MemoryLoginThrottleStore {
        override ofRealm(): MemoryLoginThrottleStore {
          return this;
        }
      })(),
    /of one subject in different realms, in all operations/,
    /of one subject in different realms, by parallel callers/,
    /sweeps only those of its realm/,
  ],
  'sweeps all realms': [
    () =>
      new (class extends MemoryLoginThrottleStore {
        readonly #others = new Set<MemoryLoginThrottleStore>();
        override ofRealm(realm: string): MemoryLoginThrottleStore {
          const store = super.ofRealm(realm);
          this.#others.add(store);
          return store;
        }
        override async deleteExpired(now: number, limit: number): Promise<number> {
          const swept = [super.deleteExpired(now, limit)];
          for (const other of this.#others) swept.push(other.deleteExpired(now, limit));
          return (await Promise.all(swept)).reduce((sum, each) => sum + each);
        }
      })(),
    /sweeps only those of its realm/,
  ],
  'removes what is not over': [
    () =>
      new (class extends MemoryLoginThrottleStore {
        override deleteExpired(now: number, limit: number): Promise<number> {
          return super.deleteExpired(now + 1, limit);
        }
      })(),
    /in bounded steps/,
  ],
  'removes all at once': [
    () =>
      new (class extends MemoryLoginThrottleStore {
        override deleteExpired(now: number): Promise<number> {
          return super.deleteExpired(now, Infinity);
        }
      })(),
    /in bounded steps/,
  ],
};

const failuresOf = (makeStore: () => LoginThrottleStore): Promise<string[]> =>
  failedTests(15, () => {
    loginThrottleStoreContract('store', async () => ({ store: makeStore(), close: async () => undefined }));
  });

describe('the login throttle store contract', () => {
  it('holds for the memory store', async () => {
    expect(await failuresOf(() => new MemoryLoginThrottleStore())).toEqual([]);
  });

  it.each(Object.entries(broken))('notices a store that %s', async (_, [makeStore, ...tests]) => {
    const failures = await failuresOf(makeStore);
    for (const test of tests) expect(failures).toContainEqual(expect.stringMatching(test));
  });
});
