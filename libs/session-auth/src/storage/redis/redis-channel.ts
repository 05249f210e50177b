import type { RedisConnection } from './redis-connection.js';

/** Returns the channel of a realm's namespace: beside its keys, so behind the client's `keyPrefix` as well. */
export function channelOf({ keyPrefix }: RedisConnection, namespace: string): string {
  return `${keyPrefix}${namespace}link`;
}
