import { Redis } from 'ioredis';
import type { StorageOptions } from 'nestjs-session-auth';
import { redisStorage } from 'nestjs-session-auth/redis';
import { typeOrmStorage } from 'nestjs-session-auth/typeorm';
import { REDIS_OPTIONS } from '../../src/storage/redis-options.js';
import { openBackend, type Backend } from './bank.js';
import { FaultProxy } from './fault-proxy.js';
import { createDatabaseWithTables } from './postgres-database.js';

/** Storage of a node that reaches its store and what it listens on by a proxy each, and of one that needs neither. */
export interface ProxiedStore {
  /** Between the node and its store. */
  readonly store: FaultProxy;
  /** Between the node and what it listens on. */
  readonly link: FaultProxy;
  /** By way of the proxies. */
  readonly behind: Backend;
  /** The same store, without them. */
  readonly past: Backend;
  close(): Promise<void>;
}

const backendOf = (linkedStorage: StorageOptions): Backend => ({
  storage: linkedStorage,
  linkedStorage,
  redis: undefined,
  namespace: '',
  close: () => Promise.resolve(),
});

export async function proxiedRedis(): Promise<ProxiedStore> {
  const url = process.env['TEST_REDIS_URL']!;
  const past = await openBackend('redis');
  const [store, link] = await startProxies(url);
  const client = new Redis(store.through(url), REDIS_OPTIONS).on('error', () => undefined);
  client.duplicate = (options) => new Redis(link.through(url), options ?? {});
  return {
    store,
    link,
    behind: backendOf(redisStorage({ client, namespace: past.namespace, link: true })),
    past,
    close: async () => {
      client.disconnect();
      await past.close();
      for (const proxy of [store, link]) await proxy.close();
    },
  };
}

export async function proxiedPostgres(): Promise<ProxiedStore> {
  const database = await createDatabaseWithTables();
  const { url } = database;
  const [store, link] = await startProxies(url);
  const dataSource = await database.open({ url: store.through(url) });
  return {
    store,
    link,
    behind: backendOf(typeOrmStorage({ dataSource, link: { url: link.through(url) } })),
    past: backendOf(typeOrmStorage({ dataSource: await database.open(), link: true })),
    close: async () => {
      await database.close();
      for (const proxy of [store, link]) await proxy.close();
    },
  };
}

async function startProxies(url: string): Promise<readonly [FaultProxy, FaultProxy]> {
  const port = Number(new URL(url).port);
  return [await FaultProxy.start(port), await FaultProxy.start(port)];
}
