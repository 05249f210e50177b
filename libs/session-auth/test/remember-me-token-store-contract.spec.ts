import { describe, expect, it } from '@jest/globals';
import { rememberMeTokenStoreContract } from 'nestjs-session-auth/testing';
import type {
  RememberMeReplacement,
  RememberMeReplaceOutcome,
  RememberMeTokenRecord,
  RememberMeTokenStore,
} from '../src/remember-me/remember-me-token-store.js';
import { MemoryRememberMeTokenStore } from '../src/storage/memory/memory-remember-me-token-store.js';
import { failedTests } from './contract-run.js';

type Found = Promise<RememberMeTokenRecord | undefined>;
type Replaced = Promise<RememberMeReplaceOutcome>;

/** Lets everybody else go first, as a round trip between a read and a write does. */
const pause = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Stores that break one promise each, and tests of the contract that must notice. */
const broken: Readonly<Record<string, readonly [() => RememberMeTokenStore, ...RegExp[]]>> = {
  'finds what has expired': [
    () =>
      new (class extends MemoryRememberMeTokenStore {
        override find(selector: string): Found {
          return super.find(selector, 0);
        }
      })(),
    /when they expire/,
    /lives to its new expiry/,
  ],
  'leaves what has expired when its user goes': [
    () =>
      new (class extends MemoryRememberMeTokenStore {
        override async deleteByUser(userId: string, except: string | undefined, now: number): Promise<number> {
          if (except !== undefined) return super.deleteByUser(userId, except, now);
          const live = await this.list(userId, now);
          for (const { id } of live) await this.deleteById(userId, id, now);
          return live.length;
        }
      })(),
    /with their user/,
  ],
  'keeps the devices of all realms together': [
    () =>
      new (class extends MemoryRememberMeTokenStore {
        override ofRealm(): MemoryRememberMeTokenStore {
          return this;
        }
      })(),
    /of equal users in different realms/,
    /of one selector in different realms/,
    /only devices of its realm, by parallel callers/,
    /sweeps only the records of its realm/,
  ],
  'replaces whatever the revision': [
    () =>
      new (class extends MemoryRememberMeTokenStore {
        override async replace(selector: string, replacement: RememberMeReplacement): Replaced {
          const { revision = 0 } = (await super.find(selector, replacement.now)) ?? {};
          return super.replace(selector, { ...replacement, revision });
        }
      })(),
    /if the revision differs/,
  ],
  'reads, compares and writes': [
    () =>
      new (class extends MemoryRememberMeTokenStore {
        override async replace(selector: string, replacement: RememberMeReplacement): Replaced {
          const found = await super.find(selector, replacement.now);
          if ((found?.revision ?? 0) !== replacement.revision) return super.replace(selector, replacement);
          await pause();
          const { revision = 0 } = (await super.find(selector, replacement.now)) ?? {};
          return super.replace(selector, { ...replacement, revision });
        }
      })(),
    /one of twenty tabs/,
    /loses no change when twenty/,
  ],
  'brings back what was deleted while it was replaced': [
    () =>
      new (class extends MemoryRememberMeTokenStore {
        override async replace(selector: string, replacement: RememberMeReplacement): Replaced {
          const found = await super.find(selector, replacement.now);
          await pause();
          if (found !== undefined) await super.create(found, Infinity, replacement.now);
          return super.replace(selector, replacement);
        }
      })(),
    /never revives/,
    /either a replacement or a removal/,
    /whose session ends while/,
  ],
  'counts no revisions': [
    () =>
      new (class extends MemoryRememberMeTokenStore {
        override async find(selector: string, now: number): Found {
          const found = await super.find(selector, now);
          return found && { ...found, revision: 0 };
        }
      })(),
    /with every field of a record/,
    /and increases it/,
  ],
  'takes what is left out for nothing': [
    () =>
      new (class extends MemoryRememberMeTokenStore {
        override async replace(selector: string, replacement: RememberMeReplacement): Replaced {
          const { successor, replaced = [] } = replacement.changes;
          const changes = { ...replacement.changes, successor: successor && { ...successor }, replaced };
          return super.replace(selector, { ...replacement, changes });
        }
      })(),
    /leaves the other fields/,
  ],
  'merges a successor into the one before': [
    () =>
      new (class extends MemoryRememberMeTokenStore {
        override async replace(selector: string, replacement: RememberMeReplacement): Replaced {
          const found = await super.find(selector, replacement.now);
          const { successor } = replacement.changes;
          const merged = successor && { ...found?.successor, ...successor };
          return super.replace(selector, { ...replacement, changes: { ...replacement.changes, successor: merged } });
        }
      })(),
    /leaves the other fields/,
  ],
  'keeps the end': [
    () =>
      new (class extends MemoryRememberMeTokenStore {
        override replace(selector: string, replacement: RememberMeReplacement): Replaced {
          return super.replace(selector, { ...replacement, changes: { ...replacement.changes, expiresAt: undefined } });
        }
      })(),
    /lives to its new expiry/,
  ],
  'shows those who come second what they asked for': [
    () =>
      new (class extends MemoryRememberMeTokenStore {
        override async replace(selector: string, replacement: RememberMeReplacement): Replaced {
          const outcome = await super.replace(selector, replacement);
          if (outcome.status !== 'changed') return outcome;
          return { ...outcome, record: { ...outcome.record, ...replacement.changes } };
        }
      })(),
    /if the revision differs/,
    /one of twenty tabs/,
  ],
  'deletes whatever the revision': [
    () =>
      new (class extends MemoryRememberMeTokenStore {
        override delete(selector: string, now: number): Found {
          return super.delete(selector, now);
        }
      })(),
    /if they still have it/,
    /either a replacement or a removal/,
  ],
  'looks at the revision, and deletes': [
    () =>
      new (class extends MemoryRememberMeTokenStore {
        override async delete(selector: string, now: number, revision?: number): Found {
          const found = await super.find(selector, now);
          if (revision !== undefined && (found?.revision ?? 0) !== revision) return undefined;
          await pause();
          await super.delete(selector, now);
          return found;
        }
      })(),
    /to one of twenty callers/,
  ],
  'ties a device to the session that it had only': [
    () =>
      new (class extends MemoryRememberMeTokenStore {
        override async deleteBySession(userId: string, sessionId: string, now: number): Promise<number> {
          const tied = (await super.list(userId, now)).filter((record) => record.sessionId === sessionId);
          for (const { selector } of tied) await super.delete(selector, now);
          return tied.length;
        }
      })(),
    /session of their successor ends/,
  ],
  'ties a device to the session that it is to have only': [
    () =>
      new (class extends MemoryRememberMeTokenStore {
        override async deleteBySession(userId: string, sessionId: string, now: number): Promise<number> {
          const tied = (await super.list(userId, now)).filter(
            (record) => (record.successor?.sessionId ?? record.sessionId) === sessionId,
          );
          for (const { selector } of tied) await super.delete(selector, now);
          return tied.length;
        }
      })(),
    /session of their successor ends/,
  ],
  'keeps the device of no successor': [
    () =>
      new (class extends MemoryRememberMeTokenStore {
        override async deleteByUser(userId: string, except: string | undefined, now: number): Promise<number> {
          const others = (await super.list(userId, now)).filter(({ sessionId }) => sessionId !== except);
          for (const { selector } of others) await super.delete(selector, now);
          return others.length;
        }
      })(),
    /session of their successor ends/,
  ],
  'deletes devices of anybody': [
    () =>
      new (class extends MemoryRememberMeTokenStore {
        readonly #users = new Set<string>();
        override create(record: RememberMeTokenRecord, max: number, now: number): Promise<void> {
          this.#users.add(record.userId);
          return super.create(record, max, now);
        }
        override async deleteById(_userId: string, id: string, now: number): Promise<boolean> {
          for (const userId of this.#users) if (await super.deleteById(userId, id, now)) return true;
          return false;
        }
      })(),
    /for their user only/,
  ],
  'keeps one too many': [
    () =>
      new (class extends MemoryRememberMeTokenStore {
        override create(record: RememberMeTokenRecord, max: number, now: number): Promise<void> {
          return super.create(record, max + 1, now);
        }
      })(),
    /removes the oldest/,
    /during parallel logins/,
  ],
  'hands out what it keeps': [
    () =>
      new (class extends MemoryRememberMeTokenStore {
        readonly #kept = new Map<string, RememberMeTokenRecord>();
        override async find(selector: string, now: number): Found {
          const found = this.#kept.get(selector) ?? (await super.find(selector, now));
          if (found !== undefined) this.#kept.set(selector, found);
          return found;
        }
      })(),
    /copies in and copies out/,
  ],
  'lists the oldest first': [
    () =>
      new (class extends MemoryRememberMeTokenStore {
        override async list(userId: string, now: number): Promise<readonly RememberMeTokenRecord[]> {
          return [...(await super.list(userId, now))].reverse();
        }
      })(),
    /newest first/,
  ],
  'removes more than it was told to': [
    () =>
      new (class extends MemoryRememberMeTokenStore {
        override deleteExpired(now: number): Promise<number> {
          return super.deleteExpired(now, Infinity);
        }
      })(),
    /in bounded steps/,
  ],
};

describe('rememberMeTokenStoreContract', () => {
  it('passes a store that keeps every promise', async () => {
    expect(await failures(() => new MemoryRememberMeTokenStore())).toEqual([]);
  });

  it.each(Object.entries(broken))('notices a store that %s', async (_what, [make, ...titles]) => {
    const noticed = await failures(make);
    for (const title of titles) expect(noticed).toContainEqual(expect.stringMatching(title));
  });
});

/** The titles of the tests that a store fails. */
function failures(make: () => RememberMeTokenStore): Promise<string[]> {
  const makeStore = () => {
    const store = make();
    return Promise.resolve({ store, another: () => Promise.resolve(store), close: () => Promise.resolve() });
  };
  return failedTests(30, () => rememberMeTokenStoreContract('under test', makeStore));
}
