import type { RedisConnection } from './redis-connection.js';

/** Returns the channel of a realm's namespace. Like its keys, it has the client's `keyPrefix`. */
export function channelOf({ keyPrefix }: RedisConnection, namespace: string): string {
  return `${keyPrefix}${namespace}link`;
}
