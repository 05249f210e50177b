import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import { redisStorage } from 'nestjs-session-auth/redis';
import { typeOrmStorage } from 'nestjs-session-auth/typeorm';
import { POSTGRES_OPTIONS } from '../../src/storage/postgres-options.js';
import { REDIS_OPTIONS } from '../../src/storage/redis-options.js';
import { BOUND, NodesUnderFault, startNode } from '../support/fault-nodes.js';
import type { Fault } from '../support/fault-proxy.js';
import { checkFinality } from '../support/finality-history.js';
import { FinalityLoad } from '../support/finality-load.js';
import { ownRedis } from '../support/own-backends.js';
import { PATIENCE } from '../support/patience.js';
import { createDatabaseWithTables } from '../support/postgres-database.js';
import { PostgresServer } from '../support/postgres-server.js';
import { startRedisProcess } from '../support/redis-processes.js';
import { SENTINEL_CLIENTS } from '../support/redis-clients.js';
import { RedisSentinels } from '../support/redis-sentinels.js';
import { StoppableNode } from '../support/stoppable-node.js';

/** Milliseconds until a fault is over: longer than a dead connection goes unnoticed. */
const OUTAGE = 500;

/** Rounds of each fault, and sessions of each round. `npm run test:faults` has ten times as many rounds. */
const ROUNDS = process.env['FAULT_SECONDS'] === undefined ? 2 : 20;
const SESSIONS = 40;

const FAULTS: readonly Fault[] = [
  { kind: 'none' },
  { kind: 'refuse' },
  { kind: 'reset' },
  { kind: 'black-hole' },
  { kind: 'delay', milliseconds: 100 },
  { kind: 'delay', milliseconds: 1000 },
];

/** Prints what came of it, and fails where a request was let pass that must not be. */
function conclude(what: string, load: FinalityLoad): void {
  const { violations, ...counts } = checkFinality(load.history, BOUND);
  console.log(`near-cache, ${what}: ${JSON.stringify(counts)}`);
  expect(violations).toEqual([]);
  expect(counts.seenLiveAndEnded).toBe(counts.ends);
}

describe.each([
  ['Redis', () => NodesUnderFault.onRedis('ioredis')],
  ['Redis by node-redis', () => NodesUnderFault.onRedis('redis')],
  ['PostgreSQL', () => NodesUnderFault.onPostgres()],
])('a session that has ended is refused within the bound, on %s', (name, open) => {
  let nodes: NodesUnderFault;

  beforeAll(async () => {
    nodes = await open();
  });

  afterAll(() => nodes.close());

  afterEach(() => nodes.proxy.heal());

  it.each(FAULTS)('while its connection has this fault: %j', async (fault) => {
    const load = new FinalityLoad(nodes.here, nodes.there);
    const begin = (): unknown => fault.kind !== 'none' && nodes.proxy.break(fault);
    await load.rounds(ROUNDS, SESSIONS, begin, async () => {
      // what is served is served for as long as the bound at least
      await pause(OUTAGE);
      await nodes.proxy.heal();
    });
    conclude(`${name}, ${JSON.stringify(fault)}`, load);
  });

  it('while it is half-open', async () => {
    const load = new FinalityLoad(nodes.here, nodes.there);
    await load.rounds(
      ROUNDS,
      SESSIONS,
      () => nodes.proxy.cutSilently(),
      () => pause(OUTAGE),
    );
    conclude(`${name}, half-open`, load);
  });
});

describe('a session that has ended is refused within the bound', () => {
  it('after Redis was killed and started again, with what it had acknowledged', async () => {
    const server = await startRedisProcess(['appendonly yes', 'appendfsync always']);
    const connect = (): Redis => new Redis(server.port, '127.0.0.1', REDIS_OPTIONS).on('error', () => undefined);
    const clients = [connect(), connect()];
    const [here, there] = [
      await startNode(redisStorage({ client: clients[0]!, link: true })),
      await startNode(redisStorage({ client: clients[1]!, link: true })),
    ];
    const load = new FinalityLoad(here, there);
    await load.rounds(
      ROUNDS,
      SESSIONS,
      () => undefined,
      async () => {
        await server.kill();
        await server.restart();
      },
    );
    conclude('Redis, restarted', load);
    for (const node of [here, there]) await node.close();
    for (const client of clients) client.disconnect();
    await server.close();
  });

  it('after PostgreSQL was stopped without a goodbye and started again', async () => {
    const server = await PostgresServer.launch();
    const database = await createDatabaseWithTables(server.url);
    const [here, there] = [
      await startNode(typeOrmStorage({ dataSource: await database.open(POSTGRES_OPTIONS), link: true })),
      await startNode(typeOrmStorage({ dataSource: await database.open(POSTGRES_OPTIONS), link: true })),
    ];
    const load = new FinalityLoad(here, there);
    await load.rounds(
      ROUNDS,
      SESSIONS,
      () => undefined,
      () => server.restart(),
    );
    conclude('PostgreSQL, restarted', load);
    for (const node of [here, there]) await node.close();
    await database.close();
    await server.close();
  });

  it.each(SENTINEL_CLIENTS.filter(({ name }) => ['ioredis 5', 'redis 6'].includes(name)))(
    'after the master was killed and Sentinel chose another one, by $name',
    async (library) => {
      const sentinels = await RedisSentinels.start();
      const clients = [await library.connect(sentinels.addresses), await library.connect(sentinels.addresses)];
      const [here, there] = [
        await startNode(redisStorage({ client: clients[0]!.client, link: true })),
        await startNode(redisStorage({ client: clients[1]!.client, link: true })),
      ];
      const load = new FinalityLoad(here, there);
      for (let round = 0; round < 2; round += 1) {
        const master = await sentinels.master();
        await load.round(
          SESSIONS,
          async () => {
            await master.kill();
            await sentinels.untilMasterIsNot(master);
          },
          async () => {
            await master.restart();
            await sentinels.untilWhole();
          },
        );
      }
      conclude(`Sentinel, the master killed, ${library.name}`, load);
      for (const node of [here, there]) await node.close();
      for (const client of clients) client.close();
      await sentinels.close();
    },
  );

  it('after a replica took over by Sentinel', async () => {
    const sentinels = await RedisSentinels.start();
    const clients = [sentinels.connect(), sentinels.connect()];
    const [here, there] = [
      await startNode(redisStorage({ client: clients[0]!, link: true })),
      await startNode(redisStorage({ client: clients[1]!, link: true })),
    ];
    const load = new FinalityLoad(here, there);
    const handOver = async (): Promise<void> => {
      await sentinels.handOver();
      // writes are refused before
      await sentinels.untilWhole();
    };
    await load.rounds(2, SESSIONS, handOver, () => undefined);
    conclude('Sentinel, planned failover', load);
    for (const node of [here, there]) await node.close();
    await sentinels.close();
  });
});

describe('a node that stands still', () => {
  let node: StoppableNode;

  beforeAll(async () => {
    node = await StoppableNode.start(await ownRedis(), { bound: BOUND, consistency: 'bounded' });
  }, PATIENCE);

  afterAll(() => node.close());

  it('refuses sessions that ended meanwhile within the bound, when it continues', async () => {
    // its heartbeats are too frequent to tell a read from them
    const load = new FinalityLoad(node.here, { port: node.port });
    await load.rounds(
      ROUNDS,
      SESSIONS,
      () => node.stop(),
      async (useAll) => {
        await pause(OUTAGE);
        // they arrive while it stands still, later than the bound
        void Promise.all(useAll());
        await pause(50);
        node.goOn();
      },
    );
    conclude('Redis, a node that was stopped', load);
  });
});
