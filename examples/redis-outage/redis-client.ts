import { Redis } from 'ioredis';

export const client = new Redis(process.env['REDIS_URL'] ?? 'redis://localhost:6379', {
  // the default goes up to two seconds between attempts: users wait as long after the server is back
  retryStrategy: (attempt) => Math.min(attempt * 50, 500),
  // a command that waits for a connection fails after this many attempts, and does not run later
  maxRetriesPerRequest: 3,
  connectTimeout: 2000,
  // a connection that has gone silent is replaced; without this a dead peer is waited for as long as TCP does
  socketTimeout: 2000,
});

client.on('error', (error) => console.error(`Redis: ${error.message}`));
