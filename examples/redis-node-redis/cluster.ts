import { createCluster } from 'redis';

/** A client of the whole cluster; the nodes named here are where it learns of the others. */
export function clientOfCluster(addresses: readonly string[]) {
  return createCluster({ rootNodes: addresses.map((address) => ({ url: `redis://${address}` })) });
}
