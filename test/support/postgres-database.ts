import { randomBytes } from 'node:crypto';
import { Client } from 'pg';
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
  await onServer(serverUrl, `CREATE DATABASE ${name}`);
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
      await onServer(serverUrl, `DROP DATABASE ${name} WITH (FORCE)`);
    },
  };
}

async function onServer(url: string, sql: string): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}
