import { randomBytes } from 'node:crypto';
import { CreateSessionAuthTables } from 'nestjs-session-auth/typeorm';
import { Client, type Pool } from 'pg';
import { DataSource, type DataSourceOptions } from 'typeorm';

/** A database of a test's own on the run's PostgreSQL. */
export interface TestDatabase {
  readonly url: string;
  /** A DataSource on it, initialised; it is closed with the database. */
  open(options?: Partial<Extract<DataSourceOptions, { type: 'postgres' }>>): Promise<DataSource>;
  /** Drops the database, whoever is still connected. */
  close(): Promise<void>;
}

/** Makes an empty database. */
export async function createTestDatabase(serverUrl = process.env['TEST_DATABASE_URL']!): Promise<TestDatabase> {
  const name = `test_${randomBytes(6).toString('hex')}`;
  await runSql(serverUrl, `CREATE DATABASE ${name}`);
  const url = new URL(serverUrl);
  url.pathname = name;
  const opened: DataSource[] = [];
  return {
    url: url.href,
    open: async (options = {}) => {
      const dataSource = new DataSource({ type: 'postgres', url: url.href, ...options });
      await dataSource.initialize();
      opened.push(dataSource);
      return dataSource;
    },
    close: async () => {
      for (const dataSource of opened) if (dataSource.isInitialized) await dataSource.destroy();
      await runSql(serverUrl, `DROP DATABASE ${name} WITH (FORCE)`);
    },
  };
}

/** Makes a database with the library's tables. */
export async function createDatabaseWithTables(serverUrl?: string): Promise<TestDatabase> {
  const database = await createTestDatabase(serverUrl);
  const dataSource = await database.open({ migrations: [CreateSessionAuthTables] });
  await dataSource.runMigrations();
  await dataSource.destroy();
  return database;
}

/** The pool of `pg` that a DataSource has. */
export function poolOf(dataSource: DataSource): Pool {
  return (dataSource.driver as unknown as { readonly master: Pool }).master;
}

async function runSql(url: string, sql: string): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}
