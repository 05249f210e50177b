import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import type { StorageOptions } from 'nestjs-session-auth';
import { redisStorage } from 'nestjs-session-auth/redis';
import { typeOrmStorage } from 'nestjs-session-auth/typeorm';
import { startLocalRedis } from '../../src/local-services/local-redis.js';
import { POSTGRES_OPTIONS } from '../../src/storage/postgres-options.js';
import { REDIS_OPTIONS } from '../../src/storage/redis-options.js';
import { NodesUnderFault, startNode } from '../support/fault-nodes.js';
import type { Fault } from '../support/fault-proxy.js';
import { checkFinality } from '../support/finality-history.js';
import { FinalityLoad } from '../support/finality-load.js';
import { PATIENCE } from '../support/patience.js';
import { createDatabaseWithTables } from '../support/postgres-database.js';
import { PostgresServer } from '../support/postgres-server.js';
import { startRedisProcess } from '../support/redis-processes.js';
import { RedisSentinels } from '../support/redis-sentinels.js';
import { StoppableNode } from '../support/stoppable-node.js';

/** Milliseconds until a fault is over: longer than a dead connection goes unnoticed. */
const OUTAGE = 300;

/** Rounds of each fault, and sessions of each round. `npm run test:faults` has twenty times as many rounds. */
const ROUNDS = process.env['FAULT_SECONDS'] === undefined ? 1 : 20;
const SESSIONS = 100;

/** All end at the same moment, while what the other node serves is still proven. */
const AT_ONCE = SESSIONS;

/**
 * Milliseconds: so long that a node that is cut off goes on serving from memory for many requests, as long as it does
 * not notice.
 */
const BOUND = 400;
const STRICT = { bound: BOUND, consistency: 'strict' } as const;

/** Milliseconds that an end may take besides the bound, on a machine that is busy with requests. */
const BUSY = 1500;

const FAULTS: readonly Fault[] = [
  { kind: 'none' },
  { kind: 'refuse' },
  { kind: 'reset' },
  { kind: 'black-hole' },
  { kind: 'delay', milliseconds: 50 },
  { kind: 'delay', milliseconds: 1000 },
];

/** With one client all faults, with the others those that nobody is told about; all in `npm run test:faults`. */
const SILENT = process.env['FAULT_SECONDS'] === undefined ? FAULTS.slice(3, 5) : FAULTS;

/** Prints what came of it, and fails where a request that was sent after the answer to its session's end passed. */
function conclude(what: string, load: FinalityLoad): void {
  const { violations, ...counts } = checkFinality(load.history, 0);
  console.log(`strict near-cache, ${what}: ${JSON.stringify({ ...counts, ...load.waits })}`);
  expect(violations).toEqual([]);
  expect(counts.seenLiveAndEnded).toBe(counts.ends);
  expect(load.waits.longest).toBeLessThan(3 * BOUND + BUSY);
}

describe.each([
  ['ioredis', FAULTS, () => NodesUnderFault.onRedis('ioredis', STRICT)],
  ['node-redis', SILENT, () => NodesUnderFault.onRedis('redis', STRICT)],
  ['PostgreSQL', SILENT, () => NodesUnderFault.onPostgres(STRICT)],
] as const)(
  'a session is refused everywhere once its end is answered, with a strict near-cache on %s',
  (name, faults, open) => {
    let nodes: NodesUnderFault;

    beforeAll(async () => {
      nodes = await open();
    });

    afterAll(() => nodes.close());

    afterEach(() => nodes.proxy.heal());

    it.each(faults)('while the connection of the other node has this fault: %j', async (fault) => {
      const load = new FinalityLoad(nodes.here, nodes.there.port, AT_ONCE);
      const begin = (): unknown => fault.kind !== 'none' && nodes.proxy.break(fault);
      await load.rounds(ROUNDS, SESSIONS, begin, async () => {
        await pause(OUTAGE);
        await nodes.proxy.heal();
      });
      conclude(`${name}, ${JSON.stringify(fault)}`, load);
    });

    it('while it is half-open', async () => {
      const load = new FinalityLoad(nodes.here, nodes.there.port, AT_ONCE);
      await load.rounds(
        ROUNDS,
        SESSIONS,
        () => nodes.proxy.cutSilently(),
        () => pause(OUTAGE),
      );
      conclude(`${name}, half-open`, load);
    });
  },
);

describe('a session is refused everywhere once its end is answered, with a strict near-cache', () => {
  it('when Redis is killed and started again meanwhile, with what it had acknowledged', async () => {
    const server = await startRedisProcess(['appendonly yes', 'appendfsync always']);
    const connect = (): Redis => new Redis(server.port, '127.0.0.1', REDIS_OPTIONS).on('error', () => undefined);
    const clients = [connect(), connect()] as const;
    const here = await startNode(redisStorage({ client: clients[0], link: true }), STRICT);
    const there = await startNode(redisStorage({ client: clients[1], link: true }), STRICT);
    const load = new FinalityLoad(here, there.port, AT_ONCE);
    const restart = async (): Promise<void> => {
      await server.kill();
      await server.restart();
    };
    await load.rounds(ROUNDS, SESSIONS, restart, () => undefined);
    await load.rounds(ROUNDS, SESSIONS, () => undefined, restart);
    conclude('restarted', load);
    for (const node of [here, there]) await node.close();
    for (const client of clients) client.disconnect();
    await server.close();
  });

  it('when PostgreSQL is stopped without a goodbye meanwhile, which loses the registry, and started again', async () => {
    const server = await PostgresServer.launch();
    const database = await createDatabaseWithTables(server.url);
    const storage = async (): Promise<StorageOptions> =>
      typeOrmStorage({ dataSource: await database.open(POSTGRES_OPTIONS), link: true });
    const here = await startNode(await storage(), STRICT);
    const there = await startNode(await storage(), STRICT);
    const load = new FinalityLoad(here, there.port, AT_ONCE);
    await load.rounds(
      ROUNDS,
      SESSIONS,
      () => server.restart(),
      () => undefined,
    );
    conclude('PostgreSQL, restarted', load);
    for (const node of [here, there]) await node.close();
    await database.close();
    await server.close();
  });

  it('when the registry of the nodes is lost', async () => {
    const server = await startLocalRedis();
    const clients = [new Redis(server.url), new Redis(server.url)] as const;
    const here = await startNode(redisStorage({ client: clients[0], link: true }), STRICT);
    const there = await startNode(redisStorage({ client: clients[1], link: true }), STRICT);
    const load = new FinalityLoad(here, there.port, AT_ONCE);
    const lose = (): Promise<number> => clients[0].del('sa:nodes');
    await load.rounds(ROUNDS, SESSIONS, lose, () => undefined);
    conclude('registry lost', load);
    for (const node of [here, there]) await node.close();
    for (const client of clients) client.disconnect();
    await server.stop();
  });

  it('when a replica took over by Sentinel', async () => {
    const sentinels = await RedisSentinels.start();
    const clients = [sentinels.connect(), sentinels.connect()] as const;
    const here = await startNode(redisStorage({ client: clients[0], link: true }), STRICT);
    const there = await startNode(redisStorage({ client: clients[1], link: true }), STRICT);
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
  let node: StoppableNode;

  beforeAll(async () => {
    // longer than it is stopped: when it goes on, what it has is still proven unless it was waited for
    node = await StoppableNode.start({ BOUND: String(3 * BOUND), CONSISTENCY: consistency }, STRICT);
  }, PATIENCE);

  afterAll(() => node.close());

  it('refuses what a strict node has ended meanwhile, from the moment that it goes on', async () => {
    const load = new FinalityLoad(node.here, node.port, AT_ONCE);
    await load.rounds(
      ROUNDS,
      SESSIONS,
      () => node.stop(),
      async (useAll) => {
        // they arrive while it stands still
        void Promise.all(useAll());
        await pause(OUTAGE);
        node.goOn();
      },
    );
    conclude(`a ${consistency} node that was stopped`, load);
  });
});
