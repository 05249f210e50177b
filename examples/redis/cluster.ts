import { Cluster } from 'ioredis';

/** A client of the whole cluster; the nodes named here are where it learns of the others. */
export function connectToCluster(nodes: readonly { host: string; port: number }[]): Cluster {
  return new Cluster([...nodes]);
}
