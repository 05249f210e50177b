import assert from 'node:assert/strict';
import type { SessionRecord } from '../../session/session-record.js';
import { newRecord, newUser, nextDigest, NO_LIMIT, NOW, untouched } from '../session-store/sample-records.js';
import { STEADY } from './heard-signals.js';
import type { LinkTests } from './link-tests.js';
import { created } from './told-ends.js';

/** Many callers on all nodes at once. */
export function toldInParallel({ it }: LinkTests): void {
  it('reports an end after it has taken place, not before', async ({ node, nodes }) => {
    const userId = newUser();
    const outcomes: Promise<string>[] = [];
    const records = [];
    for (let i = 0; i < 20; i += 1) {
      const record = await created(node, userId);
      records.push(record);
      for (const { link, store } of nodes.nodes) {
        link.watch((signal) => {
          if (signal.type !== 'ended' || signal.id !== record.id) return;
          outcomes.push(store.find(record.digest, untouched(NOW)).then(({ status }) => status));
        }, STEADY);
      }
    }
    await Promise.all(records.map((record, turn) => node(turn).delete(record.digest, NOW, 'logout')));
    for (const record of records) await nodes.heard(record, { type: 'ended', reason: 'logout', userId });
    assert.ok(outcomes.length >= records.length * nodes.nodes.length);
    assert.deepEqual([...new Set(await Promise.all(outcomes))], ['absent']);
  });

  it('has received everything published before a heartbeat that has returned', async ({ node, nodes }) => {
    const userId = newUser();
    for (let round = 0; round < 20; round += 1) {
      const record = await created(node, userId);
      await node(round).delete(record.digest, NOW, 'logout');
      for (const { link } of nodes.nodes) await link.prove?.();
      for (const listening of nodes.nodes) {
        assert.ok(listening.link.prove === undefined || listening.of(record).length === 1, 'the end was not heard');
      }
    }
  });

  it('reports exactly the ends that happen, while sessions of many users end in all ways', async ({ node, nodes }) => {
    const users = Array.from({ length: 12 }, () => newUser());
    const records: SessionRecord[] = [];
    for (const userId of users) for (let i = 0; i < 6; i += 1) records.push(await created(node, userId));
    const ends = users.map((userId, turn) => {
      const [first, second, third, fourth] = records.filter((record) => record.userId === userId);
      const [here, there] = [node(turn), node(turn + 1)];
      return Promise.all([
        here.delete(first!.digest, NOW, 'logout'),
        there.deleteByHandle(userId, second!.id, NOW, 'revoked'),
        here.rotate(third!.digest, {
          revision: 0,
          now: NOW,
          changes: { digest: nextDigest(third!.digest), factors: { totp: NOW } },
        }),
        there.create(newRecord(userId), { max: 2, onLimit: 'evict-oldest' }, NOW),
        there.delete(fourth!.digest, NOW, 'logout'),
        turn % 3 === 0 && here.deleteByUser(userId, { limit: 100, reason: 'account_disabled' }, NOW),
        turn % 3 === 1 && here.updateByUser(userId, { roles: ['teller'] }, NOW),
      ]);
    });
    await Promise.all(ends);
    for (const userId of users) await nodes.settled(userId);
    for (const record of records) {
      const { status } = await node(0).find(record.digest, untouched(NOW));
      for (const listening of nodes.nodes) {
        const told = listening.of(record).filter(({ type }) => type === 'ended');
        assert.equal(
          told.length,
          status === 'absent' ? 1 : 0,
          `a session that is ${status} was reported ${told.length} times`,
        );
      }
    }
  });

  it('calls all listeners even if one throws', async ({ store, nodes }) => {
    const record = newRecord(newUser());
    await store.create(record, NO_LIMIT, NOW);
    nodes.nodes[0]!.link.watch(() => {
      throw new Error('a listener of the test fails');
    }, STEADY);
    assert.ok(await store.delete(record.digest, NOW, 'logout'));
    await nodes.heard(record, { type: 'ended', reason: 'logout', userId: record.userId });
  });
}
