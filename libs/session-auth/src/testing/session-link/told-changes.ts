import assert from 'node:assert/strict';
import type { Rotation } from '../../session/session-store.js';
import { MINUTE } from '../../time/units.js';
import { IDLE, newRecord, newUser, nextDigest, NO_LIMIT, NO_MAXIMUM, NOW } from '../session-store/sample-records.js';
import type { LinkTests } from './link-tests.js';
import { ListeningNodes, STEADY } from './heard-signals.js';
import { created } from './told-ends.js';

/** Changes of live sessions, and operations that publish nothing. */
export function toldChanges({ it }: LinkTests): void {
  const changes: Rotation['changes'][] = [
    { roles: ['admin'] },
    { email: 'new@example.com' },
    { factors: { totp: NOW } },
    { authentication: 'remember-me' },
    { authenticatedAt: NOW },
  ];

  it('reports a rotation that changes roles, e-mail, factors or authentication', async ({ node, nodes }) => {
    for (const [turn, change] of changes.entries()) {
      for (const userId of [newUser(), undefined]) {
        const record = await created(node, userId);
        const rotation = { revision: 0, now: NOW, changes: { ...change, digest: nextDigest(record.digest) } };
        assert.equal((await node(turn).rotate(record.digest, rotation)).status, 'rotated');
        await nodes.heard(record, { type: 'changed', userId });
      }
    }
  });

  it('reports each session of a user whose account changes', async ({ store, node, nodes }) => {
    const userId = newUser();
    const records = [];
    for (let i = 0; i < 20; i += 1) records.push(await created(node, userId, { createdAt: NOW - (i % 3) }));
    const foreign = await created(node, newUser());
    assert.equal(await store.updateByUser(userId, { roles: ['teller'] }, NOW), 20);
    for (const record of records) await nodes.heard(record, { type: 'changed', userId });
    await nodes.settled(foreign.userId);
    await nodes.heard(foreign);
  });

  it('reports no touches, data, routine replacements of tokens, or failed changes', async ({ store, node, nodes }) => {
    const userId = newUser();
    const record = await created(node, userId);
    await store.find(record.digest, { now: NOW + MINUTE, idle: IDLE, interval: 1 });
    await store.update(record.digest, { theme: 'dark' }, NOW, NO_MAXIMUM);
    const token = { digest: nextDigest(record.digest), rotatedAt: NOW + MINUTE };
    assert.equal((await store.rotate(record.digest, { revision: 0, now: NOW, changes: token })).status, 'rotated');
    const late = { revision: 0, now: NOW, changes: { roles: ['admin'] } };
    assert.equal((await store.rotate(record.digest, late)).status, 'changed');
    await nodes.settled(userId);
    await nodes.heard(record);
  });

  it('reports changes of data and replaced tokens on request', async ({ node, nodes }) => {
    for (const turn of [0, 1]) {
      const userId = newUser();
      const [changed, rotated, refused] = [
        await created(node, userId),
        await created(node, userId),
        await created(node, userId),
      ];
      await node(turn).update(changed.digest, { theme: 'dark' }, NOW, NO_MAXIMUM, true);
      await nodes.heard(changed, { type: 'changed', userId });
      const token = { digest: nextDigest(rotated.digest), rotatedAt: NOW };
      await node(turn).rotate(rotated.digest, { revision: 0, now: NOW, changes: token, isTold: true });
      await nodes.heard(rotated, { type: 'changed', userId });
      assert.equal((await node(turn).update(refused.digest, { theme: 'dark' }, NOW, 1, true)).status, 'too_large');
      await nodes.settled(userId);
      await nodes.heard(refused);
    }
  });

  it('stops on request, and continues for others', async ({ store, nodes }) => {
    const record = newRecord(newUser());
    await store.create(record, NO_LIMIT, NOW);
    const heard: string[] = [];
    const { link } = nodes.nodes[0]!;
    const unwatch = link.watch(() => heard.push('first'), STEADY);
    link.watch(() => heard.push('second'), STEADY);
    unwatch();
    unwatch();
    await store.delete(record.digest, NOW, 'logout');
    await nodes.heard(record, { type: 'ended', reason: 'logout', userId: record.userId });
    assert.deepEqual([...new Set(heard)], ['second']);
  });

  it('reports only sessions of its realm', async ({ store, node, nodes }) => {
    if (store.ofRealm === undefined) return;
    const ofStaff = [0, 1].map((turn) => node(turn).ofRealm!('staff'));
    const staff = await ListeningNodes.open(ofStaff);
    try {
      const userId = newUser();
      const record = await created(node, userId);
      await ofStaff[0]!.create(record, NO_LIMIT, NOW);
      await ofStaff[1]!.deleteByUser(userId, { limit: 10, reason: 'logout' }, NOW);
      await staff.heard(record, { type: 'ended', reason: 'logout', userId, realm: 'staff' });
      await nodes.settled(userId);
      await nodes.heard(record);
      await store.delete(record.digest, NOW, 'revoked');
      await nodes.heard(record, { type: 'ended', reason: 'revoked', userId });
      await staff.settled(userId);
      await staff.heard(record, { type: 'ended', reason: 'logout', userId, realm: 'staff' });
    } finally {
      await staff.close();
    }
  });
}
