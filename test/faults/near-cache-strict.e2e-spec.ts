import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import { redisStorage } from 'nestjs-session-auth/redis';
import { startLocalRedis } from '../../src/local-services/local-redis.js';
import { REDIS_OPTIONS } from '../../src/storage/redis-options.js';
import { TEST_SECRETS, type Bank } from '../support/bank.js';
import { buildDemo } from '../support/build.js';
import { BOUND, NodesUnderFault, startNode } from '../support/fault-nodes.js';
import type { Fault } from '../support/fault-proxy.js';
import { checkFinality } from '../support/finality-history.js';
import { FinalityLoad } from '../support/finality-load.js';
import { PATIENCE } from '../support/patience.js';
import { startRedisProcess } from '../support/redis-processes.js';
import { RedisSentinels } from '../support/redis-sentinels.js';

/** Milliseconds until a fault is over: longer than a dead connection goes unnoticed. */
const OUTAGE = 300;

/** Rounds of each fault, and sessions of each round. `npm run test:faults` has twenty times as many rounds. */
const ROUNDS = process.env['FAULT_SECONDS'] === undefined ? 1 : 20;
const SESSIONS = 100;
const AT_ONCE = 10;

/** Milliseconds that an end may take besides the bound, on a machine that is busy with requests. */
const BUSY = 1500;

const FAULTS: readonly Fault[] = [
  { kind: 'none' },
  { kind: 'refuse' },
  { kind: 'reset' },
  { kind: 'black-hole' },
  { kind: 'delay', milliseconds: 20 },
  { kind: 'delay', milliseconds: 1000 },
];

/** Prints what came of it, and fails where a request that was sent after the answer to its session's end passed. */
function conclude(what: string, load: FinalityLoad): void {
  const { violations, ...counts } = checkFinality(load.history, 0);
  console.log(`strict near-cache, ${what}: ${JSON.stringify({ ...counts, ...load.waits })}`);
  expect(violations).toEqual([]);
  expect(counts.seenLiveAndEnded).toBe(counts.ends);
  expect(load.waits.longest).toBeLessThan(BOUND + BUSY);
}

describe.each([
  ['ioredis', () => NodesUnderFault.onRedis('ioredis', 'strict')],
  ['node-redis', () => NodesUnderFault.onRedis('redis', 'strict')],
  ['PostgreSQL', () => NodesUnderFault.onPostgres('strict')],
])('a session is refused everywhere once its end is answered, with a strict near-cache on %s', (name, open) => {
  let nodes: NodesUnderFault;

  beforeAll(async () => {
    nodes = await open();
  });

  afterAll(() => nodes.close());

  afterEach(() => nodes.proxy.heal());

  it.each(FAULTS)('while the connection of the other node has this fault: %j', async (fault) => {
    const load = new FinalityLoad(nodes.here, nodes.there.port, AT_ONCE);
    for (let round = 0; round < ROUNDS; round += 1) {
      const begin = (): unknown => fault.kind !== 'none' && nodes.proxy.break(fault);
      await load.round(SESSIONS, begin, async () => {
        await pause(OUTAGE);
        await nodes.proxy.heal();
      });
    }
    conclude(`${name}, ${JSON.stringify(fault)}`, load);
  });

  it('while it is half-open', async () => {
    const load = new FinalityLoad(nodes.here, nodes.there.port, AT_ONCE);
    for (let round = 0; round < ROUNDS; round += 1) {
      await load.round(
        SESSIONS,
        () => nodes.proxy.cutSilently(),
        () => pause(OUTAGE),
      );
    }
    conclude(`${name}, half-open`, load);
  });
});

describe('a session is refused everywhere once its end is answered, with a strict near-cache', () => {
  it('when Redis is killed and started again meanwhile, with what it had acknowledged', async () => {
    const server = await startRedisProcess(['appendonly yes', 'appendfsync always']);
    const connect = (): Redis => new Redis(server.port, '127.0.0.1', REDIS_OPTIONS).on('error', () => undefined);
    const clients = [connect(), connect()] as const;
    const here = await startNode(redisStorage({ client: clients[0], link: true }), 'strict');
    const there = await startNode(redisStorage({ client: clients[1], link: true }), 'strict');
    const load = new FinalityLoad(here, there.port, AT_ONCE);
    const restart = async (): Promise<void> => {
      await server.kill();
      await server.restart();
    };
    for (let round = 0; round < ROUNDS; round += 1) await load.round(SESSIONS, restart, () => undefined);
    for (let round = 0; round < ROUNDS; round += 1) await load.round(SESSIONS, () => undefined, restart);
    conclude('restarted', load);
    for (const node of [here, there]) await node.close();
    for (const client of clients) client.disconnect();
    await server.close();
  });

  it('when the registry of the nodes is lost', async () => {
    const server = await startLocalRedis();
    const clients = [new Redis(server.url), new Redis(server.url)] as const;
    const here = await startNode(redisStorage({ client: clients[0], link: true }), 'strict');
    const there = await startNode(redisStorage({ client: clients[1], link: true }), 'strict');
    const load = new FinalityLoad(here, there.port, AT_ONCE);
    const lose = (): Promise<number> => clients[0].del('sa:nodes');
    for (let round = 0; round < ROUNDS; round += 1) await load.round(SESSIONS, lose, () => undefined);
    conclude('registry lost', load);
    for (const node of [here, there]) await node.close();
    for (const client of clients) client.disconnect();
    await server.stop();
  });

  it('when a replica took over by Sentinel', async () => {
    const sentinels = await RedisSentinels.start();
    const clients = [sentinels.connect(), sentinels.connect()] as const;
    const here = await startNode(redisStorage({ client: clients[0], link: true }), 'strict');
    const there = await startNode(redisStorage({ client: clients[1], link: true }), 'strict');
    const load = new FinalityLoad(here, there.port, AT_ONCE);
    const handOver = async (): Promise<void> => {
      await sentinels.handOver();
      // writes are refused before
      await sentinels.untilWhole();
    };
    await load.round(SESSIONS, handOver, () => undefined);
    conclude('planned failover', load);
    for (const node of [here, there]) await node.close();
    await sentinels.close();
  });
});

describe.each([['bounded'], ['strict']] as const)('a node that is stopped, with a %s near-cache', (consistency) => {
  let child: ChildProcess;
  let port: number;
  let here: Bank;
  let client: Redis;
  let stop: () => Promise<void>;

  beforeAll(async () => {
    await buildDemo();
    const server = await startLocalRedis();
    const env = {
      ...process.env,
      REDIS_URL: server.url,
      NAMESPACE: 'sa:',
      SECRET: TEST_SECRETS[0],
      // longer than that of the node that waits
      BOUND: String(3 * BOUND),
      CONSISTENCY: consistency,
    };
    child = spawn(process.execPath, ['test/near-cache/node-program.mjs'], {
      env,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [printed] = (await once(child.stdout!, 'data')) as [Buffer];
    port = Number(printed.toString());
    client = new Redis(server.url);
    here = await startNode(redisStorage({ client, link: true }), 'strict');
    stop = () => server.stop();
  }, PATIENCE);

  afterAll(async () => {
    child.kill('SIGKILL');
    await here.close();
    client.disconnect();
    await stop();
  });

  it('refuses what a strict node has ended meanwhile, from the moment that it goes on', async () => {
    const load = new FinalityLoad(here, port, AT_ONCE);
    for (let round = 0; round < ROUNDS; round += 1) {
      await load.round(
        SESSIONS,
        () => child.kill('SIGSTOP'),
        async (useAll) => {
          // they arrive while it stands still
          void Promise.all(useAll());
          await pause(OUTAGE);
          child.kill('SIGCONT');
        },
      );
    }
    conclude(`a ${consistency} node that was stopped`, load);
  });
});
