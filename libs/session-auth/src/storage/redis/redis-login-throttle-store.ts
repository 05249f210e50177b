import { RateLimiterRedis } from 'rate-limiter-flexible';
import { LoginThrottleStore, type FailureCounter } from '../../throttle/login-throttle-store.js';
import type { RedisClient } from './redis-client.js';

/**
 * Counts failed logins in Redis, for all nodes together. Every key has a time to live and is the only one of its
 * command, so it runs on a Cluster too.
 */
export class RedisLoginThrottleStore extends LoginThrottleStore {
  constructor(
    private readonly client: RedisClient,
    private readonly namespace: string,
  ) {
    super();
  }

  override counter(name: string, seconds: number): FailureCounter {
    return new RateLimiterRedis({
      storeClient: this.client,
      keyPrefix: `${this.namespace}throttle:${name}`,
      points: 1,
      duration: seconds,
    });
  }
}
