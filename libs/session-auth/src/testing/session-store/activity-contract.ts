import assert from 'node:assert/strict';
import type { SessionRecord } from '../../session/session-record.js';
import type { SessionStore, Touch } from '../../session/session-store.js';
import type { ContractTests } from './contract-tests.js';
import { MINUTE, SECOND } from '../../time/units.js';
import {
  ABSOLUTE,
  IDLE,
  newRecord,
  newUser,
  nextDigest,
  NO_LIMIT,
  NO_MAXIMUM,
  NOW,
  untouched,
} from './sample-records.js';
import { assertSame, isLive, listedIds, liveRecord } from './store-queries.js';
import { moveOn } from './token-steps.js';

/** The touch in `find`, and the absence of expired records. */
export function activityContract({ it }: ContractTests): void {
  it('writes nothing within the touch interval', async ({ store }) => {
    const record = await create(store);
    const outcome = await store.find(record.digest, { now: NOW + MINUTE - 1, idle: IDLE, interval: MINUTE });
    assert.equal(outcome.status, 'live');
    assertSame(outcome.record, record);
    assertSame(await liveRecord(store, record.digest), record);
  });

  it('sets last activity and idle expiry after the touch interval', async ({ store }) => {
    const record = await create(store);
    const now = NOW + MINUTE;
    const touched = { ...record, lastActivityAt: now, expiresAt: now + IDLE };
    const outcome = await store.find(record.digest, { now, idle: IDLE, interval: MINUTE });
    assert.equal(outcome.status, 'live');
    assertSame(outcome.record, touched);
    assertSame(await liveRecord(store, record.digest, now), touched);
    assertSame((await store.list(record.userId!, { limit: 1 }, now)).records[0]!, touched);
  });

  it('keeps address and user agent only of clients that touch a session', async ({ store }) => {
    const seen = { ip: '203.0.113.7', userAgent: 'Agent "of" the\\ touch, \n"g":"x" \u2028' };
    for (const before of [{}, { ip: '192.0.2.1', userAgent: 'Agent of the login' }]) {
      const record = newRecord(newUser(), { data: { ip: 'kept', '"g":': 1 }, ...before });
      await store.create(record, NO_LIMIT, NOW);
      const touchAt = (now: number): Touch => ({ now, idle: IDLE, interval: MINUTE, client: seen });
      // within the interval nothing is written
      assert.equal((await store.find(record.digest, touchAt(NOW + MINUTE - 1))).status, 'live');
      assertSame(await liveRecord(store, record.digest), record);
      const now = NOW + MINUTE;
      const touched = { ...record, ...seen, lastActivityAt: now, expiresAt: now + IDLE };
      const outcome = await store.find(record.digest, touchAt(now));
      assert.equal(outcome.status, 'live');
      assertSame(outcome.record, touched);
      assertSame(await liveRecord(store, record.digest, now), touched);
      // keeps values that the next client does not send
      const later = { now: now + MINUTE, idle: IDLE, interval: MINUTE, client: { ip: '192.0.2.9' } };
      const next = { ...touched, ip: '192.0.2.9', lastActivityAt: later.now, expiresAt: later.now + IDLE };
      await store.find(record.digest, later);
      assertSame(await liveRecord(store, record.digest, later.now), next);
      await store.find(record.digest, { now: later.now + MINUTE, idle: IDLE, interval: MINUTE });
      assert.equal((await liveRecord(store, record.digest)).ip, '192.0.2.9');
    }
  });

  it('keeps nothing of a client whose token is not honoured', async ({ store }) => {
    const record = await create(store);
    const touch = {
      now: NOW + MINUTE,
      idle: IDLE,
      interval: MINUTE,
      client: { ip: '203.0.113.7', userAgent: 'thief' },
    };
    assert.equal((await store.find(nextDigest(record.digest), touch)).status, 'live');
    assertSame(await liveRecord(store, record.digest), record);
  });

  it('measures the touch interval from the last touch', async ({ store }) => {
    const record = await create(store);
    const touch = { idle: IDLE, interval: MINUTE };
    await store.find(record.digest, { now: NOW + MINUTE, ...touch });
    await store.find(record.digest, { now: NOW + 2 * MINUTE - 1, ...touch });
    assert.equal((await liveRecord(store, record.digest)).lastActivityAt, NOW + MINUTE);
    await store.find(record.digest, { now: NOW + 2 * MINUTE, ...touch });
    assert.equal((await liveRecord(store, record.digest)).lastActivityAt, NOW + 2 * MINUTE);
  });

  it('touches anonymous sessions too', async ({ store }) => {
    const record = newRecord(undefined);
    await store.create(record, NO_LIMIT, NOW);
    const now = NOW + MINUTE;
    await store.find(record.digest, { now, idle: IDLE, interval: MINUTE });
    assertSame(await liveRecord(store, record.digest, now), { ...record, lastActivityAt: now, expiresAt: now + IDLE });
  });

  it('keeps a session in use alive to its absolute deadline and no further', async ({ store }) => {
    const record = await create(store);
    for (let now = NOW; now < NOW + ABSOLUTE; now += IDLE - MINUTE) {
      const outcome = await store.find(record.digest, { now, idle: IDLE, interval: MINUTE });
      assert.equal(outcome.status, 'live');
      assert.equal(outcome.record.expiresAt, Math.min(now + IDLE, record.absoluteExpiresAt));
    }
    assert.ok(await isLive(store, record.digest, NOW + ABSOLUTE - 1));
    const outcome = await store.find(record.digest, { now: NOW + ABSOLUTE, idle: IDLE, interval: MINUTE });
    assert.equal(outcome.status, 'expired');
  });

  it('never decreases a time, even if the clock of a node is behind', async ({ store, node }) => {
    const record = await create(store);
    const now = NOW + 5 * MINUTE;
    await store.find(record.digest, { now, idle: IDLE, interval: 0 });
    for (const behind of [1, SECOND, 4 * MINUTE, 10 * MINUTE]) {
      const outcome = await node(1).find(record.digest, { now: now - behind, idle: IDLE, interval: 0 });
      assert.equal(outcome.status, 'live');
      const found = await liveRecord(store, record.digest, now);
      assert.equal(found.lastActivityAt, now);
      assert.equal(found.expiresAt, now + IDLE);
    }
  });

  it('does not count reading a list, updating or changing the account as activity', async ({ store }) => {
    const record = await create(store);
    const now = NOW + 10 * MINUTE;
    await store.list(record.userId!, { limit: 10 }, now);
    await store.update(record.digest, { a: 1 }, now, NO_MAXIMUM);
    await store.updateByUser(record.userId!, { roles: [] }, now);
    const found = await liveRecord(store, record.digest, now);
    assert.equal(found.lastActivityAt, record.lastActivityAt);
    assert.equal(found.expiresAt, record.expiresAt);
  });

  it('finds a session to the last millisecond, and reports its expiry once', async ({ store }) => {
    for (const userId of [newUser(), undefined]) {
      const record = newRecord(userId);
      await store.create(record, NO_LIMIT, NOW);
      assert.ok(await isLive(store, record.digest, NOW + IDLE - 1));
      const outcome = await store.find(record.digest, untouched(NOW + IDLE));
      assert.equal(outcome.status, 'expired');
      assertSame(outcome.ended, { id: record.id, userId });
      assert.deepEqual(await store.find(record.digest, untouched(NOW + IDLE)), { status: 'absent' });
      assert.deepEqual(await store.find(record.digest, untouched(NOW)), { status: 'absent' });
    }
  });

  it('does not let a touch that comes too late save a session', async ({ store }) => {
    const record = await create(store);
    const outcome = await store.find(record.digest, { now: NOW + IDLE, idle: IDLE, interval: 0 });
    assert.equal(outcome.status, 'expired');
    assert.ok(!(await isLive(store, record.digest)));
  });

  it('reports an expiry once, with any digest of a session', async ({ store }) => {
    for (let by = 0; by < 3; by++) {
      const record = await create(store);
      const { digest } = await moveOn(store, record, { now: NOW + IDLE - MINUTE, grace: 2 * MINUTE });
      const digests = [record.digest, digest, nextDigest(digest)];
      const outcome = await store.find(digests[by]!, untouched(NOW + IDLE));
      assert.equal(outcome.status, 'expired');
      assertSame(outcome.ended, { id: record.id, userId: record.userId });
      for (const each of digests) assert.deepEqual(await store.find(each, untouched(NOW + IDLE)), { status: 'absent' });
    }
  });

  const operations: Readonly<
    Record<string, (store: SessionStore, record: SessionRecord, now: number) => Promise<void>>
  > = {
    async update(store, { digest }, now) {
      assert.deepEqual(await store.update(digest, { a: 1 }, now, NO_MAXIMUM), { status: 'absent' });
    },
    async rotate(store, { digest }, now) {
      for (const revision of [0, 1]) {
        const changes = { expiresAt: now + IDLE, lastActivityAt: now };
        assert.deepEqual(await store.rotate(digest, { revision, now, changes }), { status: 'absent' });
      }
    },
    async delete(store, { digest }, now) {
      assert.equal(await store.delete(digest, now), undefined);
    },
    async deleteByHandle(store, { id, userId }, now) {
      assert.equal(await store.deleteByHandle(userId!, id, now), undefined);
    },
    async deleteByUser(store, { userId }, now) {
      let step = await store.deleteByUser(userId!, { limit: 10 }, now);
      assert.deepEqual(step.ended, []);
      while (step.more) step = await store.deleteByUser(userId!, { limit: 10 }, now);
    },
    async updateByUser(store, { userId }, now) {
      assert.equal(await store.updateByUser(userId!, { roles: ['admin'] }, now), 0);
    },
    async list(store, { userId }, now) {
      assert.deepEqual(await listedIds(store, userId!, now), []);
    },
  };
  for (const [operation, expectAbsent] of Object.entries(operations)) {
    it(`treats an expired session as absent in ${operation}`, async ({ store }) => {
      const record = await create(store);
      await expectAbsent(store, record, NOW + IDLE);
      assert.ok(!(await isLive(store, record.digest, NOW + IDLE)));
      assert.deepEqual(await listedIds(store, record.userId!, NOW + IDLE), []);
    });
  }

  it('removes expired sessions in deleteByUser without reporting them', async ({ store }) => {
    const record = await create(store);
    const other = newRecord(record.userId, { createdAt: NOW + SECOND });
    await store.create(other, NO_LIMIT, NOW + SECOND);
    const ended: unknown[] = [];
    let step;
    do {
      step = await store.deleteByUser(record.userId!, { limit: 10 }, NOW + IDLE);
      ended.push(...step.ended);
    } while (step.more);
    assert.deepEqual(ended, [{ id: other.id, userId: record.userId }]);
    assert.deepEqual(await store.find(record.digest, untouched(NOW + IDLE)), { status: 'absent' });
  });
}

async function create(store: SessionStore): Promise<SessionRecord> {
  const record = newRecord(newUser(), { data: { kept: true } });
  await store.create(record, NO_LIMIT, NOW);
  return record;
}
