import { Redis } from 'ioredis';
import { redisStorage } from 'nestjs-session-auth/redis';
import * as tables from 'nestjs-session-auth/typeorm';
import { DataSource } from 'typeorm';
import { startNode } from './node-app.js';

/*
 * A node as a process of its own, on Redis (REDIS_URL and NAMESPACE) or PostgreSQL (DATABASE_URL), whose tables it
 * makes as its version does. Prints the ports that it listens on, as JSON.
 */
async function run({ REDIS_URL, NAMESPACE, DATABASE_URL }: NodeJS.ProcessEnv): Promise<void> {
  if (REDIS_URL !== undefined) return print(redisStorage({ client: new Redis(REDIS_URL), namespace: NAMESPACE }));
  // the first versions have one migration only
  const { CreateSessionAuthTables, UpgradeSessionAuthTables } = tables as Partial<typeof tables>;
  const migrations = [CreateSessionAuthTables, UpgradeSessionAuthTables].filter((each) => each !== undefined);
  const dataSource = new DataSource({ type: 'postgres', url: DATABASE_URL, migrations });
  await dataSource.initialize();
  await dataSource.runMigrations();
  return print(tables.typeOrmStorage({ dataSource }));
}

async function print(storage: Parameters<typeof startNode>[0]): Promise<void> {
  const { port } = await startNode(storage);
  process.stdout.write(`${JSON.stringify([String(port)])}\n`);
}

void run(process.env);
