import assert from 'node:assert/strict';
import { addressOf } from '../../crypto/session-token.js';
import type { SessionRecord } from '../../session/session-record.js';
import type { SessionStore } from '../../session/session-store.js';
import { isHonoured, rolesOf, standingOf, withRoles, withSuccessor } from '../../session/session-tokens.js';
import { MINUTE } from '../../time/units.js';
import type { ContractTests } from './contract-tests.js';
import { GRACE, IDLE, newRecord, newToken, newUser, nextDigest, NO_LIMIT, NO_MAXIMUM, NOW } from './sample-records.js';
import { assertSame, CREATED, isLive, listedIds, liveRecord, worthOf } from './store-queries.js';
import { handOut, moveOn, promote, replaceToken, rotate } from './token-steps.js';

const LATER = NOW + MINUTE;

/** Times at which a token's standing ends, seen from `LATER`; a successor is out since then. */
const TIMES = [LATER - 1, LATER, LATER + 1];

/**
 * What a store does with the tokens of a session: every token finds and ends it, honoured ones also touch and update
 * it.
 */
export function tokenContract({ it }: ContractTests): void {
  it('finds a session unchanged, with any digest of its tag and handle', async ({ store }) => {
    for (const userId of [newUser(), undefined]) {
      const record = await create(store, newRecord(userId));
      for (const digest of digestsOf(record)) assertSame(await liveRecord(store, digest), record);
      const moved = await moveOn(store, record);
      for (const digest of [record.digest, ...digestsOf(moved)]) assertSame(await liveRecord(store, digest), moved);
    }
  });

  for (const kind of ['successor', 'superseded', 'retired', 'renewable'] as const) {
    it(`touches and updates with a ${kind} token only if it is honoured`, async ({ store }) => {
      for (const at of TIMES) {
        const first = newRecord(newUser(), { data: { kept: true } });
        const digest = nextDigest(first.digest);
        const others = [newToken('successor', NOW), newToken('superseded', LATER + GRACE)];
        const record = await create(store, { ...first, tokens: [...others, newToken(kind, at, digest)] });
        const honoured = kind === 'successor' || (kind === 'superseded' && at > LATER);
        await expectUse(store, record, digest, honoured);
      }
    });
  }

  it('touches and updates with the present token, but not with an unknown one', async ({ store }) => {
    const uses: readonly (readonly [(record: SessionRecord) => string, boolean])[] = [
      [({ digest }) => digest, true],
      [({ digest }) => nextDigest(digest), false],
      [({ userId, id }) => addressOf(userId!, id), false],
    ];
    for (const [digestOf, honoured] of uses) {
      const record = await create(store, newRecord(newUser(), { data: { kept: true } }));
      await expectUse(store, record, digestOf(record), honoured);
    }
  });

  it('issues a successor: both are honoured, and the old one for its grace period after the new one is used', async ({
    store,
  }) => {
    for (const userId of [newUser(), undefined]) {
      const record = await create(store, newRecord(userId));
      const handedOut = await handOut(store, record);
      assert.equal(await worthOf(store, record.digest, NOW + 10 * GRACE), 'present');
      assert.equal(await worthOf(store, handedOut.digest, NOW + 10 * GRACE), 'successor');
      const moved = await promote(store, handedOut, { now: LATER });
      assert.equal(moved.digest, handedOut.digest);
      assert.equal(await worthOf(store, moved.digest, LATER), 'present');
      assert.equal(await worthOf(store, record.digest, LATER + GRACE - 1), 'superseded');
      assert.equal(await worthOf(store, record.digest, LATER + GRACE), 'replaced');
    }
  });

  it('follows a long chain of tokens, and ends with any of them', async ({ store }) => {
    let record = await create(store, newRecord(newUser(), { data: { kept: true } }));
    const digests = [record.digest];
    for (let i = 0; i < 30; i++) {
      record = await moveOn(store, record, { now: NOW + i });
      digests.push(record.digest);
    }
    assert.equal(record.revision, 60);
    for (const digest of digests) assertSame(await liveRecord(store, digest, NOW + 30), record);
    assertSame((await store.delete(digests[10]!, NOW + 30))!, { id: record.id, userId: record.userId });
    for (const digest of digests) assert.ok(!(await isLive(store, digest, NOW + 30)));
  });

  it('refuses every other token once one is replaced at once', async ({ store }) => {
    for (const kind of ['retired', 'renewable'] as const) {
      const first = await create(store, newRecord(newUser()));
      const second = await moveOn(store, first);
      const { record, digest: successor } = await handOut(store, second);
      const replaced = await replaceToken(store, record, { kind });
      assert.equal(await worthOf(store, replaced.digest), 'present');
      assert.equal(await worthOf(store, second.digest), kind);
      assert.equal(await worthOf(store, first.digest), 'retired');
      assert.equal(await worthOf(store, successor), kind);
      for (const { digest } of [first, second, { digest: successor }]) {
        assert.deepEqual(await store.update(digest, { a: 1 }, NOW, NO_MAXIMUM), { status: 'absent' });
        assert.equal(await worthOf(store, digest, NOW + GRACE), 'replaced');
      }
    }
  });

  it('keeps the roles that each token carries when roles change', async ({ store }) => {
    const first = await create(store, newRecord(newUser(), { roles: ['a', 'b'] }));
    await store.updateByUser(first.userId!, { roles: ['b', 'c'] }, NOW);
    const { record, digest } = await handOut(store, await liveRecord(store, first.digest));
    assert.deepEqual(await carriedBy(store, first.digest), ['b']);
    assert.deepEqual(await carriedBy(store, digest), ['b', 'c']);
    const second = await promote(store, { record, digest });
    assert.deepEqual(await carriedBy(store, first.digest), ['b']);
    const roles = withRoles(second, ['c', 'd']);
    const next = nextDigest(second.digest);
    await rotate(store, second, { ...roles, ...withSuccessor({ ...second, ...roles }, next, NOW) });
    assert.deepEqual(await carriedBy(store, first.digest), []);
    assert.deepEqual(await carriedBy(store, digest), ['c']);
    assert.deepEqual(await carriedBy(store, next), ['c', 'd']);
  });

  it('ends a session with any of its digests, which all stop working', async ({ store }) => {
    for (let by = 0; by < 5; by++) {
      const first = await create(store, newRecord(newUser()));
      const { record, digest } = await handOut(store, await moveOn(store, first));
      const digests = [first.digest, digest, ...digestsOf(record)];
      assertSame((await store.delete(digests[by]!, NOW + 2 * GRACE))!, { id: first.id, userId: first.userId });
      for (const each of digests) {
        assert.equal(await worthOf(store, each), 'absent');
        assert.deepEqual(await store.update(each, { a: 1 }, NOW, NO_MAXIMUM), { status: 'absent' });
        assert.equal(await store.delete(each, NOW), undefined);
      }
      assert.deepEqual(await listedIds(store, first.userId!), []);
    }
  });

  it('ends a session by handle and by user after its token was replaced', async ({ store }) => {
    const userId = newUser();
    const [byHandle, byUser] = [await create(store, newRecord(userId)), await create(store, newRecord(userId))];
    const moved = [await moveOn(store, byHandle), await replaceToken(store, byUser)];
    assertSame((await store.deleteByHandle(userId, byHandle.id, NOW))!, { id: byHandle.id, userId });
    assert.deepEqual((await store.deleteByUser(userId, { limit: 10 }, NOW)).ended, [{ id: byUser.id, userId }]);
    for (const { digest } of [byHandle, byUser, ...moved]) assert.equal(await worthOf(store, digest), 'absent');
  });

  it('keeps nothing from an ended session of the same handle', async ({ store }) => {
    const userId = newUser();
    for (const end of ['delete', 'expiry']) {
      const first = await create(
        store,
        newRecord(userId, { roles: ['old'], factors: { totp: NOW }, data: { old: 1 } }),
      );
      await store.updateByUser(userId, { roles: ['older'] }, NOW);
      const { record } = await handOut(store, await moveOn(store, await liveRecord(store, first.digest)));
      if (end === 'delete') await store.delete(record.digest, NOW);
      const again = newRecord(userId, { id: first.id, createdAt: NOW + IDLE });
      assert.deepEqual(await store.create(again, NO_LIMIT, NOW + IDLE), CREATED);
      assertSame(await liveRecord(store, again.digest, NOW + IDLE), again);
      for (const old of [first.digest, record.digest]) {
        assert.equal(await worthOf(store, old, NOW + IDLE), 'replaced');
        assert.deepEqual(await store.update(old, { a: 1 }, NOW + IDLE, NO_MAXIMUM), { status: 'absent' });
      }
      await store.delete(again.digest, NOW);
    }
  });
}

/** Digests that name a session: of its token, of a token that it never had, and of one that does not exist. */
function digestsOf({ digest, id, userId }: SessionRecord): readonly string[] {
  return [digest, nextDigest(digest), userId === undefined ? nextDigest(digest) : addressOf(userId, id)];
}

/** Uses a session by a digest at `LATER`, and asserts that the store touches and updates it, or does neither. */
async function expectUse(store: SessionStore, record: SessionRecord, digest: string, honoured: boolean): Promise<void> {
  const touched = honoured ? { ...record, lastActivityAt: LATER, expiresAt: LATER + IDLE } : record;
  const outcome = await store.find(digest, { now: LATER, idle: IDLE, interval: MINUTE });
  assert.equal(outcome.status, 'live');
  assertSame(outcome.record, touched);
  assert.equal(isHonoured(standingOf(outcome.record, digest, LATER)), honoured);
  assertSame(await liveRecord(store, record.digest, LATER), touched);

  const data = honoured ? { kept: true, a: 1 } : { kept: true };
  const updated = await store.update(digest, { a: 1 }, LATER, NO_MAXIMUM);
  assert.deepEqual(updated, honoured ? { status: 'updated', data } : { status: 'absent' });
  assertSame(await liveRecord(store, record.digest, LATER), { ...touched, data });
  const tooLarge = await store.update(digest, { large: 'x'.repeat(100) }, LATER, 50);
  assert.deepEqual(tooLarge, { status: honoured ? 'too_large' : 'absent' });
}

async function carriedBy(store: SessionStore, digest: string): Promise<readonly string[]> {
  const record = await liveRecord(store, digest);
  return rolesOf(record, standingOf(record, digest, NOW));
}

async function create(store: SessionStore, record: SessionRecord): Promise<SessionRecord> {
  assert.deepEqual(await store.create(record, NO_LIMIT, NOW), CREATED);
  return record;
}
