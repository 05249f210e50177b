/** What a server process is to run: the name of a file of this folder, and what it stands on. */
export interface ServerSpec {
  readonly contender:
    'bare' | 'redis-get' | 'postgres-select' | 'ours' | 'express-session' | 'fastify-session' | 'better-auth';
  readonly adapter: 'express' | 'fastify';
  readonly store?: 'memory' | 'redis' | 'postgres' | 'sqlite';
  /** Of Redis. @default ioredis */
  readonly client?: 'node-redis';
  /** @default this build */
  readonly build?: OtherBuild;
}

/** A build of the library from another revision, with a copy of this folder's JavaScript that runs on it. */
export interface OtherBuild {
  readonly name: string;
  /** The copy, as a `file:` URL that ends with a slash. */
  readonly servers: string;
}

/** Where a server finds its stores: a Redis, and a PostgreSQL database of its own. */
export interface StoreAddresses {
  readonly redisUrl: string;
  readonly databaseUrl: string;
}
