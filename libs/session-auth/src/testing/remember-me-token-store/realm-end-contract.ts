import assert from 'node:assert/strict';
import type { RememberMeTokenRecord, RememberMeTokenStore } from '../../remember-me/remember-me-token-store.js';
import { DAY } from '../../time/units.js';
import { idsOf, MAX, newRecord, newSuccessor, newUser, NOW, type DeclareTest } from './sample-tokens.js';

type Ending = RememberMeTokenStore & Required<Pick<RememberMeTokenStore, 'deleteByRealm'>>;

/** The stores of a realm that no other test uses, by node; undefined without the method. */
function nodesOf(node: (turn: number) => RememberMeTokenStore): ((turn: number) => Ending) | undefined {
  if (node(0).deleteByRealm === undefined) return undefined;
  const realm = `end-${Math.random().toString(36).slice(2, 12)}`;
  const stores = [node(0), node(1)].map((store) => (store.ofRealm?.(realm) ?? store) as Ending);
  return (turn) => stores[turn % 2]!;
}

/** `deleteByRealm`, alone and against parallel calls. A store without it passes. */
export function realmEndTests(it: DeclareTest): void {
  it('removes all records of the realm, for every operation and every node', async (_store, given) => {
    const node = nodesOf(given);
    if (node === undefined) return;
    const records = Array.from({ length: 6 }, () => newRecord(newUser(), { successor: newSuccessor() }));
    for (const [turn, record] of records.entries()) await node(turn).create(record, MAX, NOW);
    await node(0).deleteByRealm({}, NOW);
    for (const [turn, record] of records.entries()) await isGone(node(turn), record);
    const alice = newUser();
    const kept = newRecord(alice);
    await node(1).create(kept, 1, NOW);
    assert.deepEqual(idsOf(await node(0).list(alice, NOW)), [kept.id]);
    const replacement = { revision: 0, now: NOW, changes: { expiresAt: NOW + 60 * DAY } };
    assert.equal((await node(0).replace(kept.selector, replacement)).status, 'replaced');
    assert.ok(await node(1).find(kept.selector, NOW));
    await node(1).deleteByRealm({}, NOW);
    await isGone(node(0), kept);
  });

  it('removes those that were created before a time, and no others', async (_store, given) => {
    const node = nodesOf(given);
    if (node === undefined) return;
    const alice = newUser();
    const time = NOW - 10 * DAY;
    const records = [time - 1, time, time + 1].map((createdAt) => newRecord(alice, { createdAt }));
    for (const record of records) await node(0).create(record, MAX, NOW);
    await node(1).deleteByRealm({ createdBefore: time }, NOW);
    await node(1).deleteByRealm({ createdBefore: time - DAY }, NOW);
    assert.deepEqual(idsOf(await node(0).list(alice, NOW)), idsOf(records.slice(1).reverse()));
    await isGone(node(0), records[0]!);
  });

  it('leaves other realms alone', async (store) => {
    if (store.deleteByRealm === undefined || store.ofRealm === undefined) return;
    const [one, other] = [store.ofRealm('end-one'), store.ofRealm('end')];
    const record = newRecord(newUser());
    for (const each of [one, other]) await each.create(record, MAX, NOW);
    await one.deleteByRealm!({}, NOW);
    assert.equal(await one.find(record.selector, NOW), undefined);
    assert.ok(await other.find(record.selector, NOW));
    await other.deleteByRealm!({}, NOW);
  });

  it('does not count removed records for the maximum', async (_store, given) => {
    const node = nodesOf(given);
    if (node === undefined) return;
    const alice = newUser();
    await node(0).create(newRecord(alice), 2, NOW);
    await node(1).deleteByRealm({}, NOW);
    const records = [newRecord(alice, { createdAt: NOW + 1 }), newRecord(alice)];
    for (const record of records) await node(0).create(record, 2, NOW);
    assert.deepEqual(idsOf(await node(1).list(alice, NOW)), idsOf(records));
    assert.equal(await node(0).deleteByUser(alice, undefined, NOW), 2);
  });

  it('lets no replacement at the same time bring a record back', async (_store, given) => {
    const node = nodesOf(given);
    if (node === undefined) return;
    const records = Array.from({ length: 40 }, () => newRecord(newUser()));
    await Promise.all(records.map((record, turn) => node(turn).create(record, MAX, NOW)));
    const replace = ({ selector }: RememberMeTokenRecord, turn: number): Promise<unknown> => {
      const changes = { successor: newSuccessor(), expiresAt: NOW + 60 * DAY };
      return node(turn).replace(selector, { revision: 0, now: NOW, changes });
    };
    const early = records.slice(0, 20).map(replace);
    const ending = node(0).deleteByRealm({}, NOW);
    await Promise.all([...early, ending, ...records.slice(20).map(replace)]);
    for (const [turn, record] of records.entries()) await isGone(node(turn), record);
  });
}

/** Asserts that a record is absent for every operation. */
async function isGone(store: RememberMeTokenStore, { selector, id, userId, sessionId }: RememberMeTokenRecord) {
  assert.equal(await store.find(selector, NOW), undefined);
  const outcome = await store.replace(selector, { revision: 0, now: NOW, changes: { lastUsedAt: NOW + 1 } });
  assert.deepEqual(outcome, { status: 'absent' });
  assert.ok(!idsOf(await store.list(userId, NOW)).includes(id));
  assert.equal(await store.deleteBySession(userId, sessionId, NOW), 0);
  assert.equal(await store.deleteById(userId, id, NOW), false);
  assert.equal(await store.delete(selector, NOW), undefined);
}
