import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { Redis } from 'ioredis';
import { redisStorage } from 'nestjs-session-auth/redis';
import * as tables from 'nestjs-session-auth/typeorm';
import { DataSource } from 'typeorm';
import { startNode } from './node-app.js';

/*
 * A node as a process of its own, on Redis (REDIS_URL and NAMESPACE), PostgreSQL (DATABASE_URL) or MariaDB (MYSQL_URL),
 * whose tables it makes as its version does. Prints the ports that it listens on, as JSON.
 */
async function run({ REDIS_URL, NAMESPACE, DATABASE_URL, MYSQL_URL }: NodeJS.ProcessEnv): Promise<void> {
  if (REDIS_URL !== undefined) return print(redisStorage({ client: new Redis(REDIS_URL), namespace: NAMESPACE }));
  if (MYSQL_URL !== undefined) return runOnMysql(MYSQL_URL);
  // the first versions have one migration only
  const { CreateSessionAuthTables, UpgradeSessionAuthTables } = tables as Partial<typeof tables>;
  const migrations = [CreateSessionAuthTables, UpgradeSessionAuthTables].filter((each) => each !== undefined);
  const dataSource = new DataSource({ type: 'postgres', url: DATABASE_URL, migrations });
  await dataSource.initialize();
  await dataSource.runMigrations();
  return print(tables.typeOrmStorage({ dataSource }));
}

async function runOnMysql(url: string): Promise<void> {
  // which the first versions do not have
  const [{ mysqlStorage }, { createPool }] = await Promise.all([
    import('nestjs-session-auth/mysql'),
    import('mysql2/promise'),
  ]);
  const schema = createRequire(import.meta.url).resolve('nestjs-session-auth/mysql/schema.sql');
  const maker = createPool({ uri: url, multipleStatements: true });
  await maker.query(readFileSync(schema, 'utf8'));
  await maker.end();
  return print(mysqlStorage({ pool: createPool(url) }));
}

async function print(storage: Parameters<typeof startNode>[0]): Promise<void> {
  const { port } = await startNode(storage);
  process.stdout.write(`${JSON.stringify([String(port)])}\n`);
}

void run(process.env);
