import assert from 'node:assert/strict';
import type { OnLimit } from '../../session/concurrency.options.js';
import type { SessionRecord } from '../../session/session-record.js';
import type { CreateOutcome } from '../../session/session-store.js';
import { SECOND } from '../../time/units.js';
import type { Backend } from './backend.js';
import type { ContractTests } from './contract-tests.js';
import { newDevice, newRecord, newUser, nextDigest, NO_LIMIT, NOW } from './sample-records.js';
import { assertSameSet, isLive, listedIds, liveRecord } from './store-queries.js';

const ADMISSIONS = [NO_LIMIT, { max: 2, onLimit: 'evict-oldest' }, { max: 2, onLimit: 'reject' }] as const;

/** Many creates at once: the limit holds, and of one handle or device only one is created. */
export function parallelLogins({ it }: ContractTests): void {
  for (const onLimit of ['evict-oldest', 'evict-least-recent'] as const) {
    it(`leaves exactly the limit of 100 parallel logins, ${onLimit}`, async (backend) => {
      const { userId, records, outcomes } = await createAtOnce(backend, onLimit);
      assert.ok(outcomes.every((outcome) => outcome.status === 'created'));
      const evicted = endedOf(outcomes, 'evicted', userId);
      const live = await liveOf(backend, records);
      assert.equal(live.length, 3);
      assertSameSet(await listedIds(backend.store, userId), live);
      assertSameSet([...live, ...evicted], idsOf(records));
    });
  }

  it('creates exactly the limit of 100 parallel logins, reject', async (backend) => {
    const { userId, records, outcomes } = await createAtOnce(backend, 'reject');
    const created = records.filter((_, i) => outcomes[i]!.status === 'created');
    assert.equal(created.length, 3);
    assert.equal(outcomes.filter((outcome) => outcome.status === 'limit_reached').length, 97);
    assertSameSet(await liveOf(backend, records), idsOf(created));
    assertSameSet(await listedIds(backend.store, userId), idsOf(created));
  });

  it('creates one session of 20 parallel logins with one handle, and ends no other', async ({ store, node }) => {
    for (const admission of ADMISSIONS) {
      const userId = newUser();
      await store.create(newRecord(userId), NO_LIMIT, NOW);
      const first = newRecord(userId);
      const records = Array.from({ length: 20 }, () => ({ ...first, digest: nextDigest(first.digest) }));
      const outcomes = await Promise.all(records.map((record, i) => node(i).create(record, admission, NOW)));
      const created = records.filter((_, i) => outcomes[i]!.status === 'created');
      assert.equal(created.length, 1);
      for (const outcome of outcomes) if (outcome.status !== 'created') assert.deepEqual(outcome, exists(first));
      assert.equal((await liveRecord(store, first.digest)).digest, created[0]!.digest);
      assert.equal((await listedIds(store, userId)).length, 2);
    }
  });

  it('creates one session of 20 parallel logins of one device that share it, and ends no other', async (backend) => {
    const { store, node } = backend;
    for (const admission of ADMISSIONS) {
      const userId = newUser();
      await store.create(newRecord(userId), NO_LIMIT, NOW);
      const records = ofOneDevice(userId, 20);
      const sharing = { ...admission, sharedFor: SECOND };
      const outcomes = await Promise.all(records.map((record, i) => node(i).create(record, sharing, NOW)));
      const created = records.filter((_, i) => outcomes[i]!.status === 'created');
      assert.equal(created.length, 1);
      for (const outcome of outcomes) if (outcome.status !== 'created') assert.deepEqual(outcome, exists(created[0]!));
      assert.deepEqual(await liveOf(backend, records), idsOf(created));
      assert.equal((await listedIds(store, userId)).length, 2);
    }
  });

  it('leaves one session of 20 parallel logins of one device that replace it, each reported once', async (backend) => {
    const { store, node } = backend;
    for (const admission of ADMISSIONS) {
      const userId = newUser();
      const other = newRecord(userId);
      await store.create(other, NO_LIMIT, NOW);
      const records = ofOneDevice(userId, 20);
      const outcomes = await Promise.all(records.map((record, i) => node(i).create(record, admission, NOW)));
      assert.ok(outcomes.every((outcome) => outcome.status === 'created'));
      const live = await liveOf(backend, records);
      assert.equal(live.length, 1);
      assertSameSet([...live, ...endedOf(outcomes, 'replaced', userId)], idsOf(records));
      assert.deepEqual(endedOf(outcomes, 'evicted', userId), []);
      assertSameSet(await listedIds(store, userId), [other.id, ...live]);
    }
  });

  it('replaces the named session once, of 20 parallel logins', async ({ store, node }) => {
    const userId = newUser();
    const named = newRecord(userId);
    await store.create(named, NO_LIMIT, NOW);
    const admission = { ...NO_LIMIT, replaces: { id: named.id } };
    const records = Array.from({ length: 20 }, () => newRecord(userId));
    const outcomes = await Promise.all(records.map((record, i) => node(i).create(record, admission, NOW)));
    assert.ok(outcomes.every((outcome) => outcome.status === 'created'));
    assert.deepEqual(endedOf(outcomes, 'replaced', userId), [named.id]);
    assertSameSet(await listedIds(store, userId), idsOf(records));
  });
}

function ofOneDevice(userId: string, count: number): SessionRecord[] {
  const device = newDevice();
  return Array.from({ length: count }, () => newRecord(userId, { device }));
}

async function createAtOnce({ node }: Backend, onLimit: OnLimit) {
  const userId = newUser();
  const records = Array.from({ length: 100 }, (_, i) => newRecord(userId, { createdAt: NOW + (i % 10) }));
  const outcomes = await Promise.all(
    records.map((record, i) => node(i).create(record, { max: 3, onLimit }, record.createdAt)),
  );
  return { userId, records, outcomes };
}

/** The handles of the sessions that creates ended, all of one user. */
function endedOf(outcomes: readonly CreateOutcome[], as: 'evicted' | 'replaced', userId: string): string[] {
  const ended = outcomes.flatMap((outcome) => (outcome.status === 'created' ? outcome[as] : []));
  assert.ok(ended.every((session) => session.userId === userId));
  return idsOf(ended);
}

async function liveOf({ store }: Backend, records: readonly SessionRecord[]): Promise<string[]> {
  const live = await Promise.all(records.map((record) => isLive(store, record.digest)));
  return idsOf(records.filter((_, i) => live[i]));
}

function exists({ id }: SessionRecord): CreateOutcome {
  return { status: 'exists', id };
}

function idsOf(records: readonly { readonly id: string }[]): string[] {
  return records.map(({ id }) => id);
}
