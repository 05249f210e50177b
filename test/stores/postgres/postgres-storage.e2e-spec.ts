import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Test } from '@nestjs/testing';
import { Client, Pool } from 'pg';
import {
  AuditLog,
  LoginThrottleStore,
  RememberMeTokenStore,
  SessionAuthModule,
  SessionLifecycleService,
  SessionStore,
  type SessionAuthExtras,
} from 'nestjs-session-auth';
import {
  createTablesSql,
  PostgresAuditLog,
  PostgresLoginThrottleStore,
  PostgresRememberMeTokenStore,
  PostgresSessionStore,
  postgresStorage,
  type PostgresPool,
  type PostgresStorageOptions,
  type SqlExecutor,
} from 'nestjs-session-auth/postgres';
import { typeOrmStorage } from 'nestjs-session-auth/typeorm';
import { DataSource } from 'typeorm';
import { ADAPTERS, startBank, type Bank } from '../../support/bank.js';
import { EVERYDAY_STATUSES, everydayVisit } from '../../support/everyday-visit.js';
import { createTestDatabase, type TestDatabase } from '../../support/postgres-database.js';
import { executorOn, HABITS } from '../../support/sql-executors.js';

const secrets = ['a test secret that everybody may know, 1'];
const POOL = Symbol('the pool');

let database: TestDatabase;
let pool: Pool;

beforeAll(async () => {
  database = await createTestDatabase();
  pool = new Pool({ connectionString: database.url });
  await pool.query(createTablesSql());
});

afterAll(async () => {
  await pool.end();
  await database.close();
});

const boot = async (storage: SessionAuthExtras['storage'], imports: SessionAuthExtras['imports'] = []) => {
  const module = await Test.createTestingModule({
    imports: [SessionAuthModule.forRoot({ secrets, storage, imports })],
  }).compile();
  return module.init();
};

describe('postgresStorage', () => {
  it.each([
    ['a pool', () => postgresStorage({ pool })],
    ['an executor', () => postgresStorage({ executor: executorOn(pool) })],
    ['a provider', () => postgresStorage({ inject: POOL })],
  ])('keeps all that there is by %s, and leaves closing it to its owner', async (_, storage) => {
    const provider = { module: class Database {}, providers: [{ provide: POOL, useValue: pool }], exports: [POOL] };
    const app = await boot(storage(), [provider]);
    const kinds = [SessionStore, RememberMeTokenStore, LoginThrottleStore, AuditLog].map((port) => app.get(port));
    expect(kinds.map(({ constructor }) => constructor)).toEqual([
      PostgresSessionStore,
      PostgresRememberMeTokenStore,
      PostgresLoginThrottleStore,
      PostgresAuditLog,
    ]);
    const { session } = await app.get(SessionLifecycleService).create({ user: { id: 'alice' } });
    await app.close();
    const { rows } = await pool.query('SELECT handle FROM session_auth_session WHERE handle = $1', [session.id]);
    expect(rows).toHaveLength(1);
    const audited = await pool.query('SELECT FROM session_auth_audit_event WHERE session_id = $1', [session.id]);
    expect(audited.rows).toHaveLength(1);
  });

  it('works as the guide shows', async () => {
    process.env['DATABASE_URL'] = database.url;
    process.env['SESSION_SECRET'] = secrets[0];
    const { AppModule, pool: own } = await import('../../../examples/postgresql-pool/app.module.js');
    const app = await (await Test.createTestingModule({ imports: [AppModule] }).compile()).init();
    const { session } = await app.get(SessionLifecycleService).create({ user: { id: 'alice' } });
    const { rows } = await own.query('SELECT user_id FROM session_auth_session WHERE handle = $1', [session.id]);
    expect(rows).toEqual([{ user_id: 'alice' }]);
    await app.close();
    await own.end();
  });

  it('leaves the audit log where it is with audit: false', () => {
    expect(Object.keys(postgresStorage({ pool, audit: false }))).toEqual(['sessions', 'rememberMe', 'throttle']);
  });

  const wrong = <T>(value: unknown): T => value as T;
  const refused: [string, () => PostgresStorageOptions, string][] = [
    [
      'no pool',
      () => ({ pool: wrong<PostgresPool>(undefined) }),
      '.pool: given nothing; allowed is a Pool of the package pg',
    ],
    ['an address', () => ({ pool: wrong<PostgresPool>(database.url) }), '.pool: given a string; allowed is a Pool'],
    ['a client', () => ({ pool: wrong<PostgresPool>(new Client()) }), '.pool: given an object of class Client;'],
    [
      'a DataSource',
      () => ({ pool: wrong<PostgresPool>(new DataSource({ type: 'postgres' })) }),
      '.pool: given an object of class DataSource;',
    ],
    ['no executor', () => ({ executor: wrong<SqlExecutor>(null) }), '.executor: given null; allowed is an object with'],
    ['half an executor', () => ({ executor: wrong<SqlExecutor>({ query: fail }) }), '.executor: given an object; '],
    ['a pool as an executor', () => ({ executor: wrong<SqlExecutor>(pool) }), '.executor: given an object of class '],
    [
      'nothing',
      () => wrong<PostgresStorageOptions>({}),
      ': given not one of them; allowed is exactly one of the options pool, ',
    ],
    [
      'both',
      () => wrong<PostgresStorageOptions>({ pool, executor: executorOn(pool) }),
      ': given pool and executor; allowed is exactly one of the options pool, executor and inject',
    ],
    [
      'a link of an executor',
      () => ({ executor: executorOn(pool), link: true }),
      '.link: given no url with an executor; ',
    ],
    ['an odd schema', () => ({ pool, schema: 'a\0' }), '.schema: given '],
    [
      'an odd retention',
      () => ({ pool, audit: { retention: wrong<string>('soon') as '1d' } }),
      '.audit.retention: given ',
    ],
    [
      'an odd buffer',
      () => ({ pool, audit: { buffer: 0 } }),
      '.audit.buffer: given 0; allowed is a whole number from 1',
    ],
    [
      'a schema without tables',
      () => ({ pool, schema: 'elsewhere' }),
      ': given a database without the tables of this version; ',
    ],
    [
      'rows that are no rows',
      () => ({ executor: { query: () => Promise.resolve(wrong<{ rows: [] }>([])), transaction: fail } }),
      '.executor: given an executor whose query returns a result without an array of rows; allowed is { rows }, objects by column name',
    ],
    [
      'rows that are arrays',
      () => ({ executor: { query: () => Promise.resolve({ rows: [['public']] }), transaction: fail } }),
      ".executor: given an executor whose query returns a row without 'schema'; ",
    ],
  ];

  it.each(refused)('makes the boot fail, with what is allowed, for %s', async (_, options, message) => {
    await expect(async () => boot(postgresStorage(options()))).rejects.toMatchObject({
      code: 'invalid_configuration',
      message: expect.stringContaining(`postgresStorage${message}`) as unknown,
    });
  });

  it('names the file that makes the tables where they are missing', async () => {
    const executor = executorOn(
      pool,
      HABITS['that knows question marks only, renames columns, parses texts, and wraps errors'],
    );
    for (const source of [{ pool }, { executor }]) {
      await expect(boot(postgresStorage({ ...source, schema: 'elsewhere' }))).rejects.toMatchObject({
        message: expect.stringContaining('nestjs-session-auth/postgres/schema.sql') as unknown,
      });
    }
  });

  it('makes the boot fail for a provider that is neither a pool nor an executor', async () => {
    const provider = { module: class Database {}, providers: [{ provide: POOL, useValue: 'none' }], exports: [POOL] };
    await expect(boot(postgresStorage({ inject: POOL }), [provider])).rejects.toMatchObject({
      message: 'postgresStorage.inject: given a string; allowed is a Pool of the package pg, or an executor',
    });
  });

  it('survives that the server ends an idle connection, which the application does not listen for', async () => {
    const own = new Pool({ connectionString: database.url, max: 1 });
    const store = new PostgresSessionStore(own);
    await store.checkTables();
    const { rows } = await own.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
    const removed = new Promise((resolve) => own.once('remove', resolve));
    await pool.query('SELECT pg_terminate_backend($1)', [rows[0]!.pid]);
    await removed;
    await store.checkTables();
    await own.end();
  });

  it('listens at an address where it has an executor', async () => {
    const app = await boot(postgresStorage({ executor: executorOn(pool), link: { url: database.url } }));
    const link = app.get(SessionStore).link!()!;
    await link.open();
    expect(link.isHealthy).toBe(true);
    await link.close();
    await app.close();
  });
});

function fail(): never {
  throw new Error('is not called');
}

describe.each(ADAPTERS)('nodes on one database, each by another way, on %s', (adapter) => {
  let banks: Bank[];

  beforeAll(async () => {
    const dataSource = await database.open();
    const storages = [
      postgresStorage({ pool }),
      typeOrmStorage({ dataSource }),
      ...Object.values(HABITS).map((habits) => postgresStorage({ executor: executorOn(pool, habits) })),
    ];
    banks = [];
    for (const storage of storages) {
      const backend = { storage, redis: undefined, namespace: '', close: () => Promise.resolve() };
      banks.push(await startBank({ adapter, backend }));
    }
  });

  afterAll(async () => {
    for (const bank of banks) await bank.close();
    await pool.query('DELETE FROM session_auth_session');
  });

  it('serve each other’s sessions, and end them', async () => {
    for (const [index, bank] of banks.entries()) {
      const alice = bank.client();
      await alice.login('alice', { rememberMe: true });
      for (const other of banks) {
        alice.port = other.port;
        expect(await alice.isSignedIn()).toBe(true);
      }
      alice.port = banks[(index + 1) % banks.length]!.port;
      expect((await alice.post('/auth/logout')).status).toBe(204);
      alice.port = bank.port;
      expect(await alice.isSignedIn()).toBe(false);
    }
  });

  it('hold a limit together under a hundred logins at once', async () => {
    const clients = Array.from({ length: 100 }, (_, index) => banks[index % banks.length]!.client());
    await Promise.all(clients.map((client) => client.login('bob')));
    const { rows } = await pool.query(`SELECT FROM session_auth_session WHERE user_id = 'bob'`);
    expect(rows).toHaveLength(3);
  });

  it('serve everyday visits', async () => {
    for (const bank of banks) {
      expect(await everydayVisit(bank)).toEqual(EVERYDAY_STATUSES);
      expect(bank.log.filter((line) => /unavailable|cannot be written/.test(line))).toEqual([]);
    }
  });
});
