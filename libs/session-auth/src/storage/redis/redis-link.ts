import { LinkHub } from '../../link/link-hub.js';
import type { RedisConnection } from './redis-connection.js';
import { DEFAULT_REDIS_NAMESPACE } from './redis-keys.js';
import { RedisLinkTransport } from './redis-link-transport.js';

const hubs = new WeakMap<RedisConnection, Map<string, LinkHub>>();

/** Returns the connection of this node for the keys of a namespace, which all realms share. */
export function linkHubOf(connection: RedisConnection, namespace = DEFAULT_REDIS_NAMESPACE): LinkHub {
  const ofConnection = hubs.get(connection) ?? new Map<string, LinkHub>();
  hubs.set(connection, ofConnection);
  const hub = ofConnection.get(namespace) ?? new LinkHub(new RedisLinkTransport(connection, namespace));
  ofConnection.set(namespace, hub);
  return hub;
}
