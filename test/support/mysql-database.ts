import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createConnection, createPool, type Connection, type Pool, type PoolOptions } from 'mysql2/promise';

const FILES = join(import.meta.dirname, '../../libs/session-auth/mysql');

/** A database of a test's own on the run's MariaDB. */
export interface MysqlTestDatabase {
  readonly name: string;
  /** Opens a pool on it, which is closed with the database. */
  open(options?: PoolOptions): Pool;
  /** Runs a statement on a connection of its own. */
  run(sql: string, values?: unknown[]): Promise<Record<string, unknown>[]>;
  /** Drops the database, whoever is still connected. */
  close(): Promise<void>;
}

/** Makes a database with the library's tables, of the schema file; on the run's server or another one. */
export async function createMysqlDatabase({
  tables = true,
  server = process.env['TEST_MYSQL_URL']!,
}: { readonly tables?: boolean; readonly server?: string } = {}): Promise<MysqlTestDatabase> {
  const name = `test_${randomBytes(6).toString('hex')}`;
  await withConnection({ uri: server }, async (connection) => {
    await connection.query(`CREATE DATABASE ${name}`);
  });
  if (tables) await withConnection({ uri: server, database: name }, (connection) => runSchema(connection));
  const pools: Pool[] = [];
  return {
    name,
    open: (more = {}) => {
      const pool = createPool({ uri: server, database: name, connectionLimit: 10, ...more });
      pools.push(pool);
      return pool;
    },
    run: (sql, values) =>
      withConnection({ uri: server, database: name }, async (connection) => {
        const [rows] = await connection.query(sql, values);
        return rows as Record<string, unknown>[];
      }),
    close: async () => {
      for (const pool of pools) await pool.end();
      await withConnection({ uri: server }, async (connection) => {
        await connection.query(`DROP DATABASE ${name}`);
      });
    },
  };
}

/** Runs a file of the package, as a tool for migrations does: one statement after another. */
export async function runSchema(
  connection: Pick<Connection, 'query'>,
  file: 'schema.sql' | 'upgrade.sql' = 'schema.sql',
): Promise<void> {
  const statements = (await readFile(join(FILES, file), 'utf8')).replaceAll(/^\s*--.*$/gm, '').split(/;\s*$/m);
  for (const statement of statements) if (statement.trim() !== '') await connection.query(statement);
}

async function withConnection<T>(options: PoolOptions, work: (connection: Connection) => Promise<T>): Promise<T> {
  const connection = await createConnection(options);
  try {
    return await work(connection);
  } finally {
    await connection.end();
  }
}
