import assert from 'node:assert/strict';
import type { SessionRecord } from '../../session/session-record.js';
import type { RotateOutcome, SessionStore } from '../../session/session-store.js';
import { withPromoted, withReplaced, withSuccessor } from '../../session/session-tokens.js';
import { SECOND } from '../../time/units.js';
import type { ContractTests } from './contract-tests.js';
import { forEachRound, inEitherOrder } from './rounds.js';
import { GRACE, IDLE, newRecord, newUser, nextDigest, NO_LIMIT, NO_MAXIMUM, NOW } from './sample-records.js';
import { assertSame, assertSameSet, listAll, listedIds, liveRecord, worthOf } from './store-queries.js';
import { handOut, rotationOf, type Issued } from './token-steps.js';

/** Rotations against each other, and against touches, updates and changes of the account. */
export function rotationRaces({ it }: ContractTests): void {
  it('lets one of 20 parallel rotations with one revision succeed, and returns its result to the others', async (backend) => {
    const { store, node } = backend;
    for (const given of [{}, { revision: 5 }]) {
      const record = newRecord(newUser(), { ...given, data: { kept: true } });
      await store.create(record, NO_LIMIT, NOW);
      const changes = Array.from({ length: 20 }, (_, i) => ({ digest: nextDigest(record.digest), ip: `192.0.2.${i}` }));
      const outcomes = await Promise.all(
        changes.map((change, i) => node(i).rotate(record.digest, rotationOf(record, change))),
      );
      const winners = changes.filter((_, i) => outcomes[i]!.status === 'rotated');
      assert.equal(winners.length, 1);
      const expected = { ...record, ...winners[0], revision: (record.revision ?? 0) + 1 };
      for (const outcome of outcomes) assertSame(recordOf(outcome), expected);
      assert.equal(outcomes.filter(({ status }) => status === 'changed').length, 19);
      assertSame(await liveRecord(store, record.digest), expected);
      assert.deepEqual(await listedIds(store, record.userId!), [record.id]);
    }
  });

  it('lets one of four successors that are presented at once become the token', async (backend) => {
    await forEachRound(backend, async ({ store, node }) => {
      const first = await create(store);
      const issued: Issued[] = [];
      for (let i = 0; i < 4; i++) issued.push(await handOut(store, issued.at(-1)?.record ?? first));
      const { record } = issued.at(-1)!;
      const outcomes = await Promise.all(
        record.tokens!.map((token, i) =>
          node(i).rotate(first.digest, rotationOf(record, withPromoted(record, token, NOW, GRACE))),
        ),
      );
      assert.equal(outcomes.filter(({ status }) => status === 'rotated').length, 1);
      const present = await liveRecord(store, first.digest);
      assert.equal(await worthOf(store, first.digest), 'superseded');
      for (const { digest } of issued) {
        assert.equal(await worthOf(store, digest), digest === present.digest ? 'present' : 'replaced');
      }
    });
  });

  it('loses no change of 20 parallel ones that are retried until they succeed', async ({ store, node }) => {
    const record = await create(store);
    const names = Array.from({ length: 20 }, (_, i) => `factor${i}`);
    await Promise.all(names.map((name, i) => addFactor(node(i), record, name)));
    const { factors, revision } = await liveRecord(store, record.digest);
    assertSameSet(Object.keys(factors!), names);
    assert.equal(revision, 20);
  });

  it('loses no update to a rotation at the same time', async (backend) => {
    await forEachRound(backend, async ({ store, node }, round) => {
      const before = await handOut(store, await create(store));
      const { record, digest } = before;
      const promoted = withPromoted(record, record.tokens![0]!, NOW, GRACE);
      const patches = Array.from({ length: 5 }, (_, i) => ({ [`key${i}`]: i }));
      const updates = patches.map(
        (patch, i) => () => node(i).update(i % 2 === 0 ? record.digest : digest, patch, NOW, NO_MAXIMUM),
      );
      const outcomes = await Promise.all([
        ...updates.slice(0, round % 6).map((update) => update()),
        node(round).rotate(digest, rotationOf(record, promoted)),
        ...updates.slice(round % 6).map((update) => update()),
      ]);
      assert.equal(outcomes.filter(({ status }) => status === 'updated').length, 5);
      const data = { kept: true, key0: 0, key1: 1, key2: 2, key3: 3, key4: 4 };
      assertSame(await liveRecord(store, digest), { ...record, ...promoted, revision: 2, data });
    });
  });

  it('updates with a token before it is replaced at once, or not at all', async (backend) => {
    await forEachRound(backend, async ({ store, node }, round) => {
      const record = await create(store);
      const replaced = withReplaced(record, nextDigest(record.digest), { now: NOW, grace: GRACE, kind: 'retired' });
      const [updated, rotated] = await inEitherOrder(
        round,
        () => node(round).update(record.digest, { late: true }, NOW, NO_MAXIMUM),
        () => node(round + 1).rotate(record.digest, rotationOf(record, replaced)),
      );
      assert.equal(rotated.status, 'rotated');
      assert.ok(updated.status === 'updated' || updated.status === 'absent');
      const data = updated.status === 'updated' ? { kept: true, late: true } : { kept: true };
      const expected = { ...record, ...replaced, revision: 1, data };
      assertSame(rotated.record, expected);
      assertSame(await liveRecord(store, record.digest), expected);
    });
  });

  it('loses neither a touch nor a rotation at the same time', async (backend) => {
    await forEachRound(backend, async ({ store, node }, round) => {
      const record = await create(store);
      const now = NOW + SECOND;
      const changes = withSuccessor(record, nextDigest(record.digest), now);
      const [found, outcome] = await inEitherOrder(
        round,
        () => node(round).find(record.digest, { now, idle: IDLE, interval: SECOND }),
        () => node(round + 1).rotate(record.digest, rotationOf(record, changes, now)),
      );
      assert.deepEqual([found.status, outcome.status], ['live', 'rotated']);
      const touched = { lastActivityAt: now, expiresAt: now + IDLE };
      assertSame(await liveRecord(store, record.digest, now), { ...record, ...touched, ...changes, revision: 1 });
    });
  });

  it('leaves no session with the old roles if the account changes during rotations', async (backend) => {
    await forEachRound(backend, async ({ store, node }, round) => {
      const userId = newUser();
      const records = Array.from({ length: 5 }, () => newRecord(userId, { roles: ['old'] }));
      await Promise.all(records.map((record) => store.create(record, NO_LIMIT, NOW)));
      const rotations = records.map((record, i) => async () => {
        const changes = withSuccessor(record, nextDigest(record.digest), NOW);
        return node(i).rotate(record.digest, rotationOf(record, { ...changes, roles: ['old'] }));
      });
      const [before, count, after] = await Promise.all([
        Promise.all(rotations.slice(0, round % 6).map((rotate) => rotate())),
        node(round).updateByUser(userId, { roles: ['new'] }, NOW),
        Promise.all(rotations.slice(round % 6).map((rotate) => rotate())),
      ]);
      assert.equal(count, 5);
      const statuses = [...before, ...after].map(({ status }) => status);
      const listed = await listAll(store, userId);
      assert.equal(listed.length, 5);
      for (const [i, { digest }] of records.entries()) {
        const found = await liveRecord(store, digest);
        const revision = statuses[i] === 'rotated' ? 2 : 1;
        assertSame(found, { ...found, roles: ['new'], formerRoles: [['old']], revision });
        assert.equal(found.tokens?.length ?? 0, revision - 1);
        assertSame(
          listed.find(({ id }) => id === found.id)!,
          found,
        );
      }
    });
  });

  it('keeps the previous roles of each of 20 parallel changes of an account', async ({ store, node }) => {
    const record = newRecord(newUser(), { roles: ['first'] });
    await store.create(record, NO_LIMIT, NOW);
    const names = Array.from({ length: 20 }, (_, i) => `role${i}`);
    const counts = await Promise.all(
      names.map((name, i) => node(i).updateByUser(record.userId!, { roles: [name] }, NOW)),
    );
    assert.ok(counts.every((count) => count === 1));
    const { roles, formerRoles, revision } = await liveRecord(store, record.digest);
    const states = [...formerRoles!, roles].flat();
    assert.equal(states[0], 'first');
    assertSameSet(states, ['first', ...names]);
    assert.equal(revision, 20);
  });
}

/** Adds a factor to a session, and tries again until it succeeds. */
async function addFactor(store: SessionStore, before: SessionRecord, name: string): Promise<void> {
  let record = before;
  for (let look = 0; look <= 20; look++) {
    const factors = { ...record.factors, [name]: NOW };
    const outcome = await store.rotate(record.digest, rotationOf(record, { factors }));
    record = recordOf(outcome);
    if (outcome.status === 'rotated') return;
  }
  assert.fail('no more attempts can fail than there are other calls');
}

function recordOf(outcome: RotateOutcome): SessionRecord {
  assert.notEqual(outcome.status, 'absent');
  return (outcome as Extract<RotateOutcome, { record: SessionRecord }>).record;
}

async function create(store: SessionStore): Promise<SessionRecord> {
  const record = newRecord(newUser(), { data: { kept: true } });
  await store.create(record, NO_LIMIT, NOW);
  return record;
}
