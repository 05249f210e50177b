/**
 * A client that the Redis stores work with: `ioredis` 5 or 6, `iovalkey`, or `redis` (node-redis) 5 or 6; for one
 * server, Sentinels or a Cluster, with any options (including `keyPrefix`). The application opens and closes it.
 */
export type RedisClient = IoredisClient | NodeRedisClient;

/** The shape of a client of `ioredis` or `iovalkey`: a `Redis` or a `Cluster`. */
export interface IoredisClient {
  readonly status: string;
  evalsha(sha: string, numberOfKeys: number, ...keysAndArguments: (string | number)[]): Promise<unknown>;
  eval(script: string, numberOfKeys: number, ...keysAndArguments: (string | number)[]): Promise<unknown>;
}

/** The shape of a client of `redis`: from `createClient`, `createClientPool`, `createSentinel` or `createCluster`. */
export interface NodeRedisClient {
  readonly isOpen: boolean;
  evalSha(sha: string, options?: NodeRedisEval): Promise<unknown>;
  eval(script: string, options?: NodeRedisEval): Promise<unknown>;
}

/** Keys and arguments of a script, in the form of `redis`. */
export interface NodeRedisEval {
  keys?: string[];
  arguments?: string[];
}
