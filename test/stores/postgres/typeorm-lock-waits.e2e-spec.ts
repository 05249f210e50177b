import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { DataSource, QueryRunner } from 'typeorm';
import type { SessionRecord } from 'nestjs-session-auth';
import { CreateSessionAuthTables, TypeOrmSessionStore } from 'nestjs-session-auth/typeorm';
import { createTestDatabase, type TestDatabase } from '../../support/postgres-database.js';
import { HOUR, MINUTE, newDigest, newRecord, NO_LIMIT, NOW } from '../../support/session-records.js';

/**
 * What an operation does when it has to wait for somebody who is changing the row it has just seen: the moments that
 * parallel load meets by chance only.
 */
describe('an operation on PostgreSQL that waits for another', () => {
  let database: TestDatabase;
  let dataSource: DataSource;
  let store: TypeOrmSessionStore;
  let other: QueryRunner;
  let record: SessionRecord;

  beforeAll(async () => {
    database = await createTestDatabase();
    dataSource = await database.open({ migrations: [CreateSessionAuthTables] });
    await dataSource.runMigrations();
    store = new TypeOrmSessionStore(dataSource);
  });

  beforeEach(async () => {
    await dataSource.query('TRUNCATE session_auth_session, session_auth_grace');
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

  it.each([
    ['without a grace', 0, { status: 'absent' }],
    ['with one', 1000, { status: 'updated', data: { a: 1 } }],
  ])('update: the session was rotated %s', async (_, grace, outcome) => {
    await rotateAside(grace);
    expect(await overtaken(() => store.update(record.digest, { a: 1 }, NOW, 1000))).toEqual(outcome);
  });

  it.each([
    ['without a grace', 0, { status: 'absent' }],
    ['with one', 1000, { status: 'superseded' }],
  ])('rotate: the session was rotated %s', async (_, grace, outcome) => {
    await rotateAside(grace);
    const rotation = { digest: newDigest(), now: NOW, grace: 1000, changes: {} };
    expect(await overtaken(() => store.rotate(record.digest, rotation))).toEqual(outcome);
  });

  it.each([
    ['without a grace', 0],
    ['with one', 1000],
  ])('delete: the session was rotated %s', async (_, grace) => {
    await rotateAside(grace);
    const ended = await overtaken(() => store.delete(record.digest, NOW));
    expect(ended).toEqual(grace === 0 ? undefined : { id: record.id, userId: 'alice' });
    expect((await store.list('alice', { limit: 10 }, NOW)).records).toHaveLength(grace === 0 ? 1 : 0);
  });

  it('update: the session ended, and stays so', async () => {
    await other.query('DELETE FROM session_auth_session');
    expect(await overtaken(() => store.update(record.digest, { a: 1 }, NOW, 1000))).toEqual({ status: 'absent' });
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

  async function rotateAside(grace: number): Promise<void> {
    await other.query('UPDATE session_auth_session SET digest = $1', [newDigest()]);
    if (grace === 0) return;
    const values = [record.digest, record.id, NOW + grace];
    await other.query('INSERT INTO session_auth_grace VALUES ($1, $2, $3)', values);
  }

  /** Starts an operation, waits until it waits for the other, does what is to be done then, and lets the other commit. */
  async function overtaken<T>(operation: () => Promise<T>, meanwhile?: () => Promise<void>): Promise<T> {
    const outcome = operation();
    let waiting = 0;
    while (waiting === 0) {
      const rows = await dataSource.query<unknown[]>(
        `SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
      );
      waiting = rows.length;
    }
    await meanwhile?.();
    await other.commitTransaction();
    return outcome;
  }
});
