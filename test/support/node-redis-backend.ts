import { Redis } from 'ioredis';
import { createClient } from 'redis';
import type { StorageOptions } from 'nestjs-session-auth';
import { redisStorage } from 'nestjs-session-auth/redis';
import { REDIS_OPTIONS } from '../../src/storage/redis-options.js';
import { createSturdyClient } from '../../examples/redis-outage/node-redis-client.js';
import type { Backend } from './bank.js';
import { steadyLink } from './steady-link.js';

/**
 * An empty backend on Redis whose nodes have clients of `redis`; what looks into it is one of `ioredis`.
 *
 * @param own the address of a server of the test's own, whose outages the clients notice soon. Those of the run's
 *   server give up nothing because the machine stands still for a moment.
 */
export async function openNodeRedisBackend(namespace: string, own?: string): Promise<Backend> {
  const url = own ?? process.env['TEST_REDIS_URL']!;
  const redis = new Redis(url, { ...REDIS_OPTIONS, lazyConnect: true });
  redis.on('error', () => undefined);
  await redis.connect();
  const nodes: { destroy(): void }[] = [];
  const storage = (link: boolean): StorageOptions => {
    const client = own === undefined ? createClient({ url }) : createSturdyClient(url, () => undefined);
    client.on('error', () => undefined);
    // it need not be connected yet, only on its way
    void client.connect().catch(() => undefined);
    nodes.push(client);
    const opened = redisStorage({ client, namespace, link });
    return link && own === undefined ? steadyLink(opened) : opened;
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
