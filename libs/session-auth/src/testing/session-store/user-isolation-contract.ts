import assert from 'node:assert/strict';
import type { ContractTests } from './contract-tests.js';
import { newDevice, newRecord, NO_LIMIT, NOW } from './sample-records.js';
import { assertSame, CREATED, endAll, isLive, listedIds, liveRecord } from './store-queries.js';

/** User ids that could be mistaken for something else, or for each other. */
const AWKWARD_USERS = [
  '0',
  '00',
  ' ',
  'a',
  'A',
  'a ',
  'a\n',
  'ä',
  'a\u0308',
  '}',
  '{x}',
  '*',
  '?',
  '%',
  '_',
  "' or '1'='1",
  '\\',
  '../..',
  '__proto__',
  'constructor',
  'null',
  'undefined',
  'line\nbreak',
  '\u2028',
  '👩‍💻',
  'x'.repeat(2000),
  `${'x'.repeat(1999)}y`,
];

/** Sessions of every user are separate, even with awkward ids. */
export function userIsolationContract({ it }: ContractTests): void {
  it('separates the sessions of users with awkward names, in all operations', async ({ store }) => {
    for (const userId of AWKWARD_USERS) await endAll(store, userId);
    const records = AWKWARD_USERS.map((userId) => newRecord(userId, { roles: [userId], data: { userId } }));
    for (const record of records) {
      const outcome = await store.create(record, { max: 1, onLimit: 'reject' }, NOW);
      assert.deepEqual(outcome, CREATED, `create for ${JSON.stringify(record.userId)}`);
    }
    for (const record of records) {
      assertSame(await liveRecord(store, record.digest), record);
      assert.deepEqual(await listedIds(store, record.userId!), [record.id]);
    }
    for (const [i, record] of records.entries()) {
      const userId = record.userId!;
      assert.equal(await store.updateByUser(userId, { email: `${i}@example.com` }, NOW), 1);
      const others = records.slice(i + 1);
      for (const other of others) assert.equal(await store.deleteByHandle(userId, other.id, NOW), undefined);
      assertSame(await store.deleteByUser(userId, { limit: 10 }, NOW), {
        ended: [{ id: record.id, userId }],
        more: false,
      });
      assert.deepEqual(await listedIds(store, userId), []);
      for (const other of others) assert.ok(await isLive(store, other.digest), `${userId} ended ${other.userId}`);
    }
  });

  it('counts no session of another user against a limit', async ({ store }) => {
    for (const userId of AWKWARD_USERS) await endAll(store, userId);
    for (const onLimit of ['evict-oldest', 'evict-least-recent'] as const) {
      const records = AWKWARD_USERS.map((userId) => newRecord(userId, { createdAt: NOW + 1 }));
      const evicted: string[] = [];
      for (const record of records) {
        const outcome = await store.create(record, { max: 1, onLimit }, NOW);
        assert.equal(outcome.status, 'created');
        evicted.push(...outcome.evicted.map((ended) => ended.userId!));
      }
      assert.deepEqual(evicted, onLimit === 'evict-oldest' ? [] : AWKWARD_USERS);
      for (const record of records) assert.deepEqual(await listedIds(store, record.userId!), [record.id]);
    }
    for (const userId of AWKWARD_USERS) await endAll(store, userId);
  });

  it('never mistakes the device of one user for another’s', async ({ store }) => {
    for (const userId of AWKWARD_USERS) await endAll(store, userId);
    const device = newDevice();
    for (const sharedFor of [0, 1000]) {
      const admission = { ...NO_LIMIT, sharedFor };
      const records = AWKWARD_USERS.map((userId) => newRecord(userId, { device }));
      for (const record of records) assert.deepEqual(await store.create(record, admission, NOW), CREATED);
      for (const record of records) assert.deepEqual(await endAll(store, record.userId!), [record.id]);
    }
  });

  it('shows anonymous sessions to no user', async ({ store }) => {
    const anonymous = newRecord(undefined);
    await store.create(anonymous, NO_LIMIT, NOW);
    for (const userId of ['undefined', '', 'null', '.'.repeat(22)]) {
      await endAll(store, userId);
      assert.equal(await store.updateByUser(userId, { roles: ['admin'] }, NOW), 0);
      assert.equal(await store.deleteByHandle(userId, anonymous.id, NOW), undefined);
    }
    assertSame(await liveRecord(store, anonymous.digest), anonymous);
  });
}
