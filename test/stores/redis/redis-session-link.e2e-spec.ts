import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { Redis, type Cluster, type RedisOptions } from 'ioredis';
import { RedisSessionStore } from 'nestjs-session-auth/redis';
import { sessionLinkContract, type MakeSessionStore } from 'nestjs-session-auth/testing';
import { startLocalRedis, type LocalRedis } from '../../../src/local-services/local-redis.js';
import { digestOf, issueSessionToken } from '../../../libs/session-auth/src/crypto/session-token.js';
import { RedisCluster } from '../../support/redis-cluster.js';
import { countCommands } from '../../support/command-count.js';
import { RedisSentinels } from '../../support/redis-sentinels.js';
import { HOUR, MINUTE, newRecord, NOW } from '../../support/session-records.js';

let server: LocalRedis;
const clients: Redis[] = [];

beforeAll(async () => {
  server = await startLocalRedis();
});

afterAll(async () => {
  for (const client of clients) client.disconnect();
  await server.stop();
});

/** Two nodes with a client each. */
function twoNodes(connect: () => Redis | Cluster): MakeSessionStore {
  let connected: readonly (Redis | Cluster)[] | undefined;
  return () => {
    const [first, second] = (connected ??= [connect(), connect()]);
    const options = { namespace: `${randomUUID()}:`, link: true };
    return Promise.resolve({
      store: new RedisSessionStore(first!, options),
      another: () => Promise.resolve(new RedisSessionStore(second!, options)),
      close: () => Promise.resolve(),
    });
  };
}

function standalone(options: RedisOptions = {}): () => Redis {
  return () => {
    const client = new Redis(server.url, options);
    clients.push(client);
    return client;
  };
}

sessionLinkContract('RedisSessionStore', twoNodes(standalone()));
sessionLinkContract(
  'RedisSessionStore with options of the client',
  twoNodes(
    standalone({ keyPrefix: 'shop:', enableAutoPipelining: true, stringNumbers: true, db: 3, socketTimeout: 500 }),
  ),
);

describe.each([
  ['a Redis Cluster', () => RedisCluster.start()],
  ['Redis with Sentinels', () => RedisSentinels.start()],
] as const)('%s', (_name, start) => {
  let topology: RedisCluster | RedisSentinels;

  beforeAll(async () => {
    topology = await start();
  });

  afterAll(() => topology.close());

  sessionLinkContract(
    'RedisSessionStore',
    twoNodes(() => topology.connect()),
  );
});

describe('the connections of a node', () => {
  let operator: Redis;
  let client: Redis;

  beforeEach(() => {
    operator = new Redis(server.url);
    client = standalone({ connectionName: randomUUID() })();
  });

  afterEach(() => operator.disconnect());

  const subscribers = async (): Promise<number> => {
    const list = String(await operator.client('LIST'));
    return list.split('\n').filter((line) => line.includes(client.options.connectionName!) && / sub=[1-9]/.test(line))
      .length;
  };

  it('are one for all realms, from the first session that is watched until the last link is closed', async () => {
    const stores = [new RedisSessionStore(client, { link: true }), new RedisSessionStore(client, { link: true })];
    const links = [stores[0]!.link()!, stores[1]!.ofRealm('staff').link()!];
    await client.ping();
    expect(await subscribers()).toBe(0);
    for (const link of links) {
      link.watch(() => undefined);
      await link.open();
    }
    expect(await subscribers()).toBe(1);
    await links[0]!.close();
    expect([links[0]!.isHealthy, links[1]!.isHealthy, await subscribers()]).toEqual([false, true, 1]);
    await links[1]!.close();
    while ((await subscribers()) > 0);
  });

  it('cost the stores no command: the scripts publish the signals', async () => {
    const namespace = `${randomUUID()}:`;
    const link = new RedisSessionStore(client, { namespace, link: true }).link()!;
    await link.open();
    const counts = [];
    for (const isOn of [true, false]) {
      const store = new RedisSessionStore(client, { namespace, link: isOn });
      const visit = async (): Promise<void> => {
        const records = Array.from({ length: 4 }, (_, i) =>
          newRecord('alice', { digest: digestOf(issueSessionToken('alice')), createdAt: NOW - 9 + i }),
        );
        for (const record of records) await store.create(record, { max: 3, onLimit: 'evict-oldest' }, NOW);
        await store.find(records[1]!.digest, { now: NOW, idle: HOUR, interval: MINUTE });
        await store.rotate(records[1]!.digest, { revision: 0, now: NOW, changes: { roles: ['admin'] } });
        await store.updateByUser('alice', { roles: [] }, NOW);
        await store.delete(records[1]!.digest, NOW, 'logout');
        await store.deleteByUser('alice', { limit: 10 }, NOW);
      };
      // every script once, so that none is sent in full
      await visit();
      counts.push(await countCommands(operator, visit));
    }
    await link.close();
    const [on, off] = counts;
    expect(on!.sent).toBe(off!.sent);
    // an eviction, two changes, two ends; nothing for a read
    // the time to live of an index is set again when milliseconds have passed
    expect({ ...on!.byName, pexpire: 0 }).toEqual({ ...off!.byName, publish: 5, pexpire: 0 });
  });

  it('do not exist without the option, and nothing is published', async () => {
    expect(new RedisSessionStore(client).link()).toBeUndefined();
    await operator.config('RESETSTAT');
    const store = new RedisSessionStore(client, { namespace: `${randomUUID()}:` });
    await store.deleteByUser('alice', { limit: 1 }, 0);
    await store.updateByUser('alice', { roles: [] }, 0);
    expect(await operator.info('commandstats')).not.toMatch(/cmdstat_publish/);
  });
});
