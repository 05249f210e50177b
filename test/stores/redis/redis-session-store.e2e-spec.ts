import { afterAll, beforeAll } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { Cluster, Redis, type RedisOptions } from 'ioredis';
import { RedisSessionStore } from 'nestjs-session-auth/redis';
import { sessionStoreContract, type MakeSessionStore } from 'nestjs-session-auth/testing';
import { startLocalRedis, type LocalRedis } from '../../../src/local-services/local-redis.js';
import { serveAllSlots } from '../../support/redis-cluster.js';

const run = `test-${randomUUID()}:`;
const clients: Redis[] = [];

/** Two connections, as two nodes have them, to the Redis of the test run. */
function twoNodes(options: RedisOptions = {}): MakeSessionStore {
  let connected: { readonly first: Redis; readonly second: Redis } | undefined;
  const connect = (): Redis => {
    const client = new Redis(process.env['TEST_REDIS_URL']!, options);
    clients.push(client);
    return client;
  };
  return async () => {
    const { first, second } = (connected ??= { first: connect(), second: connect() });
    const namespace = `${run}${randomUUID()}:`;
    return {
      store: new RedisSessionStore(first, { namespace }),
      another: async () => new RedisSessionStore(second, { namespace }),
      close: async () => undefined,
    };
  };
}

sessionStoreContract('RedisSessionStore', twoNodes());
sessionStoreContract('RedisSessionStore, keyPrefix', twoNodes({ keyPrefix: `${run}prefix:` }));
sessionStoreContract('RedisSessionStore, enableAutoPipelining', twoNodes({ enableAutoPipelining: true }));

afterAll(async () => {
  const [client] = clients;
  let cursor = '0';
  do {
    const [next, keys] = await client!.scan(cursor, 'MATCH', `${run}*`, 'COUNT', 1000);
    if (keys.length > 0) await client!.unlink(keys);
    cursor = next;
  } while (cursor !== '0');
  await Promise.all(clients.map((each) => each.quit()));
});

let server: LocalRedis;
let cluster: Cluster;

beforeAll(async () => {
  server = await startLocalRedis({ args: ['--cluster-enabled', 'yes', '--cluster-announce-ip', '127.0.0.1'] });
  const client = new Redis(server.url);
  await serveAllSlots(client);
  await client.quit();
  const address = { host: new URL(server.url).hostname, port: server.port };
  cluster = await connected(new Cluster([address], { natMap: () => address }));
});

async function connected(client: Cluster): Promise<Cluster> {
  await client.get('any');
  return client;
}

afterAll(async () => {
  cluster.disconnect();
  await server.stop();
});

sessionStoreContract('RedisSessionStore, Cluster', async () => {
  const namespace = `${randomUUID()}:`;
  return {
    store: new RedisSessionStore(cluster, { namespace }),
    another: async () => new RedisSessionStore(cluster, { namespace }),
    close: async () => undefined,
  };
});
