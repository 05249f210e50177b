/** What a server process is to run: the name of a file of this folder, and what it stands on. */
export interface ServerSpec {
  readonly contender:
    'bare' | 'redis-get' | 'postgres-select' | 'ours' | 'express-session' | 'fastify-session' | 'better-auth';
  readonly adapter: 'express' | 'fastify';
  readonly store?: 'memory' | 'redis' | 'postgres';
}

/** Where a server finds its stores: a Redis, and a PostgreSQL database of its own. */
export interface StoreAddresses {
  readonly redisUrl: string;
  readonly databaseUrl: string;
}
