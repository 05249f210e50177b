import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import {
  CreateSessionAuthTables,
  createSessionAuthMigration,
  createSessionAuthUpgrade,
  TypeOrmRememberMeTokenStore,
  TypeOrmSessionStore,
  UpgradeSessionAuthTables,
} from 'nestjs-session-auth/typeorm';
import type { DataSource } from 'typeorm';
import { renewSessionTable } from '../../../libs/session-auth/src/storage/postgres/session-tables.js';
import { catalogueOf } from '../../support/postgres-catalogue.js';
import { createTestDatabase, type TestDatabase } from '../../support/postgres-database.js';
import { newRecord, NO_LIMIT, NOW } from '../../support/session-records.js';
import { tablesOf01 } from './tables-of-0.1.js';

/** What version 0.1 made: of its first release, and of its last commit. */
const FIRST = '';
const LAST = '"factors" json, "upstream" text,';

describe('the migration of the tables of version 0.1', () => {
  let database: TestDatabase;

  beforeEach(async () => {
    database = await createTestDatabase();
  });

  afterEach(() => database.close());

  it.each([
    { of: 'the first release', columns: FIRST, schema: undefined },
    { of: 'the last commit', columns: LAST, schema: `we"ird schema` },
  ])('makes those of $of what a new database has, and keeps all but the sessions', async ({ columns, schema }) => {
    const { dataSource, store } = await openTablesOf01(columns, schema);
    await dataSource.runMigrations();

    expect(await catalogueOf(dataSource)).toEqual(await shapeOfNewTables(schema));
    await store.checkTables();
    expect(await store.deleteExpired(Number.MAX_SAFE_INTEGER, 10)).toEqual([]);
    const remembered = `SELECT selector FROM ${quoted(schema)}.session_auth_remember_me`;
    expect(await dataSource.query(remembered)).toEqual([{ selector: 'selector' }]);
  });

  it.each([undefined, 'app'])('keeps remembered devices, which go on working, in schema %s', async (schema) => {
    const { dataSource } = await openTablesOf01(LAST, schema);
    await dataSource.runMigrations();
    const store = new TypeOrmRememberMeTokenStore(dataSource, { schema });
    await store.checkTables();
    const record = await store.find('selector', NOW);
    expect(record).toMatchObject({ id: 'device', userId: 'alice', validatorDigest: 'v', revision: 0 });
    expect([record?.successor, record?.replaced]).toEqual([undefined, undefined]);
    const successor = { digest: 'd', nonce: 'n', at: NOW, sessionId: 'next' };
    const replaced = await store.replace('selector', { revision: 0, now: NOW, changes: { successor } });
    expect(replaced).toMatchObject({ status: 'replaced', record: { ...record, revision: 1, successor } });
    expect(await store.deleteBySession('alice', 'next', NOW)).toBe(1);
  });

  it('is required at boot while it is missing', async () => {
    const { store } = await openTablesOf01(LAST);
    await expect(store.checkTables()).rejects.toMatchObject({
      code: 'invalid_configuration',
      message: expect.stringContaining('UpgradeSessionAuthTables') as unknown,
    });
  });

  it('changes nothing where the tables are of this version', async () => {
    const { dataSource, store } = await openTablesOf01(FIRST);
    await dataSource.runMigrations();
    const shape = await catalogueOf(dataSource);
    const record = newRecord('alice', { device: 'phone', revision: 1 });
    await store.create(record, NO_LIMIT, NOW);
    await upgrade(dataSource);
    expect(await catalogueOf(dataSource)).toEqual(shape);
    expect((await store.list('alice', { limit: 10 }, NOW)).records).toEqual([record]);
  });

  it('runs in a new database as well', async () => {
    const dataSource = await database.open({ migrations: [UpgradeSessionAuthTables, CreateSessionAuthTables] });
    await dataSource.runMigrations();
    await new TypeOrmSessionStore(dataSource).checkTables();
  });

  it.each([0, 1, 2, 3])('goes on where it broke off after %d statements without a transaction', async (statements) => {
    const { dataSource, store } = await openTablesOf01(FIRST);
    for (const statement of renewSessionTable(undefined).slice(0, statements)) await dataSource.query(statement);
    await upgrade(dataSource);
    await store.checkTables();
    expect(await dataSource.query('SELECT * FROM session_auth_session')).toEqual([]);
  });

  it('is undone with the tables, and leaves nothing of them', async () => {
    const { dataSource } = await openTablesOf01(FIRST);
    await dataSource.runMigrations();
    await dataSource.undoLastMigration();
    await dataSource.undoLastMigration();
    expect(await catalogueOf(dataSource)).toEqual([]);
  });

  it('refuses a name that PostgreSQL would take for another', () => {
    const refusal = expect.objectContaining({ code: 'invalid_configuration' });
    for (const schema of ['', 'x'.repeat(64), 'a\0b']) {
      expect(() => createSessionAuthUpgrade({ schema })).toThrow(refusal);
    }
  });

  /** @param columns that the table of sessions has besides those of the first release */
  async function openTablesOf01(
    columns: string,
    schema?: string,
  ): Promise<{ dataSource: DataSource; store: TypeOrmSessionStore }> {
    const migrations = [createSessionAuthMigration({ schema }), createSessionAuthUpgrade({ schema })];
    const dataSource = await database.open({ migrations });
    // which makes TypeORM's own table
    await dataSource.showMigrations();
    await dataSource.query(
      `INSERT INTO migrations (timestamp, name) VALUES (1760000000000, 'CreateSessionAuthTables1760000000000')`,
    );
    await dataSource.query(`CREATE SCHEMA IF NOT EXISTS ${quoted(schema)}`);
    await dataSource.query(tablesOf01(quoted(schema), columns));
    return { dataSource, store: new TypeOrmSessionStore(dataSource, { schema }) };
  }
});

/** Runs the migration, whatever has been run before. */
async function upgrade(dataSource: DataSource): Promise<void> {
  const runner = dataSource.createQueryRunner();
  await new UpgradeSessionAuthTables().up(runner);
  await runner.release();
}

async function shapeOfNewTables(schema: string | undefined): Promise<unknown[]> {
  const database = await createTestDatabase();
  try {
    const dataSource = await database.open({ migrations: [createSessionAuthMigration({ schema })] });
    await dataSource.runMigrations();
    return await catalogueOf(dataSource);
  } finally {
    await database.close();
  }
}

function quoted(schema = 'public'): string {
  return `"${schema.replaceAll('"', '""')}"`;
}
