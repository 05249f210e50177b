import { randomBytes } from 'node:crypto';
import type { Stores } from '../processes/stores.ts';
import { sessionPayload } from '../servers/session-payload.ts';

const SESSIONS = 100_000;
const AT_ONCE = 256;

/** What connect-redis takes in an empty Redis for a session with the same payload, in bytes. */
export async function connectRedisBytes({ redis, redisUrl }: Stores): Promise<number> {
  const { RedisStore } = await import('connect-redis');
  const { createClient } = await import('redis');
  const client = createClient({ url: redisUrl });
  await client.connect();
  const store = new RedisStore({ client, prefix: 'myapp:' });
  const usedMemory = async (): Promise<number> => Number(/used_memory:(\d+)/.exec(await redis.info('memory'))![1]);
  const empty = await usedMemory();
  let made = 0;
  const worker = async (): Promise<void> => {
    while (made < SESSIONS) {
      const userId = `user${Math.floor((made++ * 3) / 10)}`;
      // an id of express-session: 24 random bytes
      await store.set(randomBytes(24).toString('base64url'), {
        cookie: { originalMaxAge: null, expires: null, httpOnly: true, path: '/' },
        ...sessionPayload(userId),
      });
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  const bytes = ((await usedMemory()) - empty) / SESSIONS;
  await client.close();
  return bytes;
}
