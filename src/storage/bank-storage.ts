import { once } from 'node:events';
import { Redis } from 'ioredis';
import type { StorageOptions } from 'nestjs-session-auth';
import { redisStorage } from 'nestjs-session-auth/redis';
import { CreateSessionAuthTables, typeOrmStorage } from 'nestjs-session-auth/typeorm';
import { DataSource } from 'typeorm';
import type { BankConfig } from '../config/bank-config.js';
import { resolvePostgres } from '../local-services/local-postgres.js';
import { resolveRedis } from '../local-services/local-redis.js';
import { POSTGRES_OPTIONS } from './postgres-options.js';
import { REDIS_OPTIONS } from './redis-options.js';

/** Where the demo keeps its sessions, and how to close what was opened for it. */
export interface BankStorage {
  readonly storage: StorageOptions | 'memory';
  /** In words, for the start-up lines. */
  readonly description: string;
  close(): Promise<void>;
}

/** Opens the storage that `SESSION_STORE` names. Without an address a local server is started for the run. */
export async function openBankStorage(
  config: Pick<BankConfig, 'sessionStore'>,
  log: (line: string) => void,
): Promise<BankStorage> {
  switch (config.sessionStore) {
    case 'memory':
      return { storage: 'memory', description: 'memory', close: () => Promise.resolve() };
    case 'redis':
      return openRedis(log);
    case 'postgres':
      return openPostgres(log);
  }
}

async function openRedis(log: (line: string) => void): Promise<BankStorage> {
  const service = await resolveRedis({ log });
  const client = new Redis(service.url, { ...REDIS_OPTIONS, lazyConnect: true });
  let last = '';
  client.on('error', (error: Error) => {
    if (error.message !== last) log(`Redis: ${(last = error.message)}`);
  });
  client.on('ready', () => (last = ''));
  await client.connect();
  const { host, port } = client.options;
  return {
    storage: redisStorage({ client, namespace: 'bank:', link: true }),
    description: `Redis at ${host}:${port}`,
    close: async () => {
      const ended = once(client, 'end');
      client.disconnect();
      await ended;
      await service.stop();
    },
  };
}

async function openPostgres(log: (line: string) => void): Promise<BankStorage> {
  const service = await resolvePostgres({ log });
  const dataSource = new DataSource({
    ...POSTGRES_OPTIONS,
    type: 'postgres',
    url: service.url,
    migrations: [CreateSessionAuthTables],
  });
  const close = async (): Promise<void> => {
    if (dataSource.isInitialized) await dataSource.destroy();
    await service.stop();
  };
  try {
    await dataSource.initialize();
    for (const { name } of await dataSource.runMigrations()) log(`PostgreSQL: ran the migration ${name}`);
  } catch (error) {
    await close();
    throw error;
  }
  const { hostname, port, pathname } = new URL(service.url);
  return {
    storage: typeOrmStorage({ dataSource, link: true }),
    description: `PostgreSQL at ${hostname}:${port || 5432}${pathname}`,
    close,
  };
}
