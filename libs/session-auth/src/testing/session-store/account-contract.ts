import assert from 'node:assert/strict';
import type { ContractTests } from './contract-tests.js';
import { fullRecord, GRACE, IDLE, newDigest, newRecord, newUser, nextDigest, NO_LIMIT, NOW } from './sample-records.js';
import { assertSame, listAll, liveRecord } from './store-queries.js';

/** `updateByUser`, one call at a time. */
export function accountContract({ it }: ContractTests): void {
  it('sets roles and e-mail on all sessions of a user and makes their tokens due for rotation', async ({ store }) => {
    const userId = newUser();
    const records = [fullRecord(userId), newRecord(userId), fullRecord(userId)];
    const other = fullRecord(newUser());
    for (const record of [...records, other]) await store.create(record, NO_LIMIT, NOW);
    const changes = { roles: ['admin', '"quoted"'], email: `new+"ünï\u2028@example.com` };
    assert.equal(await store.updateByUser(userId, changes, NOW), 3);
    for (const record of records) {
      assertSame(await liveRecord(store, record.digest), { ...record, ...changes, rotatedAt: 0 });
    }
    assertSame(await liveRecord(store, other.digest), other);
  });

  it('leaves what is not given', async ({ store }) => {
    const record = fullRecord(newUser());
    await store.create(record, NO_LIMIT, NOW);
    assert.equal(await store.updateByUser(record.userId!, { roles: [] }, NOW), 1);
    assertSame(await liveRecord(store, record.digest), { ...record, roles: [], rotatedAt: 0 });
    assert.equal(await store.updateByUser(record.userId!, { email: 'e@example.com' }, NOW), 1);
    const expected = { ...record, roles: [], email: 'e@example.com', rotatedAt: 0 };
    assertSame(await liveRecord(store, record.digest), expected);
    assert.equal(await store.updateByUser(record.userId!, { roles: undefined, email: undefined }, NOW), 1);
    assertSame(await liveRecord(store, record.digest), expected);
  });

  it('finds a session wherever rotation has moved it', async ({ store }) => {
    const record = newRecord(newUser());
    await store.create(record, NO_LIMIT, NOW);
    const digest = newDigest(record.userId);
    await store.rotate(record.digest, { digest, now: NOW, grace: GRACE, changes: {} });
    assert.equal(await store.updateByUser(record.userId!, { roles: ['admin'] }, NOW), 1);
    for (const either of [digest, record.digest]) {
      assertSame(await liveRecord(store, either), { ...record, digest, roles: ['admin'], rotatedAt: 0 });
    }
    const next = nextDigest(digest);
    await store.rotate(digest, { digest: next, now: NOW, grace: 0, changes: {} });
    assertSame(await liveRecord(store, next), { ...record, digest: next, roles: ['admin'], rotatedAt: NOW });
  });

  it('counts neither expired sessions nor those of a user without any', async ({ store }) => {
    const userId = newUser();
    assert.equal(await store.updateByUser(userId, { roles: ['admin'] }, NOW), 0);
    await store.create(newRecord(userId), NO_LIMIT, NOW);
    await store.create(newRecord(userId, { expiresAt: NOW + IDLE + 1 }), NO_LIMIT, NOW);
    assert.equal(await store.updateByUser(userId, { roles: ['admin'] }, NOW + IDLE), 1);
  });

  it('reaches hundreds of sessions, many of one time', async ({ store }) => {
    const userId = newUser();
    const records = Array.from({ length: 700 }, (_, i) =>
      newRecord(userId, { createdAt: NOW - (i % 7 === 0 ? i : 0) }),
    );
    await Promise.all(records.map((record) => store.create(record, NO_LIMIT, NOW)));
    assert.equal(await store.updateByUser(userId, { roles: ['admin'] }, NOW), 700);
    const listed = await listAll(store, userId);
    assert.equal(listed.length, 700);
    for (const record of listed) assert.deepEqual([record.roles, record.rotatedAt], [['admin'], 0]);
  });
}
