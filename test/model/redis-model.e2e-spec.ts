import { afterAll, beforeAll, describe, it } from '@jest/globals';
import { Redis } from 'ioredis';
import { RedisRememberMeTokenStore, RedisSessionStore } from 'nestjs-session-auth/redis';
import { startLocalRedis, type LocalRedis } from '../../src/local-services/local-redis.js';
import { checkModel } from './check-model.js';
import type { Backend, Inside } from './system.js';

const HANDLE = 20;

let server: LocalRedis;
let clients: Redis[];

beforeAll(async () => {
  server = await startLocalRedis();
  clients = [0, 1].map(() => new Redis(server.url));
});

afterAll(async () => {
  for (const client of clients) client.disconnect();
  await server.stop();
});

/* `MODEL_RUNS` and `MODEL_SEED` are explained in memory-model.e2e-spec.ts. */
describe('sessions and remembered devices in Redis', () => {
  it('do what the reference model does', () => checkModel(openRedis, { runs: 400 }));
});

async function openRedis(): Promise<Backend> {
  await clients[0]!.flushdb();
  return {
    connect: (node) => ({
      sessions: new RedisSessionStore(clients[node]!),
      tokens: new RedisRememberMeTokenStore(clients[node]!),
    }),
    // a distance to times to live, which run by the server's clock
    tick: 30_000,
    expiresByItself: true,
    inside: () => lookInto(clients[0]!),
  };
}

async function lookInto(redis: Redis): Promise<Inside> {
  const records: string[] = [];
  const indexed: string[] = [];
  const faults: string[] = [];
  for (const key of await redis.keys('*')) {
    if ((await redis.pttl(key)) < 0) faults.push(`${key} has no time to live`);
    if (key.includes('}:s:')) records.push(key.slice(-HANDLE));
    if (key.includes('}:u:'))
      indexed.push(...(await redis.zrange(key, 0, -1)).map((member) => member.slice(0, HANDLE)));
  }
  return { records, indexed, faults };
}
