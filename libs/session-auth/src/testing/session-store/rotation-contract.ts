import assert from 'node:assert/strict';
import { addressOf } from '../../crypto/session-token.js';
import type { SessionRecord, SessionRecordChanges } from '../../session/session-record.js';
import type { SessionStore } from '../../session/session-store.js';
import { HOUR, MINUTE, SECOND } from '../../time/units.js';
import type { ContractTests } from './contract-tests.js';
import {
  ABSOLUTE,
  fullRecord,
  IDLE,
  newDigest,
  newRecord,
  newToken,
  newUser,
  nextDigest,
  NO_LIMIT,
  NO_MAXIMUM,
  NOW,
} from './sample-records.js';
import { assertSame, CREATED, isLive, listAll, listedIds, liveRecord } from './store-queries.js';
import { moveOn, rotate, rotationOf } from './token-steps.js';

/**
 * `rotate`: a compare-and-set, and which fields it changes or keeps. The token contract covers what tokens are worth.
 */
export function rotationContract({ it }: ContractTests): void {
  it('applies changes of tokens, adds 1 to the revision, and leaves everything else', async ({ store }) => {
    for (const record of [fullRecord(newUser()), newRecord(newUser()), newRecord(undefined, { data: { cart: [1] } })]) {
      await store.create(record, NO_LIMIT, NOW);
      const now = NOW + MINUTE;
      const changes = {
        digest: nextDigest(record.digest),
        rotatedAt: now,
        tokens: [
          newToken('superseded', now, record.digest),
          { ...newToken('successor', now), rolesSince: 1, grace: 7 },
        ],
        formerRoles: [['one', '"two"'], []],
        rolesSince: 2,
      };
      const expected = { ...record, ...changes, revision: (record.revision ?? 0) + 1 };
      const outcome = await store.rotate(record.digest, rotationOf(record, changes, now));
      assert.equal(outcome.status, 'rotated');
      assertSame(outcome.record, expected);
      assertSame(await liveRecord(store, changes.digest, now), expected);
      if (record.userId === undefined) continue;
      const listed = await listAll(store, record.userId, { now });
      assert.equal(listed.length, 1);
      assertSame(listed[0]!, expected);
    }
  });

  it('applies the changes of a login', async ({ store }) => {
    const record = await create(store, newRecord(newUser(), { data: { kept: true } }));
    const changes: SessionRecordChanges = {
      device: 'AnotherOne-',
      email: 'new@example.com',
      roles: ['admin', 'line\nbreak'],
      createdAt: NOW + HOUR,
      authenticatedAt: NOW + HOUR,
      authentication: 'password',
      factors: { totp: NOW + MINUTE },
      upstream: 'another',
      lastActivityAt: NOW + MINUTE,
      expiresAt: NOW + 2 * HOUR,
      absoluteExpiresAt: NOW + 3 * HOUR,
      ip: '192.0.2.7',
      userAgent: 'A "new" one\\',
      fingerprint: 'print',
    };
    const expected = { ...record, ...changes, revision: 1 };
    assertSame(await rotate(store, record, changes), expected);
    assertSame(await liveRecord(store, record.digest, NOW + 2 * HOUR - 1), expected);
    assertSame((await listAll(store, record.userId!))[0]!, expected);
    assert.ok(!(await isLive(store, record.digest, NOW + 2 * HOUR)));
  });

  it('replaces fields as a whole, and keeps empty values', async ({ store }) => {
    const record = await create(store, fullRecord(newUser()));
    const once = await rotate(store, record, { factors: { passkey: NOW }, tokens: [newToken('successor', NOW)] });
    assert.deepEqual(once.factors, { passkey: NOW });
    assert.equal(once.tokens?.length, 1);
    const changes = { factors: {}, upstream: '', email: '', roles: [], tokens: [], formerRoles: [], rolesSince: 0 };
    const expected = { ...record, ...changes, revision: 9 };
    assertSame(await rotate(store, once, changes), expected);
    assertSame(await liveRecord(store, record.digest), expected);
    assertSame((await listAll(store, record.userId!))[0]!, expected);
  });

  it('leaves fields unchanged if their change is undefined or missing', async ({ store }) => {
    const nothing = {
      digest: undefined,
      rotatedAt: undefined,
      tokens: undefined,
      formerRoles: undefined,
      rolesSince: undefined,
      device: undefined,
      email: undefined,
      roles: undefined,
      createdAt: undefined,
      authenticatedAt: undefined,
      authentication: undefined,
      factors: undefined,
      upstream: undefined,
      lastActivityAt: undefined,
      expiresAt: undefined,
      absoluteExpiresAt: undefined,
      ip: undefined,
      userAgent: undefined,
      fingerprint: undefined,
    };
    for (const changes of [{}, nothing]) {
      const record = await create(store, fullRecord(newUser()));
      assertSame(await rotate(store, record, changes), { ...record, revision: 8 });
      assertSame(await liveRecord(store, record.digest), { ...record, revision: 8 });
    }
  });

  it('changes each time of a session separately', async ({ store }) => {
    const given = { authenticatedAt: NOW, authentication: 'password', rotatedAt: NOW } as const;
    const fields = ['createdAt', 'authenticatedAt', 'rotatedAt', 'lastActivityAt', 'expiresAt'] as const;
    for (const field of fields) {
      const record = await create(store, newRecord(newUser(), given));
      const changes = { [field]: record[field]! + SECOND };
      await rotate(store, record, changes);
      assertSame(await liveRecord(store, record.digest), { ...record, ...changes, revision: 1 });
    }
  });

  it('changes nothing if the revision is not the present one, and returns the present record', async ({ store }) => {
    for (const revision of [undefined, 0, 3]) {
      const record = await create(store, { ...fullRecord(newUser()), revision });
      const changes = { digest: nextDigest(record.digest), roles: ['admin'], tokens: [], expiresAt: NOW + HOUR };
      for (const other of [-1, 1, 2, 4]) {
        const outcome = await store.rotate(record.digest, { revision: other, now: NOW, changes });
        assert.equal(outcome.status, 'changed');
        assertSame(outcome.record, record);
        assertSame(await liveRecord(store, record.digest), record);
      }
    }
  });

  it('refuses the second of two rotations based on one record', async ({ store }) => {
    const record = await create(store);
    const first = await rotate(store, record, { roles: ['first'] });
    const outcome = await store.rotate(
      record.digest,
      rotationOf(record, { roles: ['second'], email: 'e@example.com' }),
    );
    assert.equal(outcome.status, 'changed');
    assertSame(outcome.record, first);
    assertSame(await liveRecord(store, record.digest), first);
    assertSame(await rotate(store, first, { roles: ['second'] }), { ...first, roles: ['second'], revision: 2 });
  });

  it('refuses a rotation based on a record from before a change of the account', async ({ store }) => {
    const record = await create(store);
    await store.updateByUser(record.userId!, { email: 'new@example.com' }, NOW);
    const outcome = await store.rotate(record.digest, rotationOf(record, { email: 'old@example.com' }));
    assert.equal(outcome.status, 'changed');
    assert.deepEqual([outcome.record.email, outcome.record.revision], ['new@example.com', 1]);
  });

  it('loses no touch and no update between read and rotation', async ({ store }) => {
    const record = await create(store, newRecord(newUser(), { data: { kept: true, gone: 1 } }));
    const now = NOW + 5 * MINUTE;
    await store.find(record.digest, { now, idle: IDLE, interval: MINUTE });
    await store.update(record.digest, { added: [1], gone: undefined }, now, NO_MAXIMUM);
    const expected = {
      ...record,
      lastActivityAt: now,
      expiresAt: now + IDLE,
      data: { kept: true, added: [1] },
      roles: ['admin'],
      revision: 1,
    };
    assertSame(await rotate(store, record, { roles: ['admin'] }, now), expected);
    assertSame(await liveRecord(store, record.digest, now), expected);
  });

  it('rotates the session with the digest of any of its tokens', async ({ store }) => {
    const userId = newUser();
    let record = await create(store, newRecord(userId));
    for (const digest of [nextDigest(record.digest), addressOf(userId, record.id), record.digest]) {
      const outcome = await store.rotate(digest, rotationOf(record, { ip: digest.slice(0, 39) }));
      assert.equal(outcome.status, 'rotated');
      record = outcome.record;
    }
    assert.equal(record.revision, 3);
  });

  it('keeps the deadlines: rotating does not make a session live longer', async ({ store }) => {
    const record = await create(store);
    const next = await moveOn(store, record, { now: NOW + IDLE - MINUTE });
    assert.ok(await isLive(store, next.digest, NOW + IDLE - 1));
    assert.ok(!(await isLive(store, next.digest, NOW + IDLE)));
  });

  it('keeps the absolute deadline for touches after it', async ({ store }) => {
    let record = await create(store);
    for (let now = NOW; now < NOW + ABSOLUTE; now += IDLE - MINUTE) {
      await store.find(record.digest, { now, idle: IDLE, interval: SECOND });
      record = await moveOn(store, record, { now });
    }
    assert.equal((await liveRecord(store, record.digest, NOW + ABSOLUTE - 1)).expiresAt, NOW + ABSOLUTE);
    assert.ok(!(await isLive(store, record.digest, NOW + ABSOLUTE)));
  });

  it('returns absent for a missing session, and does not create it', async ({ store }) => {
    const userId = newUser();
    const digest = newDigest(userId);
    const rotation = { revision: 0, now: NOW, changes: { digest: nextDigest(digest), expiresAt: NOW + HOUR } };
    assert.deepEqual(await store.rotate(digest, rotation), { status: 'absent' });
    assert.ok(!(await isLive(store, digest)));
    assert.deepEqual(await listedIds(store, userId), []);
  });

  it('puts a session in its new place in the list when createdAt changes', async ({ store }) => {
    const userId = newUser();
    const first = await create(store, newRecord(userId, { createdAt: NOW - 3 * SECOND }));
    const second = await create(store, newRecord(userId, { createdAt: NOW - 2 * SECOND }));
    const third = await create(store, newRecord(userId, { createdAt: NOW - SECOND }));
    assert.deepEqual(await listedIds(store, userId), [third.id, second.id, first.id]);
    await rotate(store, first, { createdAt: NOW });
    assert.deepEqual(await listedIds(store, userId), [first.id, third.id, second.id]);
    await rotate(store, third, {});
    assert.deepEqual(await listedIds(store, userId), [first.id, third.id, second.id]);
    const outcome = await store.create(newRecord(userId), { max: 3, onLimit: 'evict-oldest' }, NOW);
    assert.deepEqual(outcome, { ...CREATED, evicted: [{ id: second.id, userId }] });
  });
}

async function create(store: SessionStore, record: SessionRecord = newRecord(newUser())): Promise<SessionRecord> {
  await store.create(record, NO_LIMIT, NOW);
  return record;
}
