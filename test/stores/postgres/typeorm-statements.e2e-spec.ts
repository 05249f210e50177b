import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Client } from 'pg';
import type { DataSource } from 'typeorm';
import { CreateSessionAuthTables, TypeOrmSessionStore } from 'nestjs-session-auth/typeorm';
import { until } from '../../support/patience.js';
import { createTestDatabase, type TestDatabase } from '../../support/postgres-database.js';
import { HOUR, MINUTE, newDigest, newRecord, nextDigest, NO_LIMIT, NOW } from '../../support/session-records.js';

const ROWS = 100_000;

describe('what PostgreSQL is asked for', () => {
  let database: TestDatabase;
  let dataSource: DataSource;
  let store: TypeOrmSessionStore;
  let sent: string[];
  const touch = (now: number) => ({ now, idle: HOUR, interval: MINUTE });

  beforeAll(async () => {
    database = await createTestDatabase();
    // one connection, so that it has every statement prepared
    dataSource = await database.open({ extra: { max: 1 }, migrations: [CreateSessionAuthTables] });
    await dataSource.runMigrations();
    await fill(dataSource);
    store = new TypeOrmSessionStore(dataSource);
  });

  beforeEach(() => {
    sent = [];
    const query = Reflect.get(Client.prototype, 'query') as (this: Client, ...args: unknown[]) => unknown;
    jest.spyOn(Client.prototype, 'query').mockImplementation(function (this: Client, ...args: unknown[]) {
      sent.push(typeof args[0] === 'string' ? args[0] : (args[0] as { text: string }).text.trim());
      return query.apply(this, args) as undefined;
    });
  });

  afterEach(() => {
    jest.restoreAllMocks();
  });

  afterAll(() => database.close());

  it('one statement a read, which inside the touch interval neither writes a row nor locks it', async () => {
    const record = newRecord('alice');
    await store.create(record, NO_LIMIT, NOW);
    const before = await versionOf(record.digest);
    sent.length = 0;
    for (let i = 0; i < 100; i += 1) {
      const outcome = await store.find(record.digest, touch(NOW + MINUTE - 1));
      expect(outcome.status).toBe('live');
    }
    expect(sent).toHaveLength(100);
    expect(await versionOf(record.digest)).toEqual(before);
  });

  it('one more statement where the read touches or removes, and none by a refused token or for no session', async () => {
    const [touched, expired] = [newRecord('alice'), newRecord('alice')];
    for (const record of [touched, expired]) await store.create(record, NO_LIMIT, NOW);
    sent.length = 0;
    expect((await store.find(touched.digest, touch(NOW + MINUTE))).status).toBe('live');
    expect((await store.find(expired.digest, touch(NOW + HOUR))).status).toBe('expired');
    expect((await store.find(nextDigest(touched.digest), touch(NOW + 2 * MINUTE))).status).toBe('live');
    expect((await store.find(newDigest(), touch(NOW))).status).toBe('absent');
    expect(sent.map((text) => text.split(/\s/, 1)[0])).toEqual([
      'SELECT',
      'UPDATE',
      'SELECT',
      'DELETE',
      'SELECT',
      'SELECT',
    ]);
  });

  it('one statement for sixteen reads of one moment', async () => {
    const records = Array.from({ length: 40 }, (_, index) => newRecord(`user-${index}`));
    for (const record of records) await store.create(record, NO_LIMIT, NOW);
    sent.length = 0;
    const found = await Promise.all(records.map(({ digest }) => store.find(digest, touch(NOW))));
    expect(found).toEqual(records.map((record) => ({ status: 'live', record })));
    expect(sent).toHaveLength(3);
  });

  it('one statement each to update, rotate and end a session, and to list those of a user', async () => {
    const records = Array.from({ length: 5 }, () => newRecord('bob'));
    for (const record of records) await store.create(record, NO_LIMIT, NOW);
    const [first, second, third] = records;
    sent.length = 0;
    await store.update(first!.digest, { a: 1 }, NOW, 1000);
    await rotate(first!.digest, 0);
    await store.list('bob', { limit: 2 }, NOW);
    await store.delete(second!.digest, NOW);
    await store.deleteByHandle('bob', third!.id, NOW);
    expect(sent).toHaveLength(5);
  });

  it('two more statements to update by a token that has been handed over, one more by a refused one', async () => {
    const record = newRecord('bob');
    await store.create(record, NO_LIMIT, NOW);
    const digest = nextDigest(record.digest);
    const tokens = [{ hash: record.digest.slice(22), kind: 'superseded', at: NOW + 1 }] as const;
    await store.rotate(record.digest, { revision: 0, now: NOW, changes: { digest, tokens } });
    sent.length = 0;
    expect((await store.update(record.digest, { a: 1 }, NOW, 1000)).status).toBe('updated');
    expect((await store.update(record.digest, { a: 1 }, NOW + 1, 1000)).status).toBe('absent');
    expect(sent.map((text) => text.split(/\s/, 1)[0])).toEqual(['WITH', 'SELECT', 'WITH', 'WITH', 'SELECT']);
  });

  it('one transaction of three round trips each to change the account of a user and to end all sessions', async () => {
    await store.create(newRecord('bob'), NO_LIMIT, NOW);
    sent.length = 0;
    await store.updateByUser('bob', { roles: ['a'] }, NOW);
    await store.deleteByUser('bob', { limit: 1000 }, NOW);
    expect(sent.map((text) => text.split(/\s/, 1)[0])).toEqual(['BEGIN', 'WITH', 'COMMIT', 'BEGIN', 'WITH', 'COMMIT']);
  });

  it('one transaction of three round trips for a login under a limit or by a device, one statement else', async () => {
    sent.length = 0;
    await store.create(newRecord('carol'), NO_LIMIT, NOW);
    await store.create(newRecord(undefined), { max: 3, onLimit: 'reject' }, NOW);
    expect(sent).toHaveLength(2);
    sent.length = 0;
    await store.create(newRecord('carol'), { max: 1, onLimit: 'evict-oldest' }, NOW);
    await store.create(newRecord('carol', { device: 'phone' }), NO_LIMIT, NOW);
    await store.create(newRecord('carol'), { ...NO_LIMIT, replaces: { id: 'h'.repeat(20) } }, NOW);
    const transaction = ['BEGIN', 'WITH', 'COMMIT'];
    expect(sent.map((text) => text.split(/\s/, 1)[0])).toEqual([...transaction, ...transaction, ...transaction]);
    // should the node vanish in between, the server ends the transaction, and the user can log in elsewhere
    expect(sent[0]).toMatch(
      /^BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL idle_in_transaction_session_timeout = 10000; SELECT pg_advisory_xact_lock\(-?\d+\)$/,
    );
  });

  it.each<[string, (digest: string, round: number) => Promise<unknown>]>([
    ['touch', (digest, round) => store.find(digest, touch(NOW + (round + 1) * MINUTE))],
    ['rotation', (digest, round) => rotate(digest, round)],
  ])('a %s rewrites the row in place and leaves all indexes alone', async (_, write) => {
    // While another transaction is open on the server, old versions of rows stay, and the page gets full. A write that
    // changes an index is never in place, however often it is repeated.
    await until(async () => {
      const records = Array.from({ length: 50 }, () => newRecord('dave'));
      for (const record of records) await store.create(record, NO_LIMIT, NOW);
      const before = await updates();
      for (let round = 0; round < 4; round += 1) {
        for (const { digest } of records) await write(digest, round);
      }
      const after = await updates();
      expect(after.all - before.all).toBe(200);
      // a row whose page is full moves to another one, once in a while
      return after.hot - before.hot > 150;
    });
  });

  it('an index for every statement: no table of 100,000 sessions is read through', async () => {
    const record = newRecord('erin');
    await store.create(record, { max: 3, onLimit: 'evict-oldest' }, NOW);
    await Promise.all([store.find(record.digest, touch(NOW)), store.find(newDigest(), touch(NOW))]);
    await store.find(record.digest, touch(NOW + MINUTE));
    await store.update(record.digest, { a: 1 }, NOW, 1000);
    await rotate(record.digest, 0);
    const expired = newRecord('erin');
    await store.create(expired, NO_LIMIT, NOW);
    await store.find(expired.digest, touch(NOW + HOUR));
    await store.updateByUser('erin', {}, NOW);
    const { next } = await store.list('user-1', { limit: 1 }, NOW);
    await store.list('user-1', { limit: 1, cursor: next }, NOW);
    await store.deleteByHandle('erin', record.id, NOW);
    await store.delete(record.digest, NOW);
    await store.deleteByUser('erin', { limit: 10 }, NOW);
    await store.deleteExpired(NOW, 10);

    const prepared = await dataSource.query<{ name: string; statement: string; parameters: number }[]>(
      `SELECT name, statement, cardinality(parameter_types) AS parameters FROM pg_prepared_statements`,
    );
    expect(prepared.length).toBeGreaterThanOrEqual(15);
    await dataSource.query('SET plan_cache_mode = force_generic_plan');
    for (const { name, statement, parameters } of prepared) {
      const nothing = Array.from({ length: parameters }, () => 'NULL').join(', ');
      const plan = await dataSource.query<{ 'QUERY PLAN': string }[]>(
        `EXPLAIN EXECUTE "${name}"${parameters > 0 ? `(${nothing})` : ''}`,
      );
      const lines = plan.map((row) => row['QUERY PLAN']).join('\n');
      expect({ statement, lines }).toEqual({ statement, lines: expect.not.stringMatching(/Seq Scan on session_auth/) });
    }
    await dataSource.query('RESET plan_cache_mode');
  });

  /** A rotation of a session that has been rotated so often. */
  async function rotate(digest: string, revision: number): Promise<void> {
    const changes = { digest: nextDigest(digest), rotatedAt: NOW, expiresAt: NOW + 2 * HOUR };
    expect((await store.rotate(digest, { revision, now: NOW, changes })).status).toBe('rotated');
  }

  async function versionOf(digest: string): Promise<unknown> {
    return dataSource.query('SELECT ctid, xmin, xmax FROM session_auth_session WHERE digest = $1', [digest]);
  }

  async function updates(): Promise<{ all: number; hot: number }> {
    // there is one connection, so that it has counted everything
    await dataSource.query('SELECT pg_stat_force_next_flush()');
    const [row] = await dataSource.query<{ all: number; hot: number }[]>(
      `SELECT n_tup_upd::int AS all, n_tup_hot_upd::int AS hot FROM pg_stat_user_tables
        WHERE relname = 'session_auth_session'`,
    );
    return row!;
  }
});

/** Sessions of 1000 users. */
async function fill(dataSource: DataSource): Promise<void> {
  // an analysis that begins by itself would keep the old versions of rows for as long as it runs
  await dataSource.query('ALTER TABLE session_auth_session SET (autovacuum_enabled = off)');
  await dataSource.query(
    `INSERT INTO session_auth_session (handle, digest, user_id, roles, created_at, rotated_at, last_activity_at, expires_at,
        absolute_expires_at, ip, user_agent, data, sweep_at)
      SELECT handle, 'aa' || handle || substr(md5('a' || i) || md5('b' || i), 1, 43), 'user-' || (i % 1000), '[]',
        $1::bigint + i, $1, $1, $1::bigint + 3600000 + i, $1::bigint + 86400000, '127.0.0.1', 'Agent', '{}',
        $1::bigint + 3600000 + i
      FROM generate_series(1, $2::int) AS i, substr(md5('handle' || i), 1, 20) AS handle`,
    [NOW, ROWS],
  );
  await dataSource.query('ANALYZE session_auth_session');
}
