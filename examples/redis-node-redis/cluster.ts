import { createCluster } from 'redis';

/** A client of the whole cluster. It learns the other nodes from the given ones. */
export function clientOfCluster(addresses: readonly string[]) {
  return createCluster({ rootNodes: addresses.map((address) => ({ url: `redis://${address}` })) });
}
