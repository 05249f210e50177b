import { describe, expect, it } from '@jest/globals';
import { sessionStoreContract } from 'nestjs-session-auth/testing';
import type { SessionStore } from '../src/session/session-store.js';
import { MemorySessionStore } from '../src/storage/memory/memory-session-store.js';
import { NO_LIMIT, untouched } from '../src/testing/session-store/sample-records.js';
import { failedTests, withGlobals } from './contract-run.js';

/** Lets everybody else go first, as a round trip between a read and a write does. */
const pause = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Stores that break one promise each, and tests of the contract that must notice. */
const broken: Readonly<Record<string, readonly [() => SessionStore, ...RegExp[]]>> = {
  'counts first and admits later': [
    () =>
      new (class extends MemorySessionStore {
        override async create(...[record, admission, now]: Parameters<SessionStore['create']>) {
          if (record.userId === undefined) return super.create(record, admission, now);
          const { records } = await super.list(record.userId, { limit: 1000 }, now);
          const surplus = records.length - admission.max + 1;
          await pause();
          if (surplus > 0 && admission.onLimit === 'reject') return { status: 'limit_reached' as const };
          const by = admission.onLimit === 'evict-oldest' ? 'createdAt' : 'lastActivityAt';
          const leaving = [...records].sort((a, b) => a[by] - b[by]).slice(0, Math.max(surplus, 0));
          for (const { digest } of leaving) await super.delete(digest, now);
          await super.create(record, NO_LIMIT, now);
          return { status: 'created' as const, evicted: leaving.map(({ id, userId }) => ({ id, userId })) };
        }
      })(),
    /100 parallel logins, evict-oldest/,
    /100 parallel logins, evict-least-recent/,
    /100 parallel logins, reject/,
  ],
  'reads, merges and writes the whole record': [
    () =>
      new (class extends MemorySessionStore {
        override async update(...[digest, patch, now, maxBytes]: Parameters<SessionStore['update']>) {
          const found = await super.find(digest, untouched(now));
          if (found.status !== 'live') return { status: 'absent' as const };
          await pause();
          const record = { ...found.record, data: { ...found.record.data, ...patch } };
          if (JSON.stringify(record.data).length > maxBytes) return { status: 'too_large' as const };
          await super.create(record, NO_LIMIT, now);
          return { status: 'updated' as const, data: (await this.#find(record.digest, now)).data };
        }
        async #find(digest: string, now: number) {
          const found = await super.find(digest, untouched(now));
          if (found.status !== 'live') throw new Error('gone again');
          return found.record;
        }
      })(),
    /does not let an update revive/,
    /100 parallel updates/,
    /loses no update to a rotation/,
    /loses no update to touches/,
  ],
  'loses updates that overlap': [
    () =>
      new (class extends MemorySessionStore {
        override async update(...[digest, patch, now, maxBytes]: Parameters<SessionStore['update']>) {
          const found = await super.find(digest, untouched(now));
          await pause();
          if (found.status !== 'live') return { status: 'absent' as const };
          const ended = await super.delete(digest, now);
          if (ended === undefined) return { status: 'absent' as const };
          await super.create(found.record, NO_LIMIT, now);
          return super.update(digest, patch, now, maxBytes);
        }
      })(),
    /loses none of 100 parallel updates/,
    /loses no update to touches/,
  ],
  'checks the size before the merge': [
    () =>
      new (class extends MemorySessionStore {
        override async update(...[digest, patch, now, maxBytes]: Parameters<SessionStore['update']>) {
          const found = await super.find(digest, untouched(now));
          const bytes = found.status === 'live' ? JSON.stringify({ ...found.record.data, ...patch }).length : 0;
          await pause();
          if (bytes > maxBytes) return { status: 'too_large' as const };
          return super.update(digest, patch, now, Infinity);
        }
      })(),
    /too large together/,
    /never refuses a merge/,
  ],
  'touches by writing what it read': [
    () =>
      new (class extends MemorySessionStore {
        override async find(...[digest, touch]: Parameters<SessionStore['find']>) {
          const found = await super.find(digest, untouched(touch.now));
          if (found.status !== 'live' || touch.now - found.record.lastActivityAt < touch.interval) return found;
          await pause();
          const { absoluteExpiresAt } = found.record;
          const expiresAt = Math.min(touch.now + touch.idle, absoluteExpiresAt);
          const record = { ...found.record, lastActivityAt: touch.now, expiresAt };
          await super.create(record, NO_LIMIT, touch.now);
          return { status: 'live' as const, record };
        }
      })(),
    /does not let a touch revive/,
    /loses no update to touches/,
    /loses no rotation to a touch/,
  ],
  'reports an expiry to everybody who asks': [
    () =>
      new (class extends MemorySessionStore {
        override async find(...[digest, touch]: Parameters<SessionStore['find']>) {
          const found = await super.find(digest, { ...touch, now: -Infinity });
          if (found.status !== 'live' || found.record.expiresAt > touch.now) return super.find(digest, touch);
          await pause();
          await super.delete(digest, touch.now);
          return { status: 'expired' as const, ended: { id: found.record.id, userId: found.record.userId } };
        }
      })(),
    /reports an expiry once, of 20 parallel reads/,
  ],
  'rotates in two steps': [
    () =>
      new (class extends MemorySessionStore {
        override async rotate(...[digest, rotation]: Parameters<SessionStore['rotate']>) {
          const { now } = rotation;
          const found = await super.find(digest, untouched(now));
          if (found.status !== 'live' || found.record.digest !== digest) return super.rotate(digest, rotation);
          await pause();
          const changes = Object.fromEntries(
            Object.entries(rotation.changes).filter(([, value]) => value !== undefined),
          );
          const record = { ...found.record, ...changes, digest: rotation.digest, rotatedAt: now };
          await super.delete(digest, now);
          await super.create({ ...record, digest }, NO_LIMIT, now);
          await super.rotate(digest, rotation);
          await super.delete(record.digest, now);
          await super.create(record, NO_LIMIT, now);
          return { status: 'rotated' as const, record };
        }
      })(),
    /one of 20 parallel rotations/,
    /a rotation without a grace meets an end/,
    /a rotation with a grace meets an end/,
    /loses no update to a rotation/,
    /old roles/,
  ],
  'ends a user by a list made before': [
    () =>
      new (class extends MemorySessionStore {
        override async deleteByUser(...[userId, { limit, except }, now]: Parameters<SessionStore['deleteByUser']>) {
          await super.deleteByUser(userId, { limit: 0 }, now);
          const { records } = await super.list(userId, { limit: 1000 }, now);
          const others = records.filter((record) => record.id !== except);
          await pause();
          for (const { digest } of others.slice(0, limit)) await super.delete(digest, now);
          return { ended: others.slice(0, limit).map(({ id }) => ({ id, userId })), more: others.length > limit };
        }
      })(),
    /reports each session once, of parallel calls that end a user/,
  ],
  'changes an account by a list made before': [
    () =>
      new (class extends MemorySessionStore {
        override async updateByUser(...[userId, changes, now]: Parameters<SessionStore['updateByUser']>) {
          const { records } = await super.list(userId, { limit: 1000 }, now);
          await pause();
          const given = Object.fromEntries(Object.entries(changes).filter(([, value]) => value !== undefined));
          for (const record of records) await super.create({ ...record, ...given, rotatedAt: 0 }, NO_LIMIT, now);
          return records.length;
        }
      })(),
    /change of the account revive/,
    /old roles/,
  ],
  'reports a delete to everybody who asks': [
    () =>
      new (class extends MemorySessionStore {
        override async delete(...[digest, now]: Parameters<SessionStore['delete']>) {
          const found = await super.find(digest, untouched(now));
          await pause();
          await super.delete(digest, now);
          return found.status === 'live' ? { id: found.record.id, userId: found.record.userId } : undefined;
        }
      })(),
    /reports an end once/,
    /without a grace meets an end/,
  ],
  'cleans up by a list made before': [
    () =>
      new (class extends MemorySessionStore {
        override async deleteExpired(...[now, limit]: Parameters<SessionStore['deleteExpired']>) {
          const first = await (this.#pending ??= super.deleteExpired(now, limit).then(async (ended) => {
            await pause();
            this.#pending = undefined;
            return ended;
          }));
          return first;
        }
        #pending: ReturnType<SessionStore['deleteExpired']> | undefined;
      })(),
    /reports an expiry at most once, of parallel cleanups/,
  ],
  'keeps its index in a step of its own': [
    () =>
      new (class extends MemorySessionStore {
        readonly #unlisted = new Set<string>();
        override async create(...args: Parameters<SessionStore['create']>) {
          const outcome = await super.create(...args);
          this.#unlisted.add(args[0].id);
          void pause().then(() => this.#unlisted.delete(args[0].id));
          return outcome;
        }
        override async list(...args: Parameters<SessionStore['list']>) {
          const { records, next } = await super.list(...args);
          return { records: records.filter((record) => !this.#unlisted.has(record.id)), next };
        }
      })(),
    /lists exactly what can be found after logins meet the end of all/,
  ],
  'asks its own clock': [
    () =>
      new (class extends MemorySessionStore {
        override async find(...[digest, touch]: Parameters<SessionStore['find']>) {
          return super.find(digest, { ...touch, now: Date.now() });
        }
      })(),
    /finds a record as it was created/,
  ],
};

/** The titles of the tests that fail for a store. */
const failuresOf = (makeStore: () => SessionStore): Promise<string[]> =>
  failedTests(100, () => {
    sessionStoreContract('store', async () => ({ store: makeStore(), close: async () => undefined }));
  });

describe('the session store contract', () => {
  it('holds for the memory store', async () => {
    expect(await failuresOf(() => new MemorySessionStore())).toEqual([]);
  });

  it.each(Object.entries(broken))('notices a store that %s', async (_, [makeStore, ...tests]) => {
    const failures = await failuresOf(makeStore);
    for (const test of tests) expect(failures).toContainEqual(expect.stringMatching(test));
  });

  it('says what is missing where there is no test framework', () => {
    const run = (): void => sessionStoreContract('store', () => Promise.reject(new Error('not reached')));
    expect(() => withGlobals({ describe: undefined, it: undefined }, run)).toThrow(
      expect.objectContaining({ code: 'not_configured' }),
    );
  });
});
