import assert from 'node:assert/strict';
import type { ContractTests } from './contract-tests.js';
import { fullRecord, IDLE, newRecord, newUser, NO_LIMIT, NOW } from './sample-records.js';
import { assertSame, listAll, liveRecord } from './store-queries.js';
import { moveOn, replaceToken } from './token-steps.js';

/** `updateByUser`, one call at a time. */
export function accountContract({ it }: ContractTests): void {
  it('sets roles and e-mail on all sessions of a user and marks their tokens for rotation', async ({ store }) => {
    const userId = newUser();
    const records = [fullRecord(userId), newRecord(userId), fullRecord(userId)];
    const other = fullRecord(newUser());
    for (const record of [...records, other]) await store.create(record, NO_LIMIT, NOW);
    const changes = { roles: ['admin', '"quoted"'], email: `new+"ünï\u2028@example.com` };
    assert.equal(await store.updateByUser(userId, changes, NOW), 3);
    for (const record of records) {
      const { revision = 0, formerRoles = [], roles } = record;
      const expected = { ...record, ...changes, formerRoles: [...formerRoles, roles], rotatedAt: 0 };
      assertSame(await liveRecord(store, record.digest), { ...expected, revision: revision + 1 });
    }
    assertSame(await liveRecord(store, other.digest), other);
  });

  it('keeps fields that are not given', async ({ store }) => {
    const record = fullRecord(newUser());
    await store.create(record, NO_LIMIT, NOW);
    assert.equal(await store.updateByUser(record.userId!, { roles: [] }, NOW), 1);
    const formerRoles = [...record.formerRoles!, record.roles];
    const expected = { ...record, roles: [], formerRoles, rotatedAt: 0, revision: 8 };
    assertSame(await liveRecord(store, record.digest), expected);
    const email = 'e@example.com';
    assert.equal(await store.updateByUser(record.userId!, { email }, NOW), 1);
    assertSame(await liveRecord(store, record.digest), { ...expected, email, revision: 9 });
    assert.equal(await store.updateByUser(record.userId!, { roles: undefined, email: undefined }, NOW), 1);
    assertSame(await liveRecord(store, record.digest), { ...expected, email, revision: 10 });
  });

  it('keeps the previous roles of sessions whose roles change, and only of these', async ({ store }) => {
    const userId = newUser();
    const given = [['a'], ['a', 'b'], [], ['"a"', 'line\nbreak']];
    const records = given.map((roles) => newRecord(userId, { roles }));
    for (const record of records) await store.create(record, NO_LIMIT, NOW);
    for (const roles of given) await store.updateByUser(userId, { roles: [...roles] }, NOW);
    for (const [i, record] of records.entries()) {
      // for the first session, the first change changes nothing
      const states = i === 0 ? given.slice(0, -1) : [given[i]!, ...given.slice(0, -1)];
      const expected = { ...record, roles: given[3], formerRoles: states, rotatedAt: 0, revision: 4 };
      assertSame(await liveRecord(store, record.digest), expected);
    }
  });

  it('distinguishes similar roles', async ({ store }) => {
    const userId = newUser();
    const states = [['a', 'b'], ['a,b'], ['a'], ['a', ''], [''], [], ['A'], ['"a"'], ['a\u0301'], ['á'], ['a ']];
    const record = newRecord(userId, { roles: states[0] });
    await store.create(record, NO_LIMIT, NOW);
    for (const roles of states) await store.updateByUser(userId, { roles }, NOW);
    const { roles, formerRoles } = await liveRecord(store, record.digest);
    assertSame({ formerRoles: [...formerRoles!, roles] }, { formerRoles: states });
  });

  it('finds a session after its token was replaced', async ({ store }) => {
    const record = newRecord(newUser());
    await store.create(record, NO_LIMIT, NOW);
    const moved = await moveOn(store, record);
    assert.equal(await store.updateByUser(record.userId!, { roles: ['admin'] }, NOW), 1);
    const expected = { ...moved, roles: ['admin'], formerRoles: [[]], rotatedAt: 0, revision: 3 };
    for (const either of [moved.digest, record.digest]) assertSame(await liveRecord(store, either), expected);
    const next = await replaceToken(store, await liveRecord(store, moved.digest));
    assertSame(next, { ...next, roles: ['admin'], rotatedAt: NOW, revision: 4 });
  });

  it('counts neither expired sessions nor those of a user without any', async ({ store }) => {
    const userId = newUser();
    assert.equal(await store.updateByUser(userId, { roles: ['admin'] }, NOW), 0);
    await store.create(newRecord(userId), NO_LIMIT, NOW);
    await store.create(newRecord(userId, { expiresAt: NOW + IDLE + 1 }), NO_LIMIT, NOW);
    assert.equal(await store.updateByUser(userId, { roles: ['admin'] }, NOW + IDLE), 1);
  });

  it('changes hundreds of sessions, many of one time', async ({ store }) => {
    const userId = newUser();
    const records = Array.from({ length: 700 }, (_, i) =>
      newRecord(userId, { createdAt: NOW - (i % 7 === 0 ? i : 0) }),
    );
    await Promise.all(records.map((record) => store.create(record, NO_LIMIT, NOW)));
    assert.equal(await store.updateByUser(userId, { roles: ['admin'] }, NOW), 700);
    const listed = await listAll(store, userId);
    assert.equal(listed.length, 700);
    for (const { roles, formerRoles, rotatedAt, revision } of listed) {
      const expected = { roles: ['admin'], formerRoles: [[]], rotatedAt: 0, revision: 1 };
      assertSame({ roles, formerRoles, rotatedAt, revision }, expected);
    }
  });
}
