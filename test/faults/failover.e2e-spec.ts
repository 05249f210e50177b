import { afterAll, beforeAll, describe, it } from '@jest/globals';
import type { Cluster, Redis } from 'ioredis';
import { redisStorage } from 'nestjs-session-auth/redis';
import { startBank, type Bank } from '../support/bank.js';
import { liveThrough } from '../support/outage.js';
import { RedisCluster } from '../support/redis-cluster.js';
import type { RedisProcess } from '../support/redis-processes.js';
import { RedisSentinels } from '../support/redis-sentinels.js';

const STORE_TIMEOUT = 500;

/** Redis acknowledges before it replicates: what a killed master had not sent on is gone, one request a customer. */
const IN_FLIGHT = 12;

async function startNodes(connect: () => Redis | Cluster): Promise<Bank[]> {
  const options = { storeTimeout: STORE_TIMEOUT, concurrency: { max: 100 } };
  const nodes: Bank[] = [];
  for (const adapter of ['express', 'fastify'] as const) {
    const client = connect();
    await client.get('ready?');
    const backend = {
      storage: redisStorage({ client }),
      redis: undefined,
      namespace: '',
      close: async () => undefined,
    };
    nodes.push(await startBank({ adapter, backend, options }));
  }
  return nodes;
}

describe('customers of a bank on a Redis Cluster', () => {
  let cluster: RedisCluster;
  let banks: Bank[];

  beforeAll(async () => {
    cluster = await RedisCluster.start();
    banks = await startNodes(() => cluster.connect());
  });

  afterAll(async () => {
    for (const bank of banks) await bank.close();
    await cluster.close();
  });

  it('lose nothing when a replica takes over as planned', async () => {
    let former: RedisProcess;
    await liveThrough({
      what: 'Redis Cluster, planned failover',
      banks,
      storeTimeout: STORE_TIMEOUT,
      failures: 0,
      begin: async () => {
        const { master, replica } = await cluster.membersOf(await someKeyOf(cluster));
        former = master;
        await replica.operator.cluster('FAILOVER');
      },
      end: async () => {
        await cluster.untilNoMaster(former);
        await cluster.untilWhole();
      },
    });
  });

  it('lose at most what Redis loses when the master of some of them is killed', async () => {
    let killed: RedisProcess;
    await liveThrough({
      what: 'Redis Cluster, a master killed',
      banks,
      storeTimeout: STORE_TIMEOUT,
      failures: 1,
      mayLose: IN_FLIGHT,
      begin: async () => {
        const { master } = await cluster.membersOf(await someKeyOf(cluster));
        killed = master;
        await master.kill();
      },
      end: async () => {
        await cluster.untilNoMaster(killed);
        await killed.restart();
        await cluster.untilWhole();
      },
    });
  });
});

/** A key that customers use: all of them would be at other masters only by chance. */
async function someKeyOf(cluster: RedisCluster): Promise<string> {
  const [key] = await cluster.keys('sa:');
  return key![0];
}

describe('customers of a bank on Redis with Sentinels', () => {
  let all: RedisSentinels;
  let banks: Bank[];

  beforeAll(async () => {
    all = await RedisSentinels.start();
    banks = await startNodes(() => all.connect());
  });

  afterAll(async () => {
    for (const bank of banks) await bank.close();
    await all.close();
  });

  it('lose at most what Redis loses when the master is killed, and when it comes back as a replica', async () => {
    const master = await all.master();
    await liveThrough({
      what: 'Sentinel, the master killed',
      banks,
      storeTimeout: STORE_TIMEOUT,
      failures: 1,
      mayLose: IN_FLIGHT,
      begin: () => master.kill(),
      end: async () => {
        await all.untilMasterIsNot(master);
        await master.restart();
        await all.untilWhole();
      },
    });
  });

  it('go on when the sentinels hand over', async () => {
    await liveThrough({
      what: 'Sentinel, handed over',
      banks,
      storeTimeout: STORE_TIMEOUT,
      failures: 0,
      mayLose: IN_FLIGHT,
      begin: () => all.handOver(),
      end: () => all.untilWhole(),
    });
  });
});
