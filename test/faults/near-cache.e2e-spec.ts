import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import { redisStorage } from 'nestjs-session-auth/redis';
import { typeOrmStorage } from 'nestjs-session-auth/typeorm';
import { Client } from 'pg';
import { startLocalPostgres } from '../../src/local-services/local-postgres.js';
import { startLocalRedis } from '../../src/local-services/local-redis.js';
import { POSTGRES_OPTIONS } from '../../src/storage/postgres-options.js';
import { REDIS_OPTIONS } from '../../src/storage/redis-options.js';
import { TEST_SECRETS, type Bank } from '../support/bank.js';
import { buildDemo } from '../support/build.js';
import { BOUND, NodesUnderFault, startNode } from '../support/fault-nodes.js';
import type { Fault } from '../support/fault-proxy.js';
import { checkFinality } from '../support/finality-history.js';
import { FinalityLoad } from '../support/finality-load.js';
import { PATIENCE } from '../support/patience.js';
import { createDatabaseWithTables } from '../support/postgres-database.js';
import { PostgresServer } from '../support/postgres-server.js';
import { startRedisProcess } from '../support/redis-processes.js';
import { SENTINEL_CLIENTS } from '../support/redis-clients.js';
import { RedisSentinels } from '../support/redis-sentinels.js';

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
    const load = new FinalityLoad(nodes.here, nodes.there.port);
    for (let round = 0; round < ROUNDS; round += 1) {
      const begin = (): unknown => fault.kind !== 'none' && nodes.proxy.break(fault);
      await load.round(SESSIONS, begin, async () => {
        // what is served is served for as long as the bound at least
        await pause(OUTAGE);
        await nodes.proxy.heal();
      });
    }
    conclude(`${name}, ${JSON.stringify(fault)}`, load);
  });

  it('while it is half-open', async () => {
    const load = new FinalityLoad(nodes.here, nodes.there.port);
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

describe('a session that has ended is refused within the bound', () => {
  it('after Redis was killed and started again, with what it had acknowledged', async () => {
    const server = await startRedisProcess(['appendonly yes', 'appendfsync always']);
    const connect = (): Redis => new Redis(server.port, '127.0.0.1', REDIS_OPTIONS).on('error', () => undefined);
    const clients = [connect(), connect()];
    const [here, there] = [
      await startNode(redisStorage({ client: clients[0]!, link: true })),
      await startNode(redisStorage({ client: clients[1]!, link: true })),
    ];
    const load = new FinalityLoad(here, there.port);
    for (let round = 0; round < ROUNDS; round += 1) {
      await load.round(
        SESSIONS,
        () => undefined,
        async () => {
          await server.kill();
          await server.restart();
        },
      );
    }
    conclude('Redis, restarted', load);
    for (const node of [here, there]) await node.close();
    for (const client of clients) client.disconnect();
    await server.close();
  });

  it('after PostgreSQL was stopped without a goodbye and started again', async () => {
    const service = await startLocalPostgres();
    const client = new Client({ connectionString: service.url });
    await client.connect();
    // the servers of tests may forget the last moments before a crash
    await client.query('ALTER ROLE postgres SET synchronous_commit = on');
    const { rows } = await client.query<{ data_directory: string }>('SHOW data_directory');
    await client.end();
    const server = await PostgresServer.at(rows[0]!.data_directory);
    const database = await createDatabaseWithTables(service.url);
    const [here, there] = [
      await startNode(typeOrmStorage({ dataSource: await database.open(POSTGRES_OPTIONS), link: true })),
      await startNode(typeOrmStorage({ dataSource: await database.open(POSTGRES_OPTIONS), link: true })),
    ];
    const load = new FinalityLoad(here, there.port);
    const restart = async (): Promise<void> => {
      await server.stop('immediate');
      await server.start();
    };
    for (let round = 0; round < ROUNDS; round += 1) await load.round(SESSIONS, () => undefined, restart);
    conclude('PostgreSQL, restarted', load);
    for (const node of [here, there]) await node.close();
    await database.close();
    await server.stop('immediate');
    await service.stop();
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
      const load = new FinalityLoad(here, there.port);
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
    const load = new FinalityLoad(here, there.port);
    const handOver = async (): Promise<void> => {
      await sentinels.handOver();
      // writes are refused before
      await sentinels.untilWhole();
    };
    for (let round = 0; round < 2; round += 1) await load.round(SESSIONS, handOver, () => undefined);
    conclude('Sentinel, planned failover', load);
    for (const node of [here, there]) await node.close();
    await sentinels.close();
  });
});

describe('a node that stands still', () => {
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
      BOUND: String(BOUND),
    };
    child = spawn(process.execPath, ['test/near-cache/node-program.mjs'], {
      env,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [printed] = (await once(child.stdout!, 'data')) as [Buffer];
    port = Number(printed.toString());
    client = new Redis(server.url);
    here = await startNode(redisStorage({ client, link: true }));
    stop = () => server.stop();
  }, PATIENCE);

  afterAll(async () => {
    child.kill('SIGKILL');
    await here.close();
    client.disconnect();
    await stop();
  });

  it('refuses sessions that ended meanwhile within the bound, when it continues', async () => {
    const load = new FinalityLoad(here, port);
    for (let round = 0; round < ROUNDS; round += 1) {
      await load.round(
        SESSIONS,
        () => child.kill('SIGSTOP'),
        async (useAll) => {
          await pause(OUTAGE);
          // they arrive while it stands still, later than the bound
          void Promise.all(useAll());
          await pause(50);
          child.kill('SIGCONT');
        },
      );
    }
    conclude('Redis, a node that was stopped', load);
  });
});
