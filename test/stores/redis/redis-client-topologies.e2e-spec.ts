import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { RedisSessionStore, type RedisClient } from 'nestjs-session-auth/redis';
import {
  CLUSTER_CLIENTS,
  SENTINEL_CLIENTS,
  type ClientCase,
  type ConnectedClient,
} from '../../support/redis-clients.js';
import { redisContracts } from '../../support/redis-contracts.js';
import { RedisCluster } from '../../support/redis-cluster.js';
import { RedisSentinels } from '../../support/redis-sentinels.js';
import { until } from '../../support/patience.js';

type Addresses = readonly string[];

/** Two nodes by a client, connected as long as a topology is there. */
function nodesBy(client: ClientCase<Addresses>, addresses: () => Addresses): () => readonly RedisClient[] {
  const connected: ConnectedClient[] = [];

  beforeAll(async () => {
    for (let node = 0; node < 2; node += 1) connected.push(await client.connect(addresses()));
  });

  afterAll(() => {
    for (const each of connected) each.close();
  });

  return () => connected.map((each) => each.client);
}

// the contract suites by ioredis 5 have a file of their own
describe('a Redis Cluster', () => {
  let cluster: RedisCluster;

  beforeAll(async () => {
    cluster = await RedisCluster.start();
  });

  afterAll(() => cluster.close());

  describe.each(CLUSTER_CLIENTS.slice(1))('by $name', (each) => {
    redisContracts(
      each.name,
      nodesBy(each, () => cluster.addresses),
    );
  });

  describe.each(CLUSTER_CLIENTS)('the link by $name', (each) => {
    const clients = nodesBy(each, () => cluster.addresses);

    it('goes on by itself, on the new masters, once a replica has taken over', async () => {
      const link = new RedisSessionStore(clients()[0]!, { link: true }).link()!;
      const told: string[] = [];
      link.observe({ lost: () => told.push('lost'), restored: () => told.push('restored') });
      await link.open();
      link.watch(() => undefined);
      await cluster.handOver('any');
      const store = new RedisSessionStore(clients()[0]!);
      // a client learns of it by what it is told when it asks the old master
      await until(async () => {
        const users = Array.from({ length: 20 }, (_, i) => `user${i}`);
        await Promise.allSettled(users.map((user) => store.list(user, { limit: 1 }, 0)));
        return told.includes('lost') && link.isHealthy;
      });
      await link.close();
      await cluster.untilWhole();
    });
  });
});

describe('Redis with Sentinels', () => {
  let all: RedisSentinels;

  beforeAll(async () => {
    all = await RedisSentinels.start();
  });

  afterAll(() => all.close());

  describe.each(SENTINEL_CLIENTS.slice(1))('by $name', (each) => {
    redisContracts(
      each.name,
      nodesBy(each, () => all.addresses),
    );
  });

  // each takes some ten seconds
  describe.each(SENTINEL_CLIENTS.filter(({ name }) => name.startsWith('redis')))('the link by $name', (each) => {
    const clients = nodesBy(each, () => all.addresses);

    it('goes on by itself, on the new master, once the sentinels have handed over', async () => {
      const link = new RedisSessionStore(clients()[0]!, { link: true }).link()!;
      const told: string[] = [];
      link.observe({ lost: () => told.push('lost'), restored: () => told.push('restored') });
      await link.open();
      link.watch(() => undefined);
      await all.handOver();
      await until(() => told.includes('lost') && link.isHealthy);
      const { operator } = await all.master();
      expect(String(await operator.client('LIST', 'TYPE', 'PUBSUB'))).toMatch(/ sub=1 /);
      await link.close();
      await all.untilWhole();
    });
  });
});
