import { Redis } from 'ioredis';
import type { SessionAuthOptions, StorageOptions } from 'nestjs-session-auth';
import { redisStorage, type RedisClient } from 'nestjs-session-auth/redis';
import { typeOrmStorage } from 'nestjs-session-auth/typeorm';
import { createSturdyClient } from '../../examples/redis-outage/node-redis-client.js';
import { startLocalRedis } from '../../src/local-services/local-redis.js';
import { REDIS_OPTIONS } from '../../src/storage/redis-options.js';
import { startBank, type Bank } from './bank.js';
import { FaultProxy } from './fault-proxy.js';
import { createDatabaseWithTables } from './postgres-database.js';
import { watchedStorage } from './watched-store.js';

/** Milliseconds: shorter than a dead connection goes unnoticed, so that only the rules of the cache keep it. */
export const BOUND = 50;

export type NearCacheGiven = Exclude<SessionAuthOptions['nearCache'], boolean | undefined>;

/** A node, and how often it has read a session from the store. */
export type FaultNode = Bank & { readonly reads: number };

/** Starts a node of the bank with a near-cache, or without one. */
export async function startNode(storage: StorageOptions, given: NearCacheGiven | false = {}): Promise<FaultNode> {
  const calls: string[] = [];
  const watched = watchedStorage(storage, calls);
  const backend = { storage: watched, redis: undefined, namespace: '', close: () => Promise.resolve() };
  const rest = { concurrency: 10_000, storeTimeout: '2s', fingerprint: false } as const;
  const options = { nearCache: given && { bound: BOUND, ...given }, ...rest };
  const bank = await startBank({ adapter: 'fastify', backend, options });
  return Object.defineProperty(bank as FaultNode, 'reads', {
    get: () => calls.filter((call) => call === 'default: find').length,
  });
}

/** A node that ends sessions, and one whose way to the backend leads through a proxy. */
export class NodesUnderFault {
  private constructor(
    readonly proxy: FaultProxy,
    readonly here: FaultNode,
    readonly there: FaultNode,
    private readonly stop: () => Promise<void>,
  ) {}

  static async onRedis(by: 'ioredis' | 'redis', nearCache?: NearCacheGiven): Promise<NodesUnderFault> {
    const server = await startLocalRedis();
    const proxy = await FaultProxy.start(server.port);
    const url = proxy.through(server.url);
    const past = new Redis(server.url);
    const [client, close] = by === 'ioredis' ? byIoredis(url) : byNodeRedis(url);
    const here = await startNode(redisStorage({ client: past, link: true }), nearCache);
    const there = await startNode(redisStorage({ client, link: true }), nearCache);
    return new NodesUnderFault(proxy, here, there, async () => {
      close();
      past.disconnect();
      await proxy.close();
      await server.stop();
    });
  }

  static async onPostgres(nearCache?: NearCacheGiven): Promise<NodesUnderFault> {
    const database = await createDatabaseWithTables();
    const proxy = await FaultProxy.start(Number(new URL(database.url).port));
    const here = await startNode(typeOrmStorage({ dataSource: await database.open(), link: true }), nearCache);
    // only what it hears is broken, and not what it reads: no failure of a read hides what the cache does
    const url = proxy.through(database.url);
    const there = await startNode(typeOrmStorage({ dataSource: await database.open(), link: { url } }), nearCache);
    return new NodesUnderFault(proxy, here, there, async () => {
      await proxy.close();
      await database.close();
    });
  }

  async close(): Promise<void> {
    await this.here.close();
    await this.there.close();
    await this.stop();
  }
}

function byIoredis(url: string): [RedisClient, () => void] {
  const client = new Redis(url, { ...REDIS_OPTIONS, socketTimeout: 500 }).on('error', () => undefined);
  return [client, () => client.disconnect()];
}

function byNodeRedis(url: string): [RedisClient, () => void] {
  const client = createSturdyClient(url, () => undefined);
  void client.connect().catch(() => undefined);
  return [client, () => void client.destroy()];
}
