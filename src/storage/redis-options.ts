import type { RedisOptions } from 'ioredis';

/** How the demo's client lives through an outage: it finds out soon, and is back soon. */
export const REDIS_OPTIONS = {
  // the default goes up to 2 seconds between attempts: users would wait as long after the server is back
  retryStrategy: (attempt: number) => Math.min(attempt * 50, 500),
  // what waits for a connection fails after this many attempts, instead of running when nobody waits for it any more
  maxRetriesPerRequest: 3,
  connectTimeout: 2000,
  // a connection that has gone silent is given up; without this a dead peer is waited for as long as TCP does
  socketTimeout: 2000,
} satisfies RedisOptions;
