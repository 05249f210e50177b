/** What a server process is to run: the name of a file of this folder, and what it stands on. */
export interface ServerSpec {
  readonly contender:
    'bare' | 'redis-get' | 'postgres-select' | 'ours' | 'express-session' | 'fastify-session' | 'better-auth';
  readonly adapter: 'express' | 'fastify';
  readonly store?: 'memory' | 'redis' | 'postgres' | 'mariadb' | 'sqlite';
  /** @default ioredis, and TypeORM on PostgreSQL */
  readonly client?: 'node-redis' | 'pg';
  /** Whether this library keeps the sessions in use in its memory. @default false */
  readonly nearCache?: boolean;
  /** Milliseconds by which what is sent to Redis arrives later, and what Redis replies again. @default 0 */
  readonly redisDelay?: number;
  /** @default this build */
  readonly build?: OtherBuild;
}

/** A build of the library from another revision, with a copy of this folder's JavaScript that runs on it. */
export interface OtherBuild {
  readonly name: string;
  /** The copy, as a `file:` URL that ends with a slash. */
  readonly servers: string;
}

/**
 * Where a server finds its stores: a Redis, a PostgreSQL database of its own, and a MariaDB with one of the same name.
 */
export interface StoreAddresses {
  readonly redisUrl: string;
  readonly databaseUrl: string;
  readonly mariaDbUrl: string;
}
