import { readFile } from 'node:fs/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createTablesSql, PostgresSessionStore, upgradeTablesSql } from 'nestjs-session-auth/postgres';
import { createSessionAuthMigration } from 'nestjs-session-auth/typeorm';
import { Pool } from 'pg';
import { catalogueOf } from '../../support/postgres-catalogue.js';
import { createTestDatabase, type TestDatabase } from '../../support/postgres-database.js';
import { newRecord, NO_LIMIT, NOW } from '../../support/session-records.js';
import { tablesOf01 } from './tables-of-0.1.js';

const FILES = 'libs/session-auth/postgres';
const SCHEMAS = [undefined, 'auth', `we"ird 'schema' $session_auth$`];

describe('the SQL of the package', () => {
  let database: TestDatabase;
  let pool: Pool;

  beforeEach(async () => {
    database = await createTestDatabase();
    pool = new Pool({ connectionString: database.url });
  });

  afterEach(async () => {
    await pool.end();
    await database.close();
  });

  it('is the same in its files as the functions return it, for an application without its own schema', async () => {
    expect(await readFile(`${FILES}/schema.sql`, 'utf8')).toBe(createTablesSql());
    expect(await readFile(`${FILES}/upgrade.sql`, 'utf8')).toBe(upgradeTablesSql());
  });

  it.each(SCHEMAS)('makes just what the migration of TypeORM makes, in schema %s', async (schema) => {
    await pool.query(createTablesSql({ schema }));
    expect(await catalogueOf(pool)).toEqual(await catalogueByTypeOrm(schema));
    const store = new PostgresSessionStore(pool, { schema });
    await store.checkTables();
    await store.create(newRecord('alice'), NO_LIMIT, NOW);
    expect((await store.list('alice', { limit: 10 }, NOW)).records).toHaveLength(1);
  });

  it('needs no right to make schemas where the schema is there', async () => {
    const role = `maker_${database.url.slice(-12)}`;
    await pool.query(`CREATE ROLE ${role}; CREATE SCHEMA auth AUTHORIZATION ${role}`);
    await pool.query(`SET ROLE ${role}; ${createTablesSql({ schema: 'auth' })} RESET ROLE`);
    await new PostgresSessionStore(pool, { schema: 'auth' }).checkTables();
    await pool.query(`DROP OWNED BY ${role}; DROP ROLE ${role}`);
  });

  it.each([
    { of: 'the first release', columns: '', schema: undefined },
    { of: 'the last commit', columns: '"factors" json, "upstream" text,', schema: `we"ird schema` },
  ])('brings tables of 0.1, of $of, to those of this version, as often as it runs', async ({ columns, schema }) => {
    const quoted = `"${(schema ?? 'public').replaceAll('"', '""')}"`;
    await pool.query(`CREATE SCHEMA IF NOT EXISTS ${quoted}`);
    await pool.query(tablesOf01(quoted, columns));
    const store = new PostgresSessionStore(pool, { schema });
    await expect(store.checkTables()).rejects.toMatchObject({
      code: 'invalid_configuration',
      message: expect.stringMatching(
        /^postgresStorage: .*postgres\/schema\.sql has been run, and upgrade\.sql /,
      ) as unknown,
    });
    await pool.query(upgradeTablesSql({ schema }));
    expect(await catalogueOf(pool)).toEqual(await catalogueByTypeOrm(schema));
    await store.checkTables();
    const remembered = await pool.query(`SELECT selector FROM ${quoted}.session_auth_remember_me`);
    expect(remembered.rows).toEqual([{ selector: 'selector' }]);

    const record = newRecord('alice');
    await store.create(record, NO_LIMIT, NOW);
    await pool.query(upgradeTablesSql({ schema }));
    expect((await store.list('alice', { limit: 10 }, NOW)).records).toEqual([record]);
  });

  it.each(SCHEMAS)(
    'makes tables of before versions those of a new database, with their rows, in schema %s',
    async (schema) => {
      await pool.query(createTablesSql({ schema }));
      const quoted = `"${(schema ?? 'public').replaceAll('"', '""')}"`;
      const store = new PostgresSessionStore(pool, { schema });
      const record = newRecord('alice');
      await store.create(record, NO_LIMIT, NOW);
      await pool.query(`DROP TABLE ${quoted}.session_auth_version;
      DROP TABLE ${quoted}.session_auth_generation;
      ALTER TABLE ${quoted}.session_auth_session DROP COLUMN record_version, DROP COLUMN generation;
      ALTER TABLE ${quoted}.session_auth_remember_me DROP COLUMN record_version, DROP COLUMN generation`);
      await expect(store.checkTables()).rejects.toThrow('upgrade.sql');
      for (const times of [1, 2]) {
        await pool.query(upgradeTablesSql({ schema }));
        expect([times, await catalogueOf(pool)]).toEqual([times, await catalogueByTypeOrm(schema)]);
      }
      await new PostgresSessionStore(pool, { schema }).checkTables();
      expect((await store.list('alice', { limit: 10 }, NOW)).records).toEqual([record]);
      const versions = await pool.query(`SELECT record_version FROM ${quoted}.session_auth_session`);
      expect(versions.rows).toEqual([{ record_version: 1 }]);
    },
  );

  it('makes tables of version 2 those of a new database, with their rows', async () => {
    await pool.query(createTablesSql());
    const store = new PostgresSessionStore(pool);
    const record = newRecord('alice');
    await store.create(record, NO_LIMIT, NOW);
    await pool.query(`DROP TABLE session_auth_generation;
      ALTER TABLE session_auth_session DROP COLUMN generation;
      ALTER TABLE session_auth_remember_me DROP COLUMN generation;
      UPDATE session_auth_version SET version = 2`);
    await expect(store.checkTables()).rejects.toThrow('upgrade.sql');
    for (const times of [1, 2]) {
      await pool.query(upgradeTablesSql());
      expect([times, await catalogueOf(pool)]).toEqual([times, await catalogueByTypeOrm(undefined)]);
    }
    await new PostgresSessionStore(pool).checkTables();
    expect((await store.list('alice', { limit: 10 }, NOW)).records).toEqual([record]);
  });

  it('tells by its version whether a node may run on the tables: on its own and the next one', async () => {
    await pool.query(createTablesSql());
    const check = async (version: number): Promise<void> => {
      await pool.query('UPDATE session_auth_version SET version = $1', [version]);
      await new PostgresSessionStore(pool).checkTables();
    };
    await expect(check(1)).rejects.toThrow(/upgrade\.sql .*\(they are of version 1\)$/);
    await expect(check(2)).rejects.toThrow(/upgrade\.sql .*\(they are of version 2\)$/);
    for (const version of [3, 4]) await check(version);
    await expect(check(5)).rejects.toMatchObject({
      code: 'invalid_configuration',
      message: 'postgresStorage: given tables of version 5, which this node is too old for; allowed is version 3 or 4',
    });
  });

  it('refuses a name that PostgreSQL would take for another', () => {
    for (const schema of ['', 'x'.repeat(64), 'a\0b']) {
      const refusal = (name: string): unknown =>
        expect.objectContaining({ code: 'invalid_configuration', message: expect.stringContaining(name) });
      expect(() => createTablesSql({ schema })).toThrow(refusal('createTablesSql.schema'));
      expect(() => upgradeTablesSql({ schema })).toThrow(refusal('upgradeTablesSql.schema'));
    }
  });
});

async function catalogueByTypeOrm(schema: string | undefined): Promise<unknown[]> {
  const database = await createTestDatabase();
  try {
    const dataSource = await database.open({ migrations: [createSessionAuthMigration({ schema })] });
    await dataSource.runMigrations();
    return await catalogueOf(dataSource);
  } finally {
    await database.close();
  }
}
