import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import type { StorageOptions } from 'nestjs-session-auth';
import { redisStorage, type RedisClient } from 'nestjs-session-auth/redis';
import { createSturdyClient } from '../../examples/redis-outage/node-redis-client.js';
import type { Backend } from '../support/bank.js';
import { FaultProxy } from '../support/fault-proxy.js';
import { clientAt, startNearNode, untilCached, type NearNode } from '../support/near-nodes.js';
import { until } from '../support/patience.js';
import { startRedisProcess, untilTrue, type RedisProcess } from '../support/redis-processes.js';

const backendOf = (storage: StorageOptions): Backend => ({
  storage,
  linkedStorage: storage,
  redis: undefined,
  namespace: '',
  close: () => Promise.resolve(),
});

/** Behind one name or address, as a managed Redis is: nobody tells the clients of a failover. */
describe.each(['ioredis', 'redis'] as const)('a failover behind one address, by %s', (by) => {
  let before: RedisProcess;
  let after: RedisProcess;
  let proxy: FaultProxy;
  let elsewhere: Redis;
  let close: () => unknown;
  let here: NearNode;
  let there: NearNode | undefined;

  beforeEach(async () => {
    before = await startRedisProcess([]);
    after = await startRedisProcess([`replicaof 127.0.0.1 ${before.port}`]);
    proxy = await FaultProxy.start(before.port);
    const url = `redis://127.0.0.1:${proxy.port}`;
    let client: RedisClient;
    if (by === 'ioredis') {
      const ioredis = new Redis(url).on('error', () => undefined);
      [client, close] = [ioredis, () => ioredis.disconnect()];
    } else {
      const sturdy = createSturdyClient(url, () => undefined);
      await sturdy.connect();
      [client, close] = [sturdy, () => sturdy.destroy()];
    }
    elsewhere = new Redis(after.port, '127.0.0.1', { lazyConnect: true });
    here = await startNearNode(backendOf(redisStorage({ client, link: true })));
  });

  afterEach(async () => {
    await here.close();
    await there?.close();
    close();
    elsewhere.disconnect();
    await proxy.close();
    await after.close();
    await before.close();
  });

  it('does not leave the link at a server that the client has left', async () => {
    const alice = here.client();
    await alice.login('alice', { rememberMe: false });
    await untilCached(here, alice);
    await untilTrue('the replica has it all', async () => (await before.operator.wait(1, 1000)) === 1);
    await after.operator.replicaof('NO', 'ONE');
    proxy.retarget(after.port);
    // the old master closes the connections of commands, as after READONLY, and not that of the link
    await before.operator.client('KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
    there = await startNearNode(backendOf(redisStorage({ client: elsewhere, link: true })));
    expect((await clientAt(there, alice).post('/auth/logout')).status).toBe(204);
    await until(async () => !(await alice.isSignedIn()));
  });
});
