import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { shardTagOf } from '../crypto/session-token.js';
import type {
  RememberMeTokenRecord,
  RememberMeTokenStore,
  RememberMeUse,
  RememberMeUseOutcome,
} from '../remember-me/remember-me-token-store.js';
import { storeTests, type StoreTest } from './store-tests.js';
import { testFramework } from './test-framework.js';
import { DAY } from '../time/units.js';

/** A store made for one test. */
export interface RememberMeTokenStoreUnderTest {
  readonly store: RememberMeTokenStore;
  /** Makes a second instance on the same backend, as another node of the application has it. */
  readonly another?: () => Promise<RememberMeTokenStore>;
  /** Ends both instances and empties or drops the backend. */
  close(): Promise<void>;
}

type Body = StoreTest<RememberMeTokenStore>;

const NOW = Date.UTC(2026, 0, 15, 12);
const GRACE = 30_000;
const MAX = 100;

/**
 * Declares the tests that every `RememberMeTokenStore` must pass: each sentence of the port's contract, races
 * included. It is used as `sessionStoreContract` is.
 *
 * @param name what the tests are listed under
 * @param makeStore makes the store of one test
 * @throws SessionAuthError `not_configured` where there is no `describe` and `it`
 */
export function rememberMeTokenStoreContract(
  name: string,
  makeStore: () => Promise<RememberMeTokenStoreUnderTest>,
): void {
  const framework = testFramework();
  const it = storeTests(framework, makeStore);
  framework.describe(`${name}: remember-me token store contract`, () => {
    framework.describe('keeps records', () => recordTests(it));
    framework.describe('uses tokens once', () => useTests(it));
    framework.describe('is atomic in parallel', () => raceTests(it));
  });
}

function recordTests(it: (title: string, body: Body) => void): void {
  for (const userId of ['alice', '0', '}{*', 'üñí\u2028\n"', '__proto__', 'x'.repeat(2000)]) {
    it(`and answers them unchanged for the user ${JSON.stringify(userId.slice(0, 20))}`, async (store) => {
      const record = newRecord(userId, { ip: '2001:db8::1', userAgent: 'agent "quoted"\u2028 ünïcode \\' });
      await store.create(record, MAX, NOW);
      assert.deepEqual(defined((await store.list(userId, NOW))[0]!), defined(record));
      assert.deepEqual(defined((await store.delete(record.selector, NOW))!), defined(record));
    });
  }

  it('newest first, of one user only, and none that has expired', async (store) => {
    const alice = newUser();
    const bob = newUser();
    const records = [3, 1, 2].map((age) =>
      newRecord(alice, { createdAt: NOW - age * DAY, expiresAt: NOW + age * DAY }),
    );
    for (const record of [...records, newRecord(bob)]) await store.create(record, MAX, NOW);
    assert.deepEqual(idsOf(await store.list(alice, NOW)), [records[1]!.id, records[2]!.id, records[0]!.id]);
    assert.deepEqual(idsOf(await store.list(alice, NOW + DAY)), [records[2]!.id, records[0]!.id]);
    assert.deepEqual(await store.list(newUser(), NOW), []);
  });

  it('and lets the oldest go beyond the most of a user', async (store) => {
    const alice = newUser();
    const records = [1, 2, 3, 4, 5].map((age) => newRecord(alice, { createdAt: NOW + age }));
    for (const record of records) await store.create(record, 3, NOW);
    assert.deepEqual(idsOf(await store.list(alice, NOW)), idsOf(records.slice(2).reverse()));
    assert.equal((await use(store, records[0]!)).status, 'absent');
    assert.equal((await use(store, records[4]!)).status, 'used');
  });

  it('copies in and copies out', async (store) => {
    const record = { ...newRecord(newUser()) };
    await store.create(record, MAX, NOW);
    (record as { ip?: string }).ip = 'changed';
    const [listed] = await store.list(record.userId, NOW);
    assert.notEqual(listed!.ip, 'changed');
    (listed as { ip?: string }).ip = 'changed';
    assert.notEqual((await store.list(record.userId, NOW))[0]!.ip, 'changed');
  });

  it('until they are deleted, by selector, once', async (store) => {
    const record = newRecord(newUser());
    await store.create(record, MAX, NOW);
    assert.equal((await store.delete(record.selector, NOW))?.id, record.id);
    assert.equal(await store.delete(record.selector, NOW), undefined);
    assert.equal((await use(store, record)).status, 'absent');
    assert.deepEqual(await store.list(record.userId, NOW), []);
  });

  it('until they are deleted by handle, by their own user only', async (store) => {
    const record = newRecord(newUser());
    await store.create(record, MAX, NOW);
    assert.equal(await store.deleteById(newUser(), record.id, NOW), false);
    assert.equal(await store.deleteById(record.userId, newRecord('x').id, NOW), false);
    assert.equal(await store.deleteById(record.userId, record.id, NOW), true);
    assert.equal(await store.deleteById(record.userId, record.id, NOW), false);
  });

  it('until their session ends, or all sessions but one do', async (store) => {
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

  it('until they expire, which counts for every operation', async (store) => {
    const record = newRecord(newUser(), { expiresAt: NOW + DAY });
    await store.create(record, MAX, NOW);
    const later = NOW + DAY;
    assert.equal((await use(store, record, { now: later })).status, 'absent');
    assert.equal(await store.deleteById(record.userId, record.id, later), false);
    const other = newRecord(record.userId, { expiresAt: NOW + DAY });
    await store.create(other, MAX, NOW);
    assert.equal(await store.deleteByUser(record.userId, undefined, later), 0);
    const third = newRecord(record.userId, { expiresAt: NOW + DAY });
    await store.create(third, MAX, NOW);
    assert.equal(await store.delete(third.selector, later), undefined);
  });
}

function useTests(it: (title: string, body: Body) => void): void {
  it('replaces the validator, and notes the use and its session', async (store) => {
    const record = newRecord(newUser());
    await store.create(record, MAX, NOW);
    const outcome = await use(store, record, { successor: 'B'.repeat(43), now: NOW + DAY, sessionId: 's'.repeat(20) });
    assert.equal(outcome.status, 'used');
    const expected = {
      ...record,
      validatorDigest: 'B'.repeat(43),
      lastUsedAt: NOW + DAY,
      sessionId: 's'.repeat(20),
    };
    assert.deepEqual(defined(outcome.record), defined(expected));
    assert.deepEqual(defined((await store.list(record.userId, NOW + DAY))[0]!), defined(expected));
    assert.equal(await store.deleteBySession(record.userId, record.sessionId, NOW), 0);
  });

  it('moves the end where that is asked for', async (store) => {
    const record = newRecord(newUser(), { expiresAt: NOW + DAY });
    await store.create(record, MAX, NOW);
    await use(store, record, { successor: 'B'.repeat(43), expiresAt: NOW + 10 * DAY });
    const [listed] = await store.list(record.userId, NOW + 9 * DAY);
    assert.equal(listed?.expiresAt, NOW + 10 * DAY);
  });

  it('honours a replaced validator in its grace and changes nothing', async (store) => {
    const record = newRecord(newUser());
    await store.create(record, MAX, NOW);
    await use(store, record, { successor: 'B'.repeat(43) });
    const before = await store.list(record.userId, NOW);
    const outcome = await use(store, record, { successor: 'X'.repeat(43), now: NOW + GRACE - 1 });
    assert.equal(outcome.status, 'reused');
    assert.equal(outcome.replaced, 1);
    assert.equal(outcome.record.validatorDigest, 'B'.repeat(43));
    assert.deepEqual(await store.list(record.userId, NOW), before);
  });

  it('honours every validator of a quick chain, and tells how far back it is', async (store) => {
    const record = newRecord(newUser());
    await store.create(record, MAX, NOW);
    const chain = [record.validatorDigest, ...['B', 'C', 'D'].map((letter) => letter.repeat(43))];
    for (let i = 0; i < 3; i += 1) {
      await use(store, record, { presented: chain[i], successor: chain[i + 1], now: NOW + i * 10_000 });
    }
    for (let back = 1; back <= 3; back += 1) {
      const outcome = await use(store, record, { presented: chain[3 - back], now: NOW + 25_000 });
      assert.equal(outcome.status, 'reused');
      assert.equal(outcome.replaced, back);
    }
    // the first was replaced at NOW: its grace is over, that of the others is not
    assert.equal((await use(store, record, { presented: chain[1], now: NOW + GRACE })).status, 'reused');
    assert.equal((await use(store, record, { presented: chain[0], now: NOW + GRACE })).status, 'theft');
  });

  it('takes a replaced validator after its grace for stolen, and removes the record', async (store) => {
    const record = newRecord(newUser());
    await store.create(record, MAX, NOW);
    await use(store, record, { successor: 'B'.repeat(43) });
    const outcome = await use(store, record, { now: NOW + GRACE });
    assert.equal(outcome.status, 'theft');
    assert.equal(outcome.record.id, record.id);
    assert.equal((await use(store, record, { presented: 'B'.repeat(43), now: NOW + GRACE })).status, 'absent');
    assert.deepEqual(await store.list(record.userId, NOW), []);
  });

  it('honours nothing replaced with a grace of 0', async (store) => {
    const record = newRecord(newUser());
    await store.create(record, MAX, NOW);
    await use(store, record, { successor: 'B'.repeat(43), reuseGrace: 0 });
    assert.equal((await use(store, record, { reuseGrace: 0 })).status, 'theft');
  });

  it('takes a wrong validator for stolen, and an unknown selector for absent', async (store) => {
    const record = newRecord(newUser());
    await store.create(record, MAX, NOW);
    assert.equal((await use(store, newRecord(record.userId))).status, 'absent');
    assert.equal((await use(store, record, { presented: 'W'.repeat(43) })).status, 'theft');
    assert.equal((await use(store, record, { presented: 'W'.repeat(43) })).status, 'absent');
  });

  it('removes what has expired, in bounded steps, and counts it once', async (store, node) => {
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

function raceTests(it: (title: string, body: Body) => void): void {
  it('lets one of twenty tabs replace the validator, and honours the others', async (store, node) => {
    const record = newRecord(newUser());
    await store.create(record, MAX, NOW);
    const outcomes = await Promise.all(
      Array.from({ length: 20 }, (_, i) => use(node(i), record, { successor: 'B'.repeat(43) })),
    );
    assert.equal(outcomes.filter(({ status }) => status === 'used').length, 1);
    assert.equal(outcomes.filter(({ status }) => status === 'reused').length, 19);
    assert.equal((await store.list(record.userId, NOW)).length, 1);
  });

  it('tells one of twenty thieves', async (store, node) => {
    const record = newRecord(newUser());
    await store.create(record, MAX, NOW);
    const outcomes = await Promise.all(
      Array.from({ length: 20 }, (_, i) => use(node(i), record, { presented: 'W'.repeat(43) })),
    );
    assert.equal(outcomes.filter(({ status }) => status === 'theft').length, 1);
    assert.equal(outcomes.filter(({ status }) => status === 'absent').length, 19);
  });

  it('never brings back what was revoked while it was used', async (store, node) => {
    for (let round = 0; round < 20; round += 1) {
      const record = newRecord(newUser());
      await store.create(record, MAX, NOW);
      await Promise.all([
        use(node(round), record, { successor: 'B'.repeat(43), expiresAt: NOW + 20 * DAY }),
        round % 2 === 0
          ? node(round + 1).delete(record.selector, NOW)
          : node(round + 1).deleteByUser(record.userId, undefined, NOW),
      ]);
      assert.deepEqual(await store.list(record.userId, NOW), []);
      assert.equal((await use(store, record, { presented: 'B'.repeat(43) })).status, 'absent');
    }
  });

  it('keeps no more than the most of a user through parallel logins', async (store, node) => {
    const alice = newUser();
    const records = Array.from({ length: 30 }, (_, i) => newRecord(alice, { createdAt: NOW + i }));
    await Promise.all(records.map((record, i) => node(i).create(record, 5, NOW)));
    assert.equal((await store.list(alice, NOW)).length, 5);
  });

  it('reports each of a user in one of parallel revocations', async (store, node) => {
    const alice = newUser();
    for (let i = 0; i < 10; i += 1) await store.create(newRecord(alice), MAX, NOW);
    const counts = await Promise.all(Array.from({ length: 5 }, (_, i) => node(i).deleteByUser(alice, undefined, NOW)));
    assert.equal(
      counts.reduce((sum, each) => sum + each, 0),
      10,
    );
  });
}

type Narrowed = RememberMeUseOutcome & { readonly record: RememberMeTokenRecord; readonly replaced: number };

/** Uses a record's token; without changes, as its client would at NOW. */
async function use(
  store: RememberMeTokenStore,
  record: RememberMeTokenRecord,
  changes: Partial<RememberMeUse> = {},
): Promise<Narrowed> {
  const outcome = await store.use(record.selector, {
    presented: record.validatorDigest,
    successor: 'S'.repeat(43),
    now: NOW,
    reuseGrace: GRACE,
    sessionId: newHandle(),
    ...changes,
  });
  return outcome as Narrowed;
}

function newUser(): string {
  return `user-${randomBytes(9).toString('base64url')}`;
}

function newHandle(): string {
  return randomBytes(15).toString('base64url');
}

function newRecord(userId: string, changes: Partial<RememberMeTokenRecord> = {}): RememberMeTokenRecord {
  return {
    selector: shardTagOf(userId) + randomBytes(16).toString('base64url'),
    id: newHandle(),
    userId,
    validatorDigest: randomBytes(32).toString('base64url'),
    createdAt: NOW,
    lastUsedAt: NOW,
    expiresAt: NOW + 30 * DAY,
    sessionId: newHandle(),
    ...changes,
  };
}

function idsOf(records: readonly RememberMeTokenRecord[]): string[] {
  return records.map(({ id }) => id);
}

/** Without keys that hold undefined, which a store may leave out. */
function defined(record: RememberMeTokenRecord): object {
  return Object.fromEntries(Object.entries(record).filter(([, value]) => value !== undefined));
}
