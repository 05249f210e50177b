/**
 * What the Redis stores use of an `ioredis` client: a `Redis` (standalone or Sentinel) or a `Cluster`, with whatever
 * options the application gave it (`keyPrefix` included). The application connects it and closes it.
 */
export interface RedisClient {
  readonly isCluster?: boolean;
  evalsha(sha: string, numberOfKeys: number, ...keysAndArguments: (string | number)[]): Promise<unknown>;
  eval(script: string, numberOfKeys: number, ...keysAndArguments: (string | number)[]): Promise<unknown>;
}
