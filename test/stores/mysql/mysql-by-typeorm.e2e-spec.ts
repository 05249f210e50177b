import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  loginThrottleStoreContract,
  rememberMeTokenStoreContract,
  sessionStoreContract,
} from 'nestjs-session-auth/testing';
import {
  CreateSessionAuthTables,
  typeOrmStorage,
  UpgradeSessionAuthTables,
  type TypeOrmStorage,
  type TypeOrmStorageOptions,
} from 'nestjs-session-auth/typeorm';
import { DataSource, type DataSourceOptions } from 'typeorm';
import { ADAPTERS, startBank } from '../../support/bank.js';
import { EVERYDAY_STATUSES, everydayVisit } from '../../support/everyday-visit.js';
import { createMysqlDatabase, type MysqlTestDatabase } from '../../support/mysql-database.js';

type Part = 'sessions' | 'rememberMe' | 'throttle';

/** Makes a part of the storage as the module does. */
async function partOf<Name extends Part>(
  name: Name,
  dataSource: DataSource,
  options: TypeOrmStorageOptions = {},
): Promise<Awaited<ReturnType<TypeOrmStorage[Name]['useFactory']>>> {
  const slot = typeOrmStorage({ ...options, dataSource })[name];
  return slot.useFactory() as Promise<Awaited<ReturnType<TypeOrmStorage[Name]['useFactory']>>>;
}

function sourceOf(name: string, options: object = {}, type: 'mariadb' | 'mysql' = 'mariadb'): DataSource {
  const url = new URL(process.env['TEST_MYSQL_URL']!);
  url.pathname = name;
  url.protocol = `${type}:`;
  const migrations = [CreateSessionAuthTables, UpgradeSessionAuthTables];
  return new DataSource({ type, url: url.href, migrations, ...options });
}

describe.each(['mariadb', 'mysql'] as const)('typeOrmStorage with a DataSource of type %s', (type) => {
  let database: MysqlTestDatabase;
  const nodes: DataSource[] = [];

  beforeAll(async () => {
    database = await createMysqlDatabase({ tables: false });
    for (let i = 0; i < 2; i += 1) nodes.push(await sourceOf(database.name, {}, type).initialize());
    await expect(partOf('sessions', nodes[0]!)).rejects.toMatchObject({
      code: 'invalid_configuration',
      message: expect.stringContaining('CreateSessionAuthTables') as unknown,
    });
    await nodes[0]!.runMigrations();
  });

  afterAll(async () => {
    for (const node of nodes) await node.destroy();
    await database.close();
  });

  const kept = <Name extends Part>(name: Name, table: string) => ({
    open: async () => ({
      store: await partOf(name, nodes[0]!),
      another: () => partOf(name, nodes[1]!),
      close: async () => void (await database.run(`TRUNCATE ${table}`)),
    }),
  });
  sessionStoreContract('by TypeORM', kept('sessions', 'session_auth_session').open);
  rememberMeTokenStoreContract('by TypeORM', kept('rememberMe', 'session_auth_remember_me').open);
  loginThrottleStoreContract('by TypeORM', kept('throttle', 'session_auth_throttle').open);

  it.each(ADAPTERS)('serves a bank on %s: logins, failed ones, devices and the audit log', async (adapter) => {
    const storage = typeOrmStorage({ dataSource: nodes[0]! });
    const backend = { storage, redis: undefined, namespace: '', close: () => Promise.resolve() };
    const bank = await startBank({ adapter, backend });
    try {
      expect(await everydayVisit(bank)).toEqual(EVERYDAY_STATUSES);
    } finally {
      await bank.close();
    }
    const events = await database.run('SELECT type FROM session_auth_audit_event');
    expect(events.map((event) => String(event['type']))).toEqual(
      expect.arrayContaining(['login.failed', 'session.created', 'remember_me.issued', 'session.destroyed']),
    );
  });

  it('shares its tables with mysqlStorage, which are the same by the migration and by schema.sql', async () => {
    const byFile = await createMysqlDatabase();
    const shape = `SELECT table_name, column_name, column_type, is_nullable, column_default, column_key
      FROM information_schema.columns WHERE table_schema = DATABASE() AND table_name LIKE 'session\\_auth\\_%'
      ORDER BY table_name, ordinal_position`;
    try {
      expect(await database.run(shape)).toEqual(await byFile.run(shape));
    } finally {
      await byFile.close();
    }
  });

  it('is migrated up and down again, from tables of version 1 as well', async () => {
    const own = await createMysqlDatabase({ tables: false });
    const source = await sourceOf(own.name, {}, type).initialize();
    try {
      await source.runMigrations();
      for (const table of ['session_auth_session', 'session_auth_remember_me']) {
        await own.run(`ALTER TABLE ${table} DROP COLUMN record_version, DROP COLUMN generation`);
      }
      await own.run('DROP TABLE session_auth_generation');
      await own.run('UPDATE session_auth_version SET version = 1');
      await expect(partOf('sessions', source)).rejects.toThrow('they are of version 1');
      await own.run(`DELETE FROM migrations WHERE name LIKE 'Upgrade%'`);
      await source.runMigrations();
      await partOf('sessions', source);
      await source.undoLastMigration();
      await source.undoLastMigration();
      expect(await own.run(`SHOW TABLES LIKE 'session\\_auth\\_%'`)).toEqual([]);
    } finally {
      await source.destroy();
      await own.close();
    }
  });

  it.each<[keyof TypeOrmStorageOptions, unknown]>([
    ['schema', 'auth'],
    ['preparedStatements', false],
    ['link', true],
  ])('refuses %s, which it has none of', async (option, value) => {
    await expect(partOf('sessions', nodes[0]!, { [option]: value })).rejects.toMatchObject({
      code: 'invalid_configuration',
      message: `typeOrmStorage.${option}: given ${JSON.stringify(value)}; allowed is no value for a DataSource of type '${type}'`,
    });
  });

  it('refuses a DataSource that is not initialised, and one with replication', async () => {
    await expect(partOf('sessions', sourceOf(database.name, {}, type))).rejects.toThrow('is not initialised');
    const { url, ...rest } = sourceOf(database.name, {}, type).options as { url: string } & DataSourceOptions;
    const replication = { master: { url }, slaves: [{ url }] };
    const replicated = await new DataSource({ ...rest, replication } as DataSourceOptions).initialize();
    try {
      await expect(partOf('sessions', replicated)).rejects.toThrow(
        'given a DataSource with replication; allowed is one without',
      );
    } finally {
      await replicated.destroy();
    }
  });
});
