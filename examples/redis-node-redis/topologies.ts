import { createCluster, createSentinel } from 'redis';

/** A client of whichever server is the master at present. */
export function clientOfSentinels(sentinels: readonly { host: string; port: number }[], name: string) {
  return createSentinel({ name, sentinelRootNodes: [...sentinels] });
}

/** A client of the whole cluster; the nodes named here are where it learns of the others. */
export function clientOfCluster(addresses: readonly string[]) {
  return createCluster({ rootNodes: addresses.map((address) => ({ url: `redis://${address}` })) });
}
