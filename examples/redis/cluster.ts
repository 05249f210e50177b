import { Cluster } from 'ioredis';

/** A client of the whole cluster. It learns the other nodes from the given ones. */
export function connectToCluster(nodes: readonly { host: string; port: number }[]): Cluster {
  return new Cluster([...nodes]);
}
