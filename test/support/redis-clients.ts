import { Cluster, Redis } from 'ioredis';
import { Cluster as Cluster6, Redis as Redis6 } from 'ioredis-6';
import { Cluster as ValkeyCluster, Redis as Valkey } from 'iovalkey';
import type { RedisClient } from 'nestjs-session-auth/redis';
import { createClient, createClientPool, createCluster, createSentinel, RESP_TYPES } from 'redis';
import {
  createClient as createClient5,
  createClientPool as createClientPool5,
  createCluster as createCluster5,
  createSentinel as createSentinel5,
} from 'redis-5';

/** A client that a test has connected. */
export interface ConnectedClient {
  readonly client: RedisClient;
  close(): void;
}

/** A client of a library, as a test connects it. */
export interface ClientCase<Place> {
  readonly name: string;
  connect(place: Place): Promise<ConnectedClient>;
}

/** What all of `ioredis` have. */
interface IoredisLike extends Extract<RedisClient, { status: string }> {
  on(event: 'error', listener: () => void): unknown;
  disconnect(): void;
}

/** What all of `redis` have. */
interface NodeRedisLike extends Extract<RedisClient, { isOpen: boolean }> {
  on(event: 'error', listener: () => void): unknown;
  connect(): Promise<unknown>;
  destroy(): unknown;
}

const PREFIX = 'app:{x}:';

const ioredis = (client: IoredisLike): Promise<ConnectedClient> => {
  client.on('error', () => undefined);
  return Promise.resolve({ client, close: () => client.disconnect() });
};

const nodeRedis = async (client: NodeRedisLike): Promise<ConnectedClient> => {
  client.on('error', () => undefined);
  await client.connect();
  return { client, close: () => void client.destroy() };
};

/** Clients of one server, by its address. */
export const CLIENTS: readonly ClientCase<string>[] = [
  { name: 'ioredis 5', connect: (url) => ioredis(new Redis(url)) },
  { name: 'ioredis 6', connect: (url) => ioredis(new Redis6(url)) },
  { name: 'iovalkey', connect: (url) => ioredis(new Valkey(url)) },
  { name: 'redis 5', connect: (url) => nodeRedis(createClient5({ url })) },
  { name: 'redis 6', connect: (url) => nodeRedis(createClient({ url })) },
];

/** Clients of one server that connect or speak in another way than by default. */
export const OTHER_CLIENTS: readonly ClientCase<string>[] = [
  { name: 'a pool of redis 5', connect: (url) => nodeRedis(createClientPool5({ url })) },
  { name: 'a pool of redis 6', connect: (url) => nodeRedis(createClientPool({ url })) },
  {
    name: 'ioredis 6 by RESP2, with a prefix and all that changes replies',
    connect: (url) =>
      ioredis(new Redis6(url, { protocol: 2, keyPrefix: PREFIX, stringNumbers: true, enableAutoPipelining: true })),
  },
  {
    name: 'ioredis 6 by RESP3, with replies of RESP3',
    connect: (url) => ioredis(new Redis6(url, { replyMapping: 'resp3', enableAutoPipelining: true, db: 5 })),
  },
  {
    name: 'redis 5 by RESP3, with buffers for replies',
    connect: (url) =>
      nodeRedis(
        createClient5({ url, RESP: 3 }).withTypeMapping({
          [RESP_TYPES.BLOB_STRING]: Buffer,
          [RESP_TYPES.NUMBER]: String,
        }),
      ),
  },
  {
    name: 'redis 6 by RESP2, with a prefix and all that changes replies',
    connect: (url) =>
      nodeRedis(
        createClient({
          url,
          RESP: 2,
          database: 5,
          keyPrefix: PREFIX,
          pingInterval: 50,
          disableOfflineQueue: true,
          commandOptions: {
            timeout: 60_000,
            typeMapping: { [RESP_TYPES.BLOB_STRING]: Buffer, [RESP_TYPES.NUMBER]: String },
          },
        }),
      ),
  },
];

/** A prefix by a client of either family, for nodes that share keys. */
export const PREFIXED: readonly ClientCase<string>[] = [
  { name: 'ioredis 5', connect: (url) => ioredis(new Redis(url, { keyPrefix: PREFIX })) },
  { name: 'redis 6', connect: (url) => nodeRedis(createClient({ url, keyPrefix: PREFIX })) },
];

type Addresses = readonly string[];

const parts = (addresses: Addresses): { host: string; port: number }[] =>
  addresses.map((address) => {
    const { hostname: host, port } = new URL(`redis://${address}`);
    return { host, port: Number(port) };
  });
const roots = (addresses: Addresses): { url: string }[] => addresses.map((address) => ({ url: `redis://${address}` }));

/** Clients of a Cluster, by the addresses of its members. */
export const CLUSTER_CLIENTS: readonly ClientCase<Addresses>[] = [
  { name: 'ioredis 5', connect: (addresses) => ioredis(new Cluster(parts(addresses))) },
  { name: 'ioredis 6', connect: (addresses) => ioredis(new Cluster6(parts(addresses))) },
  { name: 'iovalkey', connect: (addresses) => ioredis(new ValkeyCluster(parts(addresses))) },
  { name: 'redis 5', connect: (addresses) => nodeRedis(createCluster5({ rootNodes: roots(addresses) })) },
  { name: 'redis 6', connect: (addresses) => nodeRedis(createCluster({ rootNodes: roots(addresses) })) },
];

/** Clients of the master that sentinels watch over under the name `bank`, by the addresses of the sentinels. */
export const SENTINEL_CLIENTS: readonly ClientCase<Addresses>[] = [
  { name: 'ioredis 5', connect: (addresses) => ioredis(new Redis({ sentinels: parts(addresses), name: 'bank' })) },
  { name: 'ioredis 6', connect: (addresses) => ioredis(new Redis6({ sentinels: parts(addresses), name: 'bank' })) },
  { name: 'iovalkey', connect: (addresses) => ioredis(new Valkey({ sentinels: parts(addresses), name: 'bank' })) },
  {
    name: 'redis 5',
    connect: (addresses) => nodeRedis(createSentinel5({ name: 'bank', sentinelRootNodes: parts(addresses) })),
  },
  {
    name: 'redis 6',
    connect: (addresses) => nodeRedis(createSentinel({ name: 'bank', sentinelRootNodes: parts(addresses) })),
  },
];
