import { randomBytes } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { TypeOrmSessionStore, typeOrmStorage } from 'nestjs-session-auth/typeorm';
import type { PoolClient } from 'pg';
import type { DataSource } from 'typeorm';
import { ADAPTERS, startBank, type Backend, type Bank } from '../../support/bank.js';
import { createDatabaseWithTables, poolOf, type TestDatabase } from '../../support/postgres-database.js';
import { newRecord, NO_LIMIT, NOW, touchAt } from '../../support/session-records.js';

const ROLE = `stranger_${randomBytes(6).toString('hex')}`;

/** What an application does on a connection, and leaves behind when it gives it back. */
const LEFT_BEHIND: Readonly<Record<string, (client: PoolClient) => Promise<unknown>>> = {
  'an open transaction': (client) => client.query('BEGIN'),
  'an open transaction that has written': async (client) => {
    await client.query('BEGIN');
    await client.query(`CREATE TABLE left_behind_${randomBytes(6).toString('hex')} ()`);
  },
  'a transaction that failed': async (client) => {
    await client.query('BEGIN');
    await client.query('SELECT 1 / 0').catch(() => undefined);
  },
  'a transaction that is just about to open': (client) => {
    client.query('BEGIN').catch(() => undefined);
    return Promise.resolve();
  },
  'a read-only default': (client) => client.query('SET default_transaction_read_only = on'),
  'a stricter isolation': (client) => client.query('SET default_transaction_isolation = serializable'),
  'deferred checks': (client) => client.query('SET default_transaction_deferrable = on'),
  'another search_path': (client) => client.query('SET search_path = elsewhere, public'),
  'a search_path to nowhere': (client) => client.query(`SET search_path = ''`),
  'a temporary table of the same name': (client) =>
    client.query(
      'CREATE TEMPORARY TABLE IF NOT EXISTS session_auth_session (LIKE public.session_auth_session INCLUDING ALL)',
    ),
  'another role': (client) => client.query(`SET ROLE ${ROLE}`),
  'another user': (client) => client.query(`SET SESSION AUTHORIZATION ${ROLE}`),
  'a deadline for statements': (client) => client.query('SET statement_timeout = 1'),
  'another encoding': (client) => client.query(`SET client_encoding = 'LATIN1'`),
  'no NULL in arrays': (client) => client.query('SET array_nulls = off'),
  'no prepared statements': (client) => client.query('DISCARD ALL'),
  'no prepared statements, by name': (client) => client.query('DEALLOCATE ALL'),
};

let database: TestDatabase;
let owner: DataSource;

beforeAll(async () => {
  database = await createDatabaseWithTables();
  owner = await database.open();
  await owner.query('CREATE SCHEMA elsewhere');
  for (const table of ['session', 'remember_me', 'throttle', 'audit_event']) {
    await owner.query(`CREATE TABLE elsewhere.session_auth_${table} (LIKE public.session_auth_${table} INCLUDING ALL)`);
  }
  await owner.query(`CREATE ROLE ${ROLE}`);
});

afterAll(async () => {
  await owner.query(`DROP ROLE ${ROLE}`);
  await database.close();
});

/** Uses every connection that the pool has, and gives it back as it is then. */
async function leave(dataSource: DataSource, behind: (client: PoolClient) => Promise<unknown>): Promise<void> {
  const pool = poolOf(dataSource);
  const clients = await Promise.all(Array.from({ length: pool.totalCount }, () => pool.connect()));
  for (const client of clients) await behind(client);
  for (const client of clients) client.release();
}

describe.each(ADAPTERS)('connections that the application uses as well, on %s', (adapter) => {
  let dataSource: DataSource;
  let bank: Bank;
  let other: Bank;

  const start = (used: DataSource): Promise<Bank> => {
    const backend: Backend = {
      storage: typeOrmStorage({ dataSource: used }),
      redis: undefined,
      namespace: '',
      close: () => Promise.resolve(),
    };
    return startBank({ adapter, backend });
  };

  beforeEach(async () => {
    dataSource = await database.open({ extra: { max: 3 } });
    bank = await start(dataSource);
    other = await start(owner);
  });

  afterEach(async () => {
    await bank.close();
    await other.close();
    await dataSource.destroy();
    await owner.query('DELETE FROM session_auth_session');
  });

  it.each(Object.entries(LEFT_BEHIND))('do not take our statements into %s', async (_what, behind) => {
    const alice = bank.client();
    // as many connections as there may be
    await Promise.all([alice.login('alice'), bank.client().login('bob'), bank.client().login('admin')]);
    await Promise.all(Array.from({ length: 3 }, () => dataSource.query('SELECT pg_sleep(0.05)')));
    const elsewhere = other.client();
    for (const [name, value] of alice.cookies) elsewhere.cookies.set(name, value);

    await leave(dataSource, behind);
    expect((await alice.ask('PATCH', '/api/preferences', { body: { name: 'Zoë', motto: '愛' } })).status).toBe(200);
    expect((await elsewhere.get('/api/preferences')).json).toEqual({ name: 'Zoë', motto: '愛' });
    await leave(dataSource, behind);
    expect((await alice.get('/api/preferences')).json).toEqual({ name: 'Zoë', motto: '愛' });
    await leave(dataSource, behind);
    expect((await bank.client().tryLogin('alice')).status).toBe(200);
    await leave(dataSource, behind);
    expect((await alice.post('/auth/logout')).status).toBe(204);
    expect(await elsewhere.isSignedIn()).toBe(false);
    expect(await alice.isSignedIn()).toBe(false);
    expect(bank.log.filter((line) => line.includes('session_store_unavailable'))).toEqual([]);

    expect(await owner.query('SELECT FROM elsewhere.session_auth_session')).toEqual([]);
    await bank.close();
    // the audit log has written the rest, and nowhere else
    expect(await owner.query('SELECT FROM elsewhere.session_auth_audit_event')).toEqual([]);
    expect(await owner.query(`SELECT FROM pg_tables WHERE tablename LIKE 'left_behind%'`)).toEqual([]);
  });
});

describe('a store', () => {
  it('removes a key where the connection takes NULL in an array for text', async () => {
    const dataSource = await database.open({ extra: { max: 1 } });
    const store = new TypeOrmSessionStore(dataSource);
    const record = newRecord('alice', { data: { a: 1, b: 2 } });
    await store.create(record, NO_LIMIT, NOW);
    await leave(dataSource, LEFT_BEHIND['no NULL in arrays']!);
    const outcome = await store.update(record.digest, { a: undefined, c: 'NULL' }, NOW, 1000);
    expect(outcome).toEqual({ status: 'updated', data: { b: 2, c: 'NULL' } });
    expect((await store.find(record.digest, touchAt(NOW))).status).toBe('live');
  });

  it('tells of an error that new connections make as well, and closes no connection for it again and again', async () => {
    const dataSource = await database.open({ extra: { max: 2 } });
    const store = new TypeOrmSessionStore(dataSource);
    await store.create(newRecord('alice'), NO_LIMIT, NOW);
    await owner.query('ALTER TABLE session_auth_session RENAME TO moved');
    try {
      let opened = 0;
      poolOf(dataSource).on('connect', () => (opened += 1));
      await expect(store.find(newRecord('alice').digest, touchAt(NOW))).rejects.toMatchObject({ code: '42P01' });
      expect(opened).toBeLessThanOrEqual(1);
    } finally {
      await owner.query('ALTER TABLE moved RENAME TO session_auth_session');
    }
    await store.create(newRecord('alice'), NO_LIMIT, NOW);
  });
});
