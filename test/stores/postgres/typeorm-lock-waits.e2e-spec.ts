import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { DataSource, QueryRunner } from 'typeorm';
import type { SessionRecord, SessionStore } from 'nestjs-session-auth';
import { PostgresSessionStore } from 'nestjs-session-auth/postgres';
import { CreateSessionAuthTables, TypeOrmSessionStore } from 'nestjs-session-auth/typeorm';
import { createTestDatabase, poolOf, type TestDatabase } from '../../support/postgres-database.js';
import { HOUR, MINUTE, newRecord, nextDigest, NO_LIMIT, NOW } from '../../support/session-records.js';
import { executorOn } from '../../support/sql-executors.js';

/**
 * What an operation does when it has to wait for somebody who is changing the row it has just seen: the moments that
 * parallel load meets by chance only.
 */
describe.each<[string, (dataSource: DataSource) => SessionStore]>([
  ['by TypeORM', (dataSource) => new TypeOrmSessionStore(dataSource)],
  ['by a pool', (dataSource) => new PostgresSessionStore(poolOf(dataSource))],
  ['by an executor', (dataSource) => new PostgresSessionStore(executorOn(poolOf(dataSource)))],
])('an operation on PostgreSQL, %s, that waits for another', (_by, storeOn) => {
  let database: TestDatabase;
  let dataSource: DataSource;
  let store: SessionStore;
  let other: QueryRunner;
  let record: SessionRecord;

  beforeAll(async () => {
    database = await createTestDatabase();
    dataSource = await database.open({ migrations: [CreateSessionAuthTables] });
    await dataSource.runMigrations();
    store = storeOn(dataSource);
  });

  beforeEach(async () => {
    await dataSource.query('TRUNCATE session_auth_session');
    record = newRecord('alice');
    await store.create(record, NO_LIMIT, NOW);
    other = dataSource.createQueryRunner();
    await other.startTransaction();
  });

  afterEach(async () => {
    if (other.isTransactionActive) await other.rollbackTransaction();
    await other.release();
  });

  afterAll(() => database.close());

  it('find: the session was touched meanwhile, so nothing is written again', async () => {
    await change('last_activity_at = $1, expires_at = $1 + 3600000', [NOW + MINUTE]);
    const version: unknown = await other.query('SELECT ctid, xmin FROM session_auth_session');
    const found = await overtaken(() => store.find(record.digest, touch(NOW + MINUTE)));
    const touched = { ...record, lastActivityAt: NOW + MINUTE, expiresAt: NOW + MINUTE + HOUR };
    expect(found).toEqual({ status: 'live', record: touched });
    expect(await dataSource.query('SELECT ctid, xmin FROM session_auth_session')).toEqual(version);
  });

  it('find: the session was touched in time, so it has not expired', async () => {
    await change('last_activity_at = $1, expires_at = $1 + 3600000', [NOW + HOUR - 1]);
    const found = await overtaken(() => store.find(record.digest, touch(NOW + HOUR)));
    expect(found).toMatchObject({ status: 'live', record: { lastActivityAt: NOW + HOUR - 1 } });
  });

  it('find: the session was given an earlier end meanwhile, so no touch prolongs it', async () => {
    await change('expires_at = $1', [NOW + MINUTE]);
    const found = await overtaken(() => store.find(record.digest, touch(NOW + MINUTE)));
    expect(found).toEqual({ status: 'expired', ended: { id: record.id, userId: 'alice' } });
  });

  it('find: somebody else removed the session that has expired, so that one reports it', async () => {
    await other.query('DELETE FROM session_auth_session');
    expect(await overtaken(() => store.find(record.digest, touch(NOW + HOUR)))).toEqual({ status: 'absent' });
  });

  it('find: the token was replaced meanwhile, so it touches nothing', async () => {
    const digest = await replaceToken();
    const found = await overtaken(() => store.find(record.digest, touch(NOW + MINUTE)));
    expect(found).toEqual({ status: 'live', record: { ...record, digest, revision: 1 } });
  });

  it('find: the token was handed over meanwhile and is honoured, so it touches', async () => {
    await handOver(NOW + HOUR);
    const found = await overtaken(() => store.find(record.digest, touch(NOW + MINUTE)));
    expect(found).toMatchObject({ status: 'live', record: { revision: 1, lastActivityAt: NOW + MINUTE } });
  });

  it('update: the token was replaced meanwhile, so nothing changes', async () => {
    await replaceToken();
    expect(await overtaken(() => store.update(record.digest, { a: 1 }, NOW, 1000))).toEqual({ status: 'absent' });
    expect((await store.list('alice', { limit: 1 }, NOW)).records[0]!.data).toEqual({});
  });

  it.each([
    [NOW + 1, { status: 'updated', data: { a: 1 } }],
    [NOW, { status: 'absent' }],
  ])('update: the token was handed over meanwhile and is honoured until %d', async (until, outcome) => {
    await handOver(until);
    expect(await overtaken(() => store.update(record.digest, { a: 1 }, NOW, 1000))).toEqual(outcome);
  });

  it('update: the token that was handed over is not honoured any more, so nothing changes', async () => {
    await handOver(NOW + HOUR);
    await other.commitTransaction();
    await other.startTransaction();
    await replaceToken();
    await other.query('UPDATE session_auth_session SET tokens = NULL');
    expect(await overtaken(() => store.update(record.digest, { a: 1 }, NOW, 1000))).toEqual({ status: 'absent' });
    expect((await store.list('alice', { limit: 1 }, NOW)).records[0]!.data).toEqual({});
  });

  it('rotate: the session was rotated meanwhile, so it returns that one and changes nothing', async () => {
    const digest = await replaceToken();
    const rotation = { revision: 0, now: NOW, changes: { digest: nextDigest(digest), ip: '::1' } };
    const changed = { status: 'changed', record: { ...record, digest, revision: 1 } };
    expect(await overtaken(() => store.rotate(record.digest, rotation))).toEqual(changed);
    expect((await store.list('alice', { limit: 1 }, NOW)).records).toEqual([changed.record]);
  });

  it('rotate: the session was touched meanwhile, and both count', async () => {
    await change('last_activity_at = $1, expires_at = $1 + 3600000', [NOW + MINUTE]);
    const digest = nextDigest(record.digest);
    const touched = { ...record, lastActivityAt: NOW + MINUTE, expiresAt: NOW + MINUTE + HOUR };
    const rotation = { revision: 0, now: NOW + MINUTE, changes: { digest, rotatedAt: NOW + MINUTE } };
    expect(await overtaken(() => store.rotate(record.digest, rotation))).toEqual({
      status: 'rotated',
      record: { ...touched, digest, rotatedAt: NOW + MINUTE, revision: 1 },
    });
  });

  it('rotate: the session ended meanwhile, and stays so', async () => {
    await other.query('DELETE FROM session_auth_session');
    const rotation = { revision: 0, now: NOW, changes: {} };
    expect(await overtaken(() => store.rotate(record.digest, rotation))).toEqual({ status: 'absent' });
  });

  it('delete: the session was rotated meanwhile, and still ends', async () => {
    await replaceToken();
    const ended = await overtaken(() => store.delete(record.digest, NOW));
    expect(ended).toEqual({ id: record.id, userId: 'alice' });
    expect((await store.list('alice', { limit: 10 }, NOW)).records).toEqual([]);
  });

  it('update: the session ended, and stays so', async () => {
    await other.query('DELETE FROM session_auth_session');
    expect(await overtaken(() => store.update(record.digest, { a: 1 }, NOW, 1000))).toEqual({ status: 'absent' });
  });

  it('create: the session that it was to replace has been used meanwhile', async () => {
    await change('last_activity_at = $1', [NOW + MINUTE]);
    const admission = { ...NO_LIMIT, replaces: { id: record.id, unlessUsedFor: 1000 } };
    const outcome = await overtaken(() => store.create(newRecord('alice'), admission, NOW + MINUTE));
    expect(outcome).toEqual({ status: 'in_use' });
    expect((await store.list('alice', { limit: 10 }, NOW)).records).toHaveLength(1);
  });

  it('create: the least recent session has been used meanwhile, so another one leaves', async () => {
    const second = newRecord('alice', { lastActivityAt: NOW + 1 });
    await store.create(second, NO_LIMIT, NOW);
    await other.query('UPDATE session_auth_session SET last_activity_at = $1 WHERE handle = $2', [NOW + 2, record.id]);
    const admission = { max: 2, onLimit: 'evict-least-recent' } as const;
    const outcome = await overtaken(() => store.create(newRecord('alice'), admission, NOW + 3));
    expect(outcome).toMatchObject({ status: 'created', evicted: [{ id: second.id }] });
  });

  it('create: one of two that leave has been used meanwhile, and both are reported', async () => {
    const second = newRecord('alice', { createdAt: NOW + 1 });
    await store.create(second, NO_LIMIT, NOW);
    await other.query('UPDATE session_auth_session SET last_activity_at = $1 WHERE handle = $2', [NOW + 2, record.id]);
    const admission = { max: 1, onLimit: 'evict-oldest' } as const;
    const outcome = await overtaken(() => store.create(newRecord('alice'), admission, NOW + 3));
    expect(outcome).toMatchObject({ status: 'created', evicted: [{ id: record.id }, { id: second.id }] });
  });

  it('create: the oldest session has ended meanwhile, so none has to leave', async () => {
    const second = newRecord('alice', { createdAt: NOW + 1 });
    await store.create(second, NO_LIMIT, NOW);
    await other.query('DELETE FROM session_auth_session WHERE handle = $1', [record.id]);
    const admission = { max: 2, onLimit: 'evict-oldest' } as const;
    const outcome = await overtaken(() => store.create(newRecord('alice'), admission, NOW + 3));
    expect(outcome).toEqual({ status: 'created', evicted: [], replaced: [] });
  });

  it("create: the device's session has been given to another device meanwhile, and stays", async () => {
    await other.query(`UPDATE session_auth_session SET device = 'phone'`);
    await other.commitTransaction();
    await other.startTransaction();
    await change(`device = 'laptop', revision = revision + $1`, [1]);
    const next = newRecord('alice', { device: 'phone' });
    const outcome = await overtaken(() => store.create(next, NO_LIMIT, NOW));
    expect(outcome).toEqual({ status: 'created', evicted: [], replaced: [] });
    expect((await store.list('alice', { limit: 10 }, NOW)).records).toHaveLength(2);
  });

  it.each([
    ['deleteByUser', () => store.deleteByUser('alice', { limit: 10 }, NOW), []],
    ['updateByUser', () => store.updateByUser('alice', { roles: ['a'] }, NOW), [['a']]],
  ])('%s: a login that evicts one session and adds another does not slip through', async (_, operation, rolesLeft) => {
    await other.query('SELECT FROM session_auth_session FOR UPDATE');
    const login = store.create(newRecord('alice'), { max: 1, onLimit: 'evict-oldest' }, NOW);
    await waiting(1);
    const outcome = operation();
    await waiting(2);
    await other.commitTransaction();
    await Promise.all([login, outcome]);
    const { records } = await store.list('alice', { limit: 10 }, NOW);
    expect(records.map(({ roles }) => roles)).toEqual(rolesLeft);
  });

  const orderly: Record<string, () => Promise<unknown>> = {
    deleteByUser: () => store.deleteByUser('bob', { limit: 10 }, NOW),
    updateByUser: () => store.updateByUser('bob', { roles: ['a'] }, NOW),
    'create, evicting the oldest': () => store.create(newRecord('bob'), { max: 1, onLimit: 'evict-oldest' }, NOW),
    'create, evicting the least recent': () =>
      store.create(newRecord('bob'), { max: 1, onLimit: 'evict-least-recent' }, NOW),
  };

  it.each(Object.keys(orderly))('%s: holds no session while it waits for one of a smaller handle', async (name) => {
    const sessions = ['a', 'b', 'c'].map((letter, i) =>
      newRecord('bob', { id: letter.repeat(20), createdAt: NOW - i, lastActivityAt: NOW - i }),
    );
    for (const session of sessions) await store.create(session, NO_LIMIT, NOW);
    await other.query('SELECT FROM session_auth_session WHERE handle = $1 FOR UPDATE', [sessions[0]!.id]);
    await overtaken(orderly[name]!, async () => {
      const rest = (await other.query(
        `SELECT handle FROM session_auth_session WHERE user_id = 'bob' ORDER BY handle DESC FOR UPDATE NOWAIT`,
      )) as unknown[];
      expect(rest).toHaveLength(3);
    });
  });

  it('deleteExpired: passes by what somebody else holds', async () => {
    await other.query('SELECT FROM session_auth_session FOR UPDATE');
    expect(await store.deleteExpired(NOW + HOUR, 10)).toEqual([]);
    await other.commitTransaction();
    expect(await store.deleteExpired(NOW + HOUR, 10)).toEqual([{ id: record.id, userId: 'alice' }]);
  });

  const touch = (now: number) => ({ now, idle: HOUR, interval: MINUTE });

  /** The other's change of the session. */
  async function change(assignments: string, values: unknown[]): Promise<void> {
    await other.query(`UPDATE session_auth_session SET ${assignments.replaceAll('$1', '$1::bigint')}`, values);
  }

  /** The other's rotation by which a new token is the token at once. Returns its digest. */
  async function replaceToken(): Promise<string> {
    const digest = nextDigest(record.digest);
    await other.query('UPDATE session_auth_session SET digest = $1, revision = revision + 1', [digest]);
    return digest;
  }

  /** The other's rotation by which a successor is the token, and the token before is honoured for a while. */
  async function handOver(until: number): Promise<void> {
    await replaceToken();
    const tokens = [{ hash: record.digest.slice(22), kind: 'superseded', at: until }];
    await other.query('UPDATE session_auth_session SET tokens = $1', [JSON.stringify(tokens)]);
  }

  /**
   * Starts an operation, waits until it waits for the other, does what is to be done then, and lets the other commit.
   */
  async function overtaken<T>(operation: () => Promise<T>, meanwhile?: () => Promise<void>): Promise<T> {
    const outcome = operation();
    await waiting(1);
    await meanwhile?.();
    await other.commitTransaction();
    return outcome;
  }

  /** Waits until so many operations wait for a lock. */
  async function waiting(count: number): Promise<void> {
    let rows: unknown[] = [];
    while (rows.length < count) {
      rows = await dataSource.query(
        `SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
      );
    }
  }
});
