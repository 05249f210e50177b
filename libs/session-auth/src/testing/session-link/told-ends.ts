import assert from 'node:assert/strict';
import type { SessionEndReason } from '../../events/session-event.js';
import type { SessionRecord } from '../../session/session-record.js';
import { DAY, MINUTE } from '../../time/units.js';
import {
  IDLE,
  newDevice,
  newDigest,
  newRecord,
  newUser,
  NO_LIMIT,
  NOW,
  untouched,
} from '../session-store/sample-records.js';
import { STEADY } from './heard-signals.js';
import type { LinkedBackend, LinkTests } from './link-tests.js';

/** User ids that could corrupt a message. */
const ODD_USERS = [`"o'hara"`, 'a\nb', 'back\\slash', '["ended"]', '☃👩‍💻', '\u0000nul', '\u2028', '@staff:42', '%s {0}'];

/** Ends of all kinds, one call at a time. */
export function toldEnds({ it }: LinkTests): void {
  const reasons: SessionEndReason[] = ['logout', 'revoked', 'token_reused', 'account_disabled', 'fingerprint_mismatch'];

  it('reports the end of a session by its digest to every node, with the reason', async ({ node, nodes }) => {
    for (const [turn, reason] of reasons.entries()) {
      for (const userId of [newUser(), undefined]) {
        const record = await created(node, userId);
        await node(turn).delete(record.digest, NOW, reason);
        await nodes.heard(record, { type: 'ended', reason, userId });
      }
    }
  });

  it('reports an end by handle, with the reason', async ({ node, nodes }) => {
    for (const [turn, reason] of reasons.entries()) {
      const userId = newUser();
      const record = await created(node, userId);
      await node(turn).deleteByHandle(userId, record.id, NOW, reason);
      await nodes.heard(record, { type: 'ended', reason, userId });
    }
  });

  it('reports each session of a user that ends, with the reason, but not the one that stays', async (backend) => {
    const userId = newUser();
    const records: SessionRecord[] = [];
    for (let i = 0; i < 25; i += 1) records.push(await created(backend.node, userId, { createdAt: NOW - i }));
    const kept = records[3]!;
    for (let turn = 0, more = true; more; turn += 1) {
      const which = { limit: 10, except: kept.id, reason: 'credentials_changed' as const };
      ({ more } = await backend.node(turn).deleteByUser(userId, which, NOW));
    }
    await backend.nodes.settled(userId);
    for (const record of records) {
      if (record === kept) await backend.nodes.heard(record);
      else await backend.nodes.heard(record, { type: 'ended', reason: 'credentials_changed', userId });
    }
  });

  it('reports "revoked" without a given reason', async ({ store, node, nodes }) => {
    const userId = newUser();
    const records = [];
    for (let i = 0; i < 3; i += 1) records.push(await created(node, userId));
    await store.delete(records[0]!.digest, NOW);
    await store.deleteByHandle(userId, records[1]!.id, NOW);
    await store.deleteByUser(userId, { limit: 10 }, NOW);
    for (const record of records) await nodes.heard(record, { type: 'ended', reason: 'revoked', userId });
  });

  it('reports sessions that were evicted because of the limit', async ({ store, node, nodes }) => {
    for (const onLimit of ['evict-oldest', 'evict-least-recent'] as const) {
      const userId = newUser();
      const records = [];
      for (let i = 0; i < 4; i += 1) records.push(await created(node, userId, { createdAt: NOW - MINUTE + i }));
      await store.create(newRecord(userId), { max: 2, onLimit }, NOW);
      for (const record of records.slice(0, 3)) await nodes.heard(record, { type: 'ended', reason: 'evicted', userId });
      await nodes.settled(userId);
      await nodes.heard(records[3]!);
    }
  });

  it('reports the sessions that a login replaces: that of the device, and the named one', async (backend) => {
    const { store, nodes } = backend;
    const userId = newUser();
    const device = newDevice();
    const [ofDevice, named] = [await created(backend.node, userId, { device }), await created(backend.node, userId)];
    const replaces = { id: named.id };
    await store.create(newRecord(userId, { device }), { ...NO_LIMIT, replaces }, NOW);
    for (const record of [ofDevice, named]) await nodes.heard(record, { type: 'ended', reason: 'replaced', userId });
  });

  it('reports a session that a read finds expired, and those that a sweep removes', async (backend) => {
    const { store, nodes } = backend;
    for (const userId of [newUser(), undefined]) {
      const [read, swept] = [await created(backend.node, userId), await created(backend.node, userId)];
      assert.equal((await store.find(read.digest, untouched(NOW + IDLE))).status, 'expired');
      await nodes.heard(read, { type: 'ended', reason: 'expired', userId });
      let isSwept = false;
      for (let removed = await store.deleteExpired(NOW + IDLE, 1000); removed.length > 0;) {
        isSwept ||= removed.some(({ id }) => id === swept.id);
        removed = await store.deleteExpired(NOW + IDLE, 1000);
      }
      if (isSwept) await nodes.heard(swept, { type: 'ended', reason: 'expired', userId });
    }
  });

  it('reports once that all sessions of the realm have ended, after they have', async ({ store, node, nodes }) => {
    if (store.deleteByRealm === undefined) return;
    const userId = newUser();
    const record = await created(node, userId);
    const outcomes: Promise<string>[] = [];
    for (const { link } of nodes.nodes) {
      link.watch(({ type }) => {
        if (type === 'all_ended') outcomes.push(store.find(record.digest, untouched(NOW)).then(({ status }) => status));
      }, STEADY);
    }
    for (const [turn, which] of [{ reason: 'account_disabled' as const }, { createdBefore: NOW - DAY }].entries()) {
      await node(turn).deleteByRealm!(which, NOW);
      for (const listening of nodes.nodes) {
        const reasons = (): string[] => [
          ...new Set(listening.allEnded.map(({ realm, reason }) => `${realm} ${reason}`)),
        ];
        await listening.until('the end of all sessions', () => reasons().length > turn);
        assert.deepEqual(reasons(), ['default account_disabled', 'default revoked'].slice(0, turn + 1));
      }
    }
    assert.ok(outcomes.length >= 2 * nodes.nodes.length);
    assert.deepEqual([...new Set(await Promise.all(outcomes))], ['absent']);
    // what has ended with the realm is not reported once more
    await nodes.settled(newUser());
    await nodes.heard(record);
    if (store.ofRealm === undefined) return;
    await store.ofRealm('staff').deleteByRealm!({}, NOW);
    await nodes.settled(newUser());
    for (const { allEnded } of nodes.nodes) assert.ok(allEnded.every(({ realm }) => realm === 'default'));
  });

  it('reports nothing for calls that end nothing', async (backend) => {
    const { store, nodes } = backend;
    const [userId, foreigner] = [newUser(), newUser()];
    const record = await created(backend.node, userId);
    await store.deleteByHandle(foreigner, record.id, NOW, 'logout');
    await store.deleteByUser(foreigner, { limit: 10, reason: 'logout' }, NOW);
    await store.deleteByUser(userId, { limit: 10, except: record.id, reason: 'logout' }, NOW);
    await store.delete(newDigest(userId), NOW, 'logout');
    assert.equal((await store.create(newRecord(userId), { max: 1, onLimit: 'reject' }, NOW)).status, 'limit_reached');
    await store.find(record.digest, untouched(NOW + IDLE - 1));
    await nodes.settled(userId);
    await nodes.settled(foreigner);
    await nodes.heard(record);
  });

  it('distinguishes users with any ids', async (backend) => {
    for (const userId of [...ODD_USERS, 'x'.repeat(300)].map((odd) => odd + newUser())) {
      const [ended, listed] = [await created(backend.node, userId), await created(backend.node, userId)];
      await backend.store.delete(ended.digest, NOW, 'logout');
      await backend.store.deleteByUser(userId, { limit: 10, reason: 'logout' }, NOW);
      for (const record of [ended, listed]) {
        await backend.nodes.heard(record, { type: 'ended', reason: 'logout', userId });
      }
    }
  });

  it('ends a session even if the id of its user is too long for a message', async ({ store, node, nodes }) => {
    const userId = newUser() + '"'.repeat(9000);
    const record = await created(node, userId);
    await store.deleteByUser(userId, { limit: 10, reason: 'logout' }, NOW);
    await nodes.settled(newUser());
    for (const { of } of nodes.nodes.map((each) => ({ of: each.of(record) }))) {
      assert.equal(of.length, 1);
      assert.ok(of[0]!.userId === userId || of[0]!.userId === undefined);
    }
  });
}

/** Makes a session on a node. */
export async function created(
  node: LinkedBackend['node'],
  userId: string | undefined,
  given: Partial<SessionRecord> = {},
): Promise<SessionRecord> {
  const record = newRecord(userId, given);
  assert.equal((await node(0).create(record, NO_LIMIT, NOW)).status, 'created');
  return record;
}
