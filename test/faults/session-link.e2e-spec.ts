import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import type { SessionLink, SessionStore } from 'nestjs-session-auth';
import { RedisSessionStore } from 'nestjs-session-auth/redis';
import { TypeOrmSessionStore } from 'nestjs-session-auth/typeorm';
import { createSturdyClient } from '../../examples/redis-outage/node-redis-client.js';
import { startLocalRedis } from '../../src/local-services/local-redis.js';
import { REDIS_OPTIONS } from '../../src/storage/redis-options.js';
import { FaultProxy, type Fault } from '../support/fault-proxy.js';
import { until } from '../support/patience.js';
import { createDatabaseWithTables } from '../support/postgres-database.js';
import type { ConnectedClient } from '../support/redis-clients.js';
import { RunningTime } from '../support/running-time.js';
import { newRecord, NO_LIMIT, NOW } from '../support/session-records.js';

/** Milliseconds until a link that drops is noticed. */
const BOUND = 250;

/** How much later a machine may be that runs other things: its timers, and the reading of what has arrived. */
const SLACK = 100;

const FAULTS: readonly Exclude<Fault, { kind: 'none' }>[] = [
  { kind: 'refuse' },
  { kind: 'reset' },
  { kind: 'black-hole' },
  { kind: 'delay', milliseconds: 1000 },
];

/** A node whose link goes through a proxy, and one that ends sessions past it. */
interface Nodes {
  readonly proxy: FaultProxy;
  readonly store: SessionStore;
  readonly other: SessionStore;
  close(): Promise<void>;
}

async function onRedis(connect: (url: string) => ConnectedClient): Promise<Nodes> {
  const server = await startLocalRedis();
  const proxy = await FaultProxy.start(server.port);
  const connected = connect(proxy.through(server.url));
  const past = new Redis(server.url);
  return {
    proxy,
    store: new RedisSessionStore(connected.client, { link: true }),
    other: new RedisSessionStore(past, { link: true }),
    close: async () => {
      connected.close();
      past.disconnect();
      await proxy.close();
      await server.stop();
    },
  };
}

function byIoredis(url: string): ConnectedClient {
  const client = new Redis(url, { ...REDIS_OPTIONS, socketTimeout: 500 }).on('error', () => undefined);
  return { client, close: () => client.disconnect() };
}

function byNodeRedis(url: string): ConnectedClient {
  const client = createSturdyClient(url, () => undefined);
  void client.connect().catch(() => undefined);
  return { client, close: () => void client.destroy() };
}

async function onPostgres(): Promise<Nodes> {
  const database = await createDatabaseWithTables();
  const proxy = await FaultProxy.start(Number(new URL(database.url).port));
  const dataSource = await database.open();
  return {
    proxy,
    store: new TypeOrmSessionStore(dataSource, { link: { url: proxy.through(database.url) } }),
    other: new TypeOrmSessionStore(dataSource, { link: true }),
    close: async () => {
      await proxy.close();
      await database.close();
    },
  };
}

describe.each([
  ['Redis', () => onRedis(byIoredis)],
  ['Redis by node-redis', () => onRedis(byNodeRedis)],
  ['PostgreSQL', onPostgres],
])('the link to %s', (_name, open) => {
  let nodes: Nodes;
  let link: SessionLink;
  let told: string[];

  beforeAll(async () => {
    nodes = await open();
  });

  afterAll(() => nodes.close());

  beforeEach(async () => {
    link = nodes.store.link!()!;
    told = [];
    link.observe({ lost: () => told.push('lost'), restored: () => told.push('restored') });
    await link.open();
  });

  afterEach(async () => {
    await nodes.proxy.heal();
    await link.close();
  });

  /** Ends sessions until the link tells of one. It is lost now and then on a machine that stands still for a moment. */
  function untilHeard(heard: readonly string[]): Promise<void> {
    return until(async () => {
      const record = newRecord('alice');
      await nodes.other.create(record, NO_LIMIT, NOW);
      await until(() => link.isHealthy);
      told.length = 0;
      await nodes.other.delete(record.digest, NOW);
      await until(() => heard.includes(record.id) || told.includes('lost'));
      return heard.includes(record.id) && told.length === 0;
    });
  }

  const faults = [
    ...FAULTS.map((fault) => [fault.kind, () => nodes.proxy.break(fault)] as const),
    ['half-open', async () => nodes.proxy.cutSilently()] as const,
  ];

  it.each(faults)('is found lost within 250 ms, and comes back: %s', async (_kind, begin) => {
    const delays: number[] = [];
    for (let round = 0; round < 5; round += 1) {
      await until(() => link.isHealthy);
      const during = newRecord('alice');
      const heard: string[] = [];
      const unwatch = link.watch(({ id }) => heard.push(id!));
      await nodes.other.create(during, NO_LIMIT, NOW);
      await untilHeard(heard);
      const time = new RunningTime();
      await begin();
      await until(() => told.includes('lost'));
      delays.push(time.elapsed);
      time.stop();
      await nodes.other.delete(during.digest, NOW);
      await nodes.proxy.heal();
      await until(() => link.isHealthy);
      expect(told.at(-1)).toBe('restored');
      // it may be lost once more, when the client of the store has connected as well
      await untilHeard(heard);
      unwatch();
    }
    expect(Math.max(...delays)).toBeLessThanOrEqual(BOUND + SLACK);
  });

  it('rejects with session_store_unavailable if it is opened while the backend is down', async () => {
    await link.close();
    await nodes.proxy.break({ kind: 'refuse' });
    const other = nodes.store.link!()!;
    await expect(other.open()).rejects.toMatchObject({ name: 'SessionAuthError', code: 'session_store_unavailable' });
    await nodes.proxy.heal();
    await until(() => other.isHealthy);
    await other.close();
  });

  it('stays healthy while messages are slow, as long as they come', async () => {
    const heard: string[] = [];
    link.watch(({ id }) => heard.push(id!));
    await nodes.proxy.break({ kind: 'delay', milliseconds: 20 });
    // several heartbeats long, once: the machine may stand still meanwhile
    await until(async () => {
      await untilHeard(heard);
      await pause(500);
      return told.length === 0;
    });
  });

  it('leaves no end unknown to who looks at the store when it is restored', async () => {
    const live = new Map<string, string>();
    const known = new Set<string>();
    let looking: Promise<unknown> = Promise.resolve();
    const look = async (): Promise<void> => {
      for (const [id, digest] of [...live]) {
        const { status } = await nodes.other.find(digest, { now: NOW, idle: 1, interval: 1e12 });
        if (status === 'absent') known.add(id);
      }
    };
    link.watch(({ id }) => known.add(id!));
    const stop = link.observe({ restored: () => void (looking = looking.then(look)) });
    const ended: string[] = [];
    for (let round = 0; round < 40; round += 1) {
      const records = Array.from({ length: 10 }, () => newRecord('alice'));
      for (const { id, digest } of records) live.set(id, digest);
      for (const record of records) await nodes.other.create(record, NO_LIMIT, NOW);
      const ends = records.slice(1).map(({ digest }) => nodes.other.delete(digest, NOW));
      if (round % 4 === 1) nodes.proxy.reset();
      if (round % 8 === 3) nodes.proxy.cutSilently();
      await Promise.all(ends);
      ended.push(...records.slice(1).map(({ id }) => id));
    }
    await until(async () => {
      await looking;
      return link.isHealthy && ended.every((id) => known.has(id));
    });
    stop();
    await looking;
    expect([...known].sort()).toEqual([...ended].sort());
  });
});
