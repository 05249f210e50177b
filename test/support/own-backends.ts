import { Redis } from 'ioredis';
import type { StorageOptions } from 'nestjs-session-auth';
import { redisStorage } from 'nestjs-session-auth/redis';
import { typeOrmStorage } from 'nestjs-session-auth/typeorm';
import { POSTGRES_OPTIONS } from '../../src/storage/postgres-options.js';
import { REDIS_OPTIONS } from '../../src/storage/redis-options.js';
import { createDatabaseWithTables } from './postgres-database.js';
import { PostgresServer } from './postgres-server.js';
import { startRedisProcess, type RedisProcess } from './redis-processes.js';

/** A server that a test can crash: it loses nothing that it has acknowledged. */
export interface OwnBackend {
  readonly port: number;
  /** What the program of a node is given. @param port leads to the server */
  environment(port: number): Readonly<Record<string, string>>;
  /** The storage of one more node in this process. */
  storage(): Promise<StorageOptions>;
  close(): Promise<void>;
}

export async function ownRedis(): Promise<OwnBackend & { readonly server: RedisProcess }> {
  const server = await startRedisProcess(['appendonly yes', 'appendfsync always']);
  const clients: Redis[] = [];
  return {
    server,
    port: server.port,
    environment: (port) => ({ REDIS_URL: `redis://127.0.0.1:${port}` }),
    storage: () => {
      const client = new Redis(server.port, '127.0.0.1', REDIS_OPTIONS).on('error', () => undefined);
      clients.push(client);
      return Promise.resolve(redisStorage({ client, link: true }));
    },
    close: async () => {
      for (const client of clients) client.disconnect();
      await server.close();
    },
  };
}

export interface OwnPostgres extends OwnBackend {
  readonly server: PostgresServer;
  runSql(sql: string): Promise<unknown>;
}

export async function ownPostgres(): Promise<OwnPostgres> {
  const server = await PostgresServer.launch();
  const database = await createDatabaseWithTables(server.url);
  return {
    server,
    port: server.port,
    environment: (port) => {
      const url = new URL(database.url);
      url.port = String(port);
      return { DATABASE_URL: url.href };
    },
    storage: async () => typeOrmStorage({ dataSource: await database.open(POSTGRES_OPTIONS), link: true }),
    runSql: async (sql) => {
      const dataSource = await database.open();
      await dataSource.query(sql);
      await dataSource.destroy();
    },
    close: async () => {
      await database.close();
      await server.close();
    },
  };
}
