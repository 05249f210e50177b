import assert from 'node:assert/strict';
import type { SessionRecord } from '../../session/session-record.js';
import type { SessionStore } from '../../session/session-store.js';
import { HOUR, MINUTE, SECOND } from '../../time/units.js';
import type { ContractTests } from './contract-tests.js';
import {
  IDLE,
  newDevice,
  newRecord,
  newUser,
  nextDigest,
  NO_LIMIT,
  NO_MAXIMUM,
  NOW,
  untouched,
} from './sample-records.js';
import { assertSameSet, CREATED, endAll, isLive, listedIds, liveRecord } from './store-queries.js';

const DAYS_AGO = NOW - 72 * HOUR;

/** A store that ends all sessions of its realm; undefined for one that cannot. */
type Ending = SessionStore & Required<Pick<SessionStore, 'deleteByRealm'>>;

/**
 * The stores of a realm that no other test uses, by node, if the store serves several realms. Undefined without the
 * method.
 */
function nodesOf(node: (turn: number) => SessionStore): ((turn: number) => Ending) | undefined {
  if (node(0).deleteByRealm === undefined) return undefined;
  const realm = newRealm();
  const stores = [node(0), node(1)].map((store) => (store.ofRealm?.(realm) ?? store) as Ending);
  return (turn) => stores[turn % 2]!;
}

/** The name of a realm that no other test uses: a realm keeps the time before which all its sessions have ended. */
function newRealm(): string {
  return `end-${Math.random().toString(36).slice(2, 12)}`;
}

/** `deleteByRealm`, alone and against parallel calls. A store without it passes. */
export function realmEndContract({ it }: ContractTests): void {
  it('ends all sessions of the realm, for every operation and every node', async (backend) => {
    const node = nodesOf(backend.node);
    if (node === undefined) return;
    const userId = newUser();
    const records = [newRecord(userId), newRecord(userId), newRecord(undefined)];
    for (const [turn, record] of records.entries()) await node(turn).create(record, NO_LIMIT, NOW);
    await node(0).deleteByRealm({}, NOW);
    for (const [turn, record] of records.entries()) await isGone(node(turn + 1), record);
    assert.deepEqual(await listedIds(node(1), userId), []);
    assert.equal(await node(0).updateByUser(userId, { roles: ['admin'] }, NOW), 0);
    assert.deepEqual(await endAll(node(1), userId), []);
  });

  it('does not count ended sessions for a limit or a device, and frees their handles', async (backend) => {
    const node = nodesOf(backend.node);
    if (node === undefined) return;
    const userId = newUser();
    const device = newDevice();
    const ended = newRecord(userId, { device });
    await node(0).create(ended, NO_LIMIT, NOW);
    await node(1).deleteByRealm({}, NOW);
    const replaces = { id: ended.id };
    const admission = { max: 1, onLimit: 'reject' as const, sharedFor: HOUR, replaces };
    const after = newRecord(userId, { device });
    assert.deepEqual(await node(0).create(after, admission, NOW), CREATED);
    assert.deepEqual(await listedIds(node(1), userId), [after.id]);
    for (const record of [ended, newRecord(undefined)]) {
      await node(0).create(record, NO_LIMIT, NOW);
      await node(1).deleteByRealm({}, NOW);
      const again = { ...record, roles: ['again'] };
      assert.deepEqual(await node(0).create(again, NO_LIMIT, NOW), CREATED);
      assert.deepEqual((await liveRecord(node(1), record.digest)).roles, ['again']);
    }
  });

  it('keeps what is created afterwards, until it is called again', async (backend) => {
    const node = nodesOf(backend.node);
    if (node === undefined) return;
    for (let turn = 0; turn < 3; turn += 1) {
      await node(turn).deleteByRealm({}, NOW);
      await node(turn + 1).deleteByRealm({}, NOW);
      const record = newRecord(newUser());
      await node(turn).create(record, NO_LIMIT, NOW);
      const { revision = 0 } = await liveRecord(node(turn + 1), record.digest);
      await node(turn).find(record.digest, { now: NOW + MINUTE, idle: IDLE, interval: 0 });
      await node(turn).update(record.digest, { a: 1 }, NOW, NO_MAXIMUM);
      const changes = { roles: ['teller'], createdAt: NOW + 1, absoluteExpiresAt: NOW + 9 * HOUR };
      await node(turn).rotate(record.digest, { revision, now: NOW, changes });
      assert.deepEqual((await liveRecord(node(turn), record.digest)).roles, ['teller']);
      // no clock decides: one created "before" is later than the call all the same
      const early = newRecord(newUser(), { createdAt: NOW - 2 * MINUTE });
      await node(turn).create(early, NO_LIMIT, NOW - 2 * MINUTE);
      await node(turn + 1).deleteByRealm({}, NOW - HOUR);
      for (const each of [record, early]) await isGone(node(turn), each);
      assert.deepEqual(await node(turn).create(early, NO_LIMIT, NOW - 2 * MINUTE), CREATED);
      assert.ok(await isLive(node(turn + 1), early.digest));
    }
  });

  it('ends the sessions that were created before a time, and no others', async (backend) => {
    const node = nodesOf(backend.node);
    if (node === undefined) return;
    const userId = newUser();
    const createdAt = (time: number): SessionRecord =>
      newRecord(userId, { createdAt: time, expiresAt: NOW + IDLE, absoluteExpiresAt: NOW + 9 * HOUR });
    const before = [createdAt(DAYS_AGO - 1), createdAt(DAYS_AGO - HOUR)];
    const since = [createdAt(DAYS_AGO), createdAt(DAYS_AGO + 1), createdAt(NOW)];
    for (const [turn, record] of [...before, ...since].entries()) await node(turn).create(record, NO_LIMIT, NOW);
    await node(0).deleteByRealm({ createdBefore: DAYS_AGO }, NOW);
    // an earlier time brings nothing back
    await node(1).deleteByRealm({ createdBefore: DAYS_AGO - 2 * HOUR }, NOW);
    for (const record of before) await isGone(node(1), record);
    const ids = since.map(({ id }) => id);
    assertSameSet(await listedIds(node(1), userId), ids);
    for (const { digest } of since) assert.ok(await isLive(node(0), digest));
    await node(1).deleteByRealm({ createdBefore: DAYS_AGO + 1 }, NOW);
    assertSameSet(await listedIds(node(0), userId), ids.slice(1));
    await node(1).deleteByRealm({}, NOW);
    assert.deepEqual(await listedIds(node(0), userId), []);
  });

  it('leaves other realms alone', async ({ store, node }) => {
    if (store.deleteByRealm === undefined || store.ofRealm === undefined) return;
    const own = newRealm();
    const realms = [`${own}-1`, `${own}-2`, own].map((realm) => [store, node(1)].map((each) => each.ofRealm!(realm)));
    const record = newRecord(newUser(), { createdAt: NOW - SECOND });
    for (const [first] of realms) await first!.create(record, NO_LIMIT, NOW);
    for (const [i, which] of [{}, { createdBefore: NOW }, {}].entries()) {
      await realms[i]![1]!.deleteByRealm!(which, NOW);
      const live = await Promise.all(realms.map(([first]) => isLive(first!, record.digest)));
      assert.deepEqual(
        live,
        realms.map((_, j) => j > i),
      );
    }
    await realms[1]![0]!.deleteByRealm!({}, NOW);
  });

  it('leaves nothing for a cleanup to report', async (backend) => {
    const node = nodesOf(backend.node);
    if (node === undefined) return;
    const records = Array.from({ length: 12 }, (_, i) => newRecord(i % 3 === 0 ? undefined : newUser()));
    for (const record of records) await node(0).create(record, NO_LIMIT, NOW);
    await node(1).deleteByRealm({}, NOW);
    const live = newRecord(newUser(), { expiresAt: NOW + 2 * IDLE });
    await node(0).create(live, NO_LIMIT, NOW);
    const removed = [];
    for (let step = await node(0).deleteExpired(NOW + IDLE, 5); step.length > 0;) {
      assert.ok(step.length <= 5);
      removed.push(...step);
      step = await node(1).deleteExpired(NOW + IDLE, 5);
    }
    assert.deepEqual(
      removed.filter(({ isReported = false }) => !isReported),
      [],
    );
    assert.ok(await isLive(node(0), live.digest, NOW + IDLE));
  });

  it('ends those of 100 parallel logins that came before it, and keeps later ones', async (backend) => {
    const node = nodesOf(backend.node);
    if (node === undefined) return;
    const users = Array.from({ length: 5 }, () => newUser());
    let isOver = false;
    const limits = [NO_LIMIT, { max: 50, onLimit: 'evict-oldest' as const }];
    const login = async (turn: number): Promise<{ record: SessionRecord; isAfter: boolean }> => {
      const record = newRecord(turn % 7 === 0 ? undefined : users[turn % 5]!);
      const isAfter = isOver;
      assert.equal((await node(turn).create(record, limits[turn % 2]!, NOW)).status, 'created');
      return { record, isAfter };
    };
    const before = await Promise.all(Array.from({ length: 20 }, (_, turn) => login(turn)));
    const during = Array.from({ length: 40 }, (_, turn) => login(turn));
    const ending = node(1)
      .deleteByRealm({}, NOW)
      .then(() => (isOver = true));
    const inTurn = Array.from({ length: 4 }, async (_, lane) => {
      const made = [];
      for (let i = 0; i < 10; i += 1) made.push(await login(lane * 10 + i));
      return made;
    });
    const [later] = await Promise.all([Promise.all(inTurn), ending]);
    const after = [await login(1), await login(2)];
    const all = [...before, ...(await Promise.all(during)), ...later.flat(), ...after];
    assert.equal(all.length, 102);
    for (const { record } of before) await isGone(node(0), record);
    const live = new Set<string>();
    for (const { record, isAfter } of all) {
      const found: boolean[] = await Promise.all([0, 1].map((turn) => isLive(node(turn), record.digest)));
      assert.equal(found[0], found[1]);
      if (isAfter) assert.ok(found[0], 'a login after the end has ended');
      if (found[0]) live.add(record.id);
    }
    for (const userId of users) {
      const own = all.filter(({ record }) => record.userId === userId && live.has(record.id));
      assertSameSet(
        await listedIds(node(1), userId),
        own.map(({ record }) => record.id),
      );
    }
    await node(0).deleteByRealm({}, NOW);
    for (const { record } of all) assert.equal(await isLive(node(1), record.digest), false);
  });

  it('does not let a touch, an update, a rotation or a change of the account bring a session back', async (backend) => {
    const node = nodesOf(backend.node);
    if (node === undefined) return;
    for (const which of [{}, { createdBefore: DAYS_AGO }]) {
      const records = Array.from({ length: 40 }, () =>
        newRecord(newUser(), { createdAt: DAYS_AGO - 1, expiresAt: NOW + IDLE, absoluteExpiresAt: NOW + 9 * HOUR }),
      );
      await Promise.all(records.map((record, turn) => node(turn).create(record, NO_LIMIT, NOW)));
      const change = ({ digest, userId }: SessionRecord, turn: number): Promise<unknown> => {
        const store = node(turn);
        const now = NOW + SECOND;
        if (turn % 4 === 0) return store.find(digest, { now, idle: IDLE, interval: 0, client: { ip: '192.0.2.1' } });
        if (turn % 4 === 1) return store.update(digest, { revived: true }, now, NO_MAXIMUM);
        if (turn % 4 === 2) return store.updateByUser(userId!, { roles: ['admin'] }, now);
        const changes = { digest: nextDigest(digest), rotatedAt: now, expiresAt: now + IDLE };
        return store.rotate(digest, { revision: 0, now, changes });
      };
      const early = records.slice(0, 20).map((record, i) => change(record, i));
      const ending = node(0).deleteByRealm(which, NOW);
      const late = records.slice(20).map((record, i) => change(record, i + 1));
      await Promise.all([...early, ending, ...late]);
      for (const [turn, record] of records.entries()) {
        assert.equal(await isLive(node(turn), record.digest), false);
        await isGone(node(turn), record);
      }
    }
  });
}

/** Asserts that a session is absent for every operation by its digest or handle. */
async function isGone(store: SessionStore, { digest, id, userId }: SessionRecord): Promise<void> {
  assert.deepEqual(await store.find(digest, { ...untouched(NOW), interval: 0 }), { status: 'absent' });
  assert.deepEqual(await store.find(digest, untouched(NOW)), { status: 'absent' });
  assert.deepEqual(await store.update(digest, { revived: true }, NOW, NO_MAXIMUM), { status: 'absent' });
  const changes = { createdAt: NOW, roles: ['admin'], expiresAt: NOW + 2 * IDLE };
  assert.deepEqual(await store.rotate(digest, { revision: 0, now: NOW, changes }), { status: 'absent' });
  if (userId !== undefined) assert.equal(await store.deleteByHandle(userId, id, NOW), undefined);
  assert.equal(await store.delete(digest, NOW), undefined);
  assert.deepEqual(await store.find(digest, untouched(NOW)), { status: 'absent' });
}
