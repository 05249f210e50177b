import { once } from 'node:events';
import { Redis } from 'ioredis';
import { redisStorage } from 'nestjs-session-auth/redis';
import { resolveRedis } from '../local-services/local-redis.js';
import type { BankStorage } from './bank-storage.js';
import { REDIS_OPTIONS } from './redis-options.js';

/** Opens the Redis of `REDIS_URL`, or one that is started for the run. */
export async function openRedis(log: (line: string) => void): Promise<BankStorage> {
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
