import { Redis } from 'ioredis';
import type { StorageOptions } from 'nestjs-session-auth';
import { redisStorage } from 'nestjs-session-auth/redis';
import { REDIS_OPTIONS } from '../../src/storage/redis-options.js';
import { createSturdyClient } from '../../examples/redis-outage/node-redis-client.js';
import type { Backend } from './bank.js';

/** An empty backend on Redis whose nodes have clients of `redis`; what looks into it is one of `ioredis`. */
export async function openNodeRedisBackend(namespace: string, url = process.env['TEST_REDIS_URL']!): Promise<Backend> {
  const redis = new Redis(url, { ...REDIS_OPTIONS, lazyConnect: true });
  redis.on('error', () => undefined);
  await redis.connect();
  const nodes: { destroy(): void }[] = [];
  const storage = (link: boolean): StorageOptions => {
    const client = createSturdyClient(url, () => undefined);
    // it need not be connected yet, only on its way
    void client.connect().catch(() => undefined);
    nodes.push(client);
    return redisStorage({ client, namespace, link });
  };
  const backend: Backend = {
    get storage() {
      return storage(false);
    },
    redis,
    namespace,
    close: async () => {
      const keys = await redis.keys(`${namespace}*`);
      if (keys.length > 0) await redis.del(...keys);
      redis.disconnect();
      for (const client of nodes) client.destroy();
    },
  };
  return Object.defineProperty(backend, 'linkedStorage', { get: () => storage(true), enumerable: false });
}
