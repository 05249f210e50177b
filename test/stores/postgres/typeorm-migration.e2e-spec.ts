import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Test } from '@nestjs/testing';
import { getDataSourceToken, TypeOrmModule } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import { SessionAuthModule, SessionLifecycleService, SessionStore, type SessionAuthExtras } from 'nestjs-session-auth';
import {
  CreateSessionAuthTables,
  createSessionAuthMigration,
  createSessionEntity,
  AUDIT_TABLE,
  SESSION_TABLE,
  REMEMBER_ME_TABLE,
  RememberMeTokenEntity,
  TypeOrmRememberMeTokenStore,
  createRememberMeTokenEntity,
  THROTTLE_TABLE,
  SessionEntity,
  TypeOrmSessionStore,
  typeOrmStorage,
} from 'nestjs-session-auth/typeorm';
import { createTestDatabase, type TestDatabase } from '../../support/postgres-database.js';
import { newRecord, NO_LIMIT, NOW } from '../../support/session-records.js';

const SCHEMAS = [undefined, 'auth', `we"ird schema`, `'; DROP TABLE users; --`];
const secrets = ['a test secret that everybody may know, 1'];

describe('the migration', () => {
  let database: TestDatabase;

  beforeEach(async () => {
    database = await createTestDatabase();
  });

  afterEach(() => database.close());

  it.each(SCHEMAS)('goes up, down and up again in schema %s, and leaves nothing', async (schema) => {
    const dataSource = await database.open({ migrations: [createSessionAuthMigration({ schema })] });
    const before = await objects(dataSource);
    for (let round = 0; round < 2; round += 1) {
      await dataSource.runMigrations();
      expect(await objects(dataSource)).toEqual([...before, ...expectedObjects(schema ?? 'public')].sort());
      const store = new TypeOrmSessionStore(dataSource, { schema });
      await store.checkTables();
      const record = newRecord('alice');
      await store.create(record, { max: 3, onLimit: 'evict-oldest' }, NOW);
      expect((await store.list('alice', { limit: 10 }, NOW)).records).toEqual([record]);
      await dataSource.undoLastMigration();
    }
    expect(await objects(dataSource)).toEqual([...before, 'public.migrations', 'public.PK_MIGRATIONS'].sort());
  });

  it("uses the DataSource's schema if none is given", async () => {
    const dataSource = await database.open({ schema: 'app', migrations: [CreateSessionAuthTables] });
    await dataSource.query('CREATE SCHEMA app');
    await dataSource.runMigrations();
    expect((await objects(dataSource)).filter((name) => name.startsWith('app.session'))).toHaveLength(19);
    await new TypeOrmSessionStore(dataSource).create(newRecord('alice'), NO_LIMIT, NOW);
    expect(await dataSource.query('SELECT count(*)::int AS rows FROM app.session_auth_session')).toEqual([{ rows: 1 }]);
  });

  it.each([undefined, 'auth'])('makes just what the entities say, in schema %s', async (schema) => {
    const entities = [createSessionEntity({ schema }), createRememberMeTokenEntity({ schema })];
    const dataSource = await database.open({
      entities,
      migrations: [createSessionAuthMigration({ schema })],
    });
    await dataSource.runMigrations();
    const { upQueries } = await dataSource.driver.createSchemaBuilder().log();
    expect(upQueries).toEqual([]);
  });

  it('lets the application read sessions as entities', async () => {
    const dataSource = await database.open({ entities: [SessionEntity], migrations: [CreateSessionAuthTables] });
    await dataSource.runMigrations();
    const tokens = [{ hash: 'h', kind: 'successor', at: NOW }] as const;
    const record = newRecord('alice\0', {
      ...{ roles: ['admin'], data: { cart: { items: [1] } }, userAgent: 'Agent' },
      ...{ tokens, formerRoles: [[]], rolesSince: 1, revision: 2, device: 'phone' },
    });
    await new TypeOrmSessionStore(dataSource).create(record, NO_LIMIT, NOW);
    expect(await dataSource.getRepository(SessionEntity).findBy({ userId: 'alice\0' })).toEqual([
      expect.objectContaining({
        handle: record.id,
        digest: record.digest,
        userId: 'alice\0',
        email: null,
        roles: ['admin'],
        createdAt: NOW,
        authenticatedAt: null,
        userAgent: 'Agent',
        data: { cart: { items: [1] } },
        tokens,
        formerRoles: [[]],
        rolesSince: 1,
        revision: 2,
        device: 'phone',
      }),
    ]);
  });

  it('lets the application read remember-me tokens as entities', async () => {
    const entities = [RememberMeTokenEntity];
    const dataSource = await database.open({ entities, migrations: [CreateSessionAuthTables] });
    await dataSource.runMigrations();
    const record = {
      selector: 'A'.repeat(24),
      id: 'B'.repeat(20),
      userId: 'alice\0',
      validatorDigest: 'C'.repeat(43),
      createdAt: NOW,
      lastUsedAt: NOW,
      expiresAt: NOW + 1,
      sessionId: 'D'.repeat(20),
      userAgent: 'Agent',
    };
    await new TypeOrmRememberMeTokenStore(dataSource).create(record, 1, NOW);
    expect(await dataSource.getRepository(RememberMeTokenEntity).findBy({ userId: 'alice\0' })).toEqual([
      expect.objectContaining({
        handle: record.id,
        sessionHandle: record.sessionId,
        createdAt: NOW,
        userAgent: 'Agent',
      }),
    ]);
  });

  it('refuses a name that PostgreSQL would take for another', () => {
    const refusal = expect.objectContaining({ code: 'invalid_configuration' });
    for (const schema of ['', 'x'.repeat(64), 'a\0b']) {
      expect(() => createSessionAuthMigration({ schema })).toThrow(refusal);
    }
  });
});

describe('typeOrmStorage', () => {
  let database: TestDatabase;

  beforeEach(async () => {
    database = await createTestDatabase();
  });

  afterEach(() => database.close());

  const boot = async (storage: SessionAuthExtras['storage'], imports: SessionAuthExtras['imports'] = []) => {
    const module = await Test.createTestingModule({
      imports: [...imports, SessionAuthModule.forRoot({ secrets, storage })],
    }).compile();
    return module.init();
  };

  it.each([undefined, 'auth'])("uses the application's DataSource by name: %s", async (name) => {
    const connection = TypeOrmModule.forRoot({
      name,
      type: 'postgres',
      url: database.url,
      migrations: [CreateSessionAuthTables],
      migrationsRun: true,
    });
    const app = await boot(typeOrmStorage({ dataSource: name }), [connection]);
    const { session } = await app.get(SessionLifecycleService).create({ user: { id: 'alice' } });
    const dataSource = app.get<DataSource>(getDataSourceToken(name));
    expect(await dataSource.query('SELECT handle FROM session_auth_session')).toEqual([{ handle: session.id }]);
    await app.close();
  });

  it('works as the guide shows', async () => {
    process.env['DATABASE_URL'] = database.url;
    process.env['SESSION_SECRET'] = secrets[0];
    const { AppModule } = await import('../../../examples/postgresql/app.module.js');
    const app = await (await Test.createTestingModule({ imports: [AppModule] }).compile()).init();
    await app.get(SessionLifecycleService).create({ user: { id: 'alice' } });
    expect(await app.get(DataSource).query('SELECT user_id FROM session_auth_session')).toEqual([{ user_id: 'alice' }]);
    await app.close();
  });

  it('uses a given DataSource, without @nestjs/typeorm, and leaves closing it to its owner', async () => {
    const dataSource = await database.open({ migrations: [CreateSessionAuthTables] });
    await dataSource.runMigrations();
    const app = await boot(typeOrmStorage({ dataSource }));
    expect(app.get(SessionStore)).toBeInstanceOf(TypeOrmSessionStore);
    await app.close();
    expect(dataSource.isInitialized).toBe(true);
  });

  it('makes the boot fail, with what is allowed, for a DataSource of another database, or one that is not ready', async () => {
    const refusal = (message: RegExp) =>
      expect.objectContaining({ code: 'invalid_configuration', message: expect.stringMatching(message) });
    const other = { options: { type: 'mssql' } } as DataSource;
    await expect(boot(typeOrmStorage({ dataSource: other }))).rejects.toEqual(
      refusal(
        /^typeOrmStorage.dataSource: given a DataSource of type 'mssql'; allowed is one of type 'postgres', 'mariadb' or 'mysql'$/,
      ),
    );
    const closed = new DataSource({ type: 'postgres', url: database.url });
    await expect(boot(typeOrmStorage({ dataSource: closed }))).rejects.toEqual(refusal(/not initialised/));
    const empty = await database.open();
    await expect(boot(typeOrmStorage({ dataSource: empty }))).rejects.toEqual(refusal(/CreateSessionAuthTables/));
    await expect(boot(typeOrmStorage({ dataSource: empty, schema: 'no such' }))).rejects.toEqual(
      refusal(/CreateSessionAuthTables/),
    );
    await expect(boot(typeOrmStorage({ dataSource: empty, schema: 'a\0' }))).rejects.toEqual(
      refusal(/typeOrmStorage.schema/),
    );
  });
});

describe('a row that somebody wrote by hand', () => {
  let database: TestDatabase;
  let dataSource: DataSource;
  let store: TypeOrmSessionStore;

  beforeEach(async () => {
    database = await createTestDatabase();
    dataSource = await database.open({ migrations: [CreateSessionAuthTables] });
    await dataSource.runMigrations();
    store = new TypeOrmSessionStore(dataSource);
  });

  afterEach(() => database.close());

  it.each([
    `(data::jsonb || '{"cart": {"items": [1, 2]}}')::json`,
    `'{ "theme" : "dark" , \n "cart":\n{"items":\n[1,\n2]}}'`,
    `jsonb_pretty(data::jsonb || '{"cart": {"items": [1, 2]}}')::json`,
  ])('is read and merged with what is in it: %s', async (json) => {
    const record = newRecord('alice', { data: { theme: 'dark' } });
    await store.create(record, NO_LIMIT, NOW);
    await dataSource.query(`UPDATE session_auth_session SET data = ${json}`);
    const written = { theme: 'dark', cart: { items: [1, 2] } };
    expect((await store.list('alice', { limit: 1 }, NOW)).records[0]!.data).toEqual(written);
    for (const patch of [{ lang: 'de' }, { theme: 'light' }, { cart: undefined }]) {
      Object.assign(written, patch);
      const outcome = await store.update(record.digest, patch, NOW, 1000);
      expect(outcome).toEqual({ status: 'updated', data: written });
    }
  });

  it.each([`data = '[]'`, `data = '"text"'`, `data = 'null'`, `roles = '{}'`, `factors = '[]'`, `tokens = '{}'`])(
    'is corrupt with %s',
    async (change) => {
      const record = newRecord('alice');
      await store.create(record, NO_LIMIT, NOW);
      await dataSource.query(`UPDATE session_auth_session SET ${change}`);
      const corrupt = expect.objectContaining({ code: 'corrupt_session_record' });
      await expect(store.find(record.digest, { now: NOW, idle: 1000, interval: 1000 })).rejects.toEqual(corrupt);
      const other = newRecord('alice', { createdAt: NOW - 1 });
      await store.create(other, NO_LIMIT, NOW);
      // it takes its place in a page, and stands in nobody's way
      const first = await store.list('alice', { limit: 1 }, NOW);
      expect(first.records).toEqual([]);
      const second = await store.list('alice', { limit: 1, cursor: first.next! }, NOW);
      expect(second.records.map(({ id }) => id)).toEqual([other.id]);
      expect(second.next).toBeUndefined();
      if (change.startsWith('data')) {
        await expect(store.update(record.digest, { a: 1 }, NOW, 1000)).rejects.toEqual(corrupt);
      }
      expect(await store.delete(record.digest, NOW)).toEqual({ id: record.id, userId: 'alice' });
    },
  );
});

function expectedObjects(schema: string): string[] {
  const names = [
    SESSION_TABLE,
    'session_auth_session_pkey',
    'session_auth_session_user',
    'session_auth_session_sweep',
    REMEMBER_ME_TABLE,
    'session_auth_remember_me_pkey',
    'session_auth_remember_me_user',
    'session_auth_remember_me_expiry',
    THROTTLE_TABLE,
    'session_auth_throttle_pkey',
    'session_auth_throttle_expiry',
    AUDIT_TABLE,
    'session_auth_audit_event_pkey',
    'session_auth_audit_event_at',
    'session_auth_audit_event_user',
    'session_auth_generation',
    'session_auth_generation_pkey',
    'session_auth_version',
    'session_auth_version_pkey',
  ];
  return [...names.map((name) => `${schema}.${name}`), 'public.migrations', 'public.PK_MIGRATIONS'];
}

/** Tables and indexes; the name of the migrations table's key is TypeORM's own. */
async function objects(dataSource: DataSource): Promise<string[]> {
  const rows = await dataSource.query<{ name: string }[]>(
    `SELECT n.nspname || '.' || regexp_replace(c.relname, '^PK_[0-9a-f]+$', 'PK_MIGRATIONS') AS name
      FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE c.relkind IN ('r', 'i') AND n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema'`,
  );
  return rows.map(({ name }) => name).sort();
}
