/**
 * A client that the Redis stores work with: of `ioredis` 5 or 6, `iovalkey`, or `redis` (node-redis) 5 or 6; to one
 * server, through Sentinels or to a Cluster, with any options (`keyPrefix` included). The application connects it and
 * closes it.
 */
export type RedisClient = IoredisClient | NodeRedisClient;

/** What tells a client of `ioredis` or `iovalkey`: a `Redis` or a `Cluster`. */
export interface IoredisClient {
  readonly status: string;
  evalsha(sha: string, numberOfKeys: number, ...keysAndArguments: (string | number)[]): Promise<unknown>;
  eval(script: string, numberOfKeys: number, ...keysAndArguments: (string | number)[]): Promise<unknown>;
}

/** What tells a client of `redis`: from `createClient`, `createClientPool`, `createSentinel` or `createCluster`. */
export interface NodeRedisClient {
  readonly isOpen: boolean;
  evalSha(sha: string, options?: NodeRedisEval): Promise<unknown>;
  eval(script: string, options?: NodeRedisEval): Promise<unknown>;
}

/** Keys and arguments of a script, as `redis` takes them. */
export interface NodeRedisEval {
  keys?: string[];
  arguments?: string[];
}
