/**
 * The part of an `ioredis` client that the Redis stores use: of a `Redis` (standalone or Sentinel) or a `Cluster`, with
 * any options (`keyPrefix` included). The application connects it and closes it.
 */
export interface RedisClient {
  readonly isCluster?: boolean;
  evalsha(sha: string, numberOfKeys: number, ...keysAndArguments: (string | number)[]): Promise<unknown>;
  eval(script: string, numberOfKeys: number, ...keysAndArguments: (string | number)[]): Promise<unknown>;
}
