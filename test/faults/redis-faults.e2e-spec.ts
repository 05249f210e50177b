import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import { startLocalRedis, type LocalRedis } from '../../src/local-services/local-redis.js';
import { REDIS_OPTIONS } from '../../src/storage/redis-options.js';
import type { BankClient } from '../support/bank-client.js';
import { openBackend, startBank, type Backend, type Bank } from '../support/bank.js';
import { FaultProxy, type Fault } from '../support/fault-proxy.js';
import { ManualClock } from '../support/manual-clock.js';
import { liveThrough } from '../support/outage.js';
import { until } from '../support/patience.js';
import { RunningTime } from '../support/running-time.js';

const STORE_TIMEOUT = 400;

const FAULTS: readonly Exclude<Fault, { kind: 'none' }>[] = [
  { kind: 'refuse' },
  { kind: 'reset' },
  { kind: 'black-hole' },
  { kind: 'delay', milliseconds: 2 * STORE_TIMEOUT },
];

/** Blocks this process, its event loop and all, as a long computation does. */
function standStill(milliseconds: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);
}

describe.each(['redis', 'node-redis'] as const)('by %s', (store) => {
  let folder: string;
  let server: LocalRedis;
  let redis: Redis;
  let proxy: FaultProxy;
  let backend: Backend;
  let banks: Bank[];
  const clock = new ManualClock();

  /** Keeps what it has acknowledged, as a Redis that holds sessions should. */
  async function startServer(): Promise<void> {
    const args = ['--dir', folder, '--appendonly', 'yes', '--appendfsync', 'always'];
    server = await startLocalRedis({ args });
    redis = new Redis(server.url).on('error', () => undefined);
  }

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'redis-faults-'));
    await startServer();
    proxy = await FaultProxy.start(server.port);
    backend = await openBackend(store, proxy.through(server.url), { ...REDIS_OPTIONS, socketTimeout: STORE_TIMEOUT });
    const options = { storeTimeout: STORE_TIMEOUT, concurrency: { max: 100 } };
    banks = [
      await startBank({ adapter: 'express', backend, options, clock }),
      await startBank({ adapter: 'fastify', backend, options, clock }),
    ];
  });

  afterEach(() => proxy.heal());

  afterAll(async () => {
    for (const bank of banks) await bank.close();
    await backend.close();
    redis.disconnect();
    await proxy.close();
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  });

  describe('a Redis that is away', () => {
    it.each(FAULTS)('gets 503, and recovers once it is back: $kind', async (fault) => {
      await liveThrough({
        what: `Redis by ${store}, ${fault.kind}`,
        banks,
        storeTimeout: STORE_TIMEOUT,
        begin: () => proxy.break(fault),
        end: () => proxy.heal(),
      });
    });

    it('gets 503 if connections die without notice, and new ones take over', async () => {
      await liveThrough({
        what: `Redis by ${store}, half-open connections`,
        banks,
        storeTimeout: STORE_TIMEOUT,
        begin: async () => proxy.cutSilently(),
        end: async () => undefined,
        failures: 2,
      });
    });

    it('loses nothing that it keeps on disk, killed and started anew', async () => {
      await liveThrough({
        what: `Redis by ${store}, killed and restarted`,
        banks,
        storeTimeout: STORE_TIMEOUT,
        begin: async () => {
          redis.disconnect();
          process.kill(server.pid!, 'SIGKILL');
          await server.stop();
        },
        end: async () => {
          await startServer();
          proxy.retarget(server.port);
        },
      });
    });

    it.each([0, 1])('is not blamed for the time in which the node itself stood still: node %i', async (node) => {
      const alice = banks[node]!.client();
      while ((await alice.tryLogin('alice')).status === 503);
      // a script that Redis does not know yet would take another round trip
      while ((await alice.get('/api/me')).status === 503);
      await proxy.break({ kind: 'delay', milliseconds: 50 });
      const look = async (): Promise<readonly number[]> => {
        const { sent } = proxy;
        const looks = Array.from({ length: 20 }, () => alice.get('/api/me'));
        while (proxy.sent === sent) await pause(1);
        standStill(3 * STORE_TIMEOUT);
        return (await Promise.all(looks)).map(({ status }) => status);
      };
      // a machine that is busy may be late once more; a node that blamed Redis would answer 503 each time
      await until(async () => (await look()).every((status) => status === 200));
    });

    it('does not make a login wait for earlier ones: all of a flood get a response within the same time', async () => {
      const warm = banks[0]!.client();
      await warm.login('alice');
      const clients = Array.from({ length: 64 }, () => banks[0]!.client());
      const tokens = await Promise.all(clients.map((client) => client.csrfToken()));
      await proxy.break({ kind: 'black-hole' });
      const time = new RunningTime();
      const told: number[] = [];
      const statuses = await Promise.all(
        clients.map(async (client, i) => {
          const { status } = await client.tryLogin('alice', { csrf: tokens[i] });
          told.push(time.elapsed);
          return status;
        }),
      );
      expect(statuses).toEqual(clients.map(() => 503));
      // one after the other, eight at a time, the last would be told eight times as late as the first
      expect(told.at(-1)! / told[0]!).toBeLessThan(4);
      time.stop();
    });
  });

  describe('a Redis that refuses writes', () => {
    let alice: BankClient;

    const preferences = async (): Promise<unknown> => (await alice.get('/api/preferences')).json;
    const change = (body: object): Promise<{ status: number }> => alice.ask('PATCH', '/api/preferences', { body });

    const settle = async (): Promise<void> => {
      alice = banks[1]!.client();
      // the test before may have left the nodes without a connection
      for (const bank of banks) while ((await bank.client().tryLogin('admin')).status === 503);
      await alice.login('alice');
      expect((await change({ theme: 'dark' })).status).toBe(200);
    };

    it('for want of memory: who is signed in stays so, and can sign out; the rest is 503 and changes nothing', async () => {
      await settle();
      const bob = banks[0]!.client();
      await bob.login('bob');
      await redis.config('SET', 'maxmemory', '1');
      try {
        for (let i = 0; i < 3; i += 1) {
          expect(await alice.isSignedIn()).toBe(true);
          // the next look counts as activity, which is written
          clock.advance(61_000);
        }
        expect((await change({ theme: 'light' })).status).toBe(503);
        expect((await banks[0]!.client().tryLogin('alice')).status).toBe(503);
        const { cookie } = bob;
        expect((await bob.post('/auth/logout')).status).toBe(204);
        expect(await bob.isSignedIn({ cookie })).toBe(false);
      } finally {
        await redis.config('SET', 'maxmemory', '0');
      }
      expect(await preferences()).toEqual({ theme: 'dark' });
      expect((await change({ theme: 'light' })).status).toBe(200);
    });

    it('as a replica: who is signed in stays so, writes are 503, and all is well once it is promoted', async () => {
      await settle();
      await redis.call('REPLICAOF', '127.0.0.1', '1');
      try {
        expect(await alice.isSignedIn()).toBe(true);
        expect((await change({ theme: 'light' })).status).toBe(503);
        expect((await banks[0]!.client().tryLogin('alice')).status).toBe(503);
        expect((await alice.post('/auth/logout')).status).toBe(503);
      } finally {
        await redis.call('REPLICAOF', 'NO', 'ONE');
      }
      expect(await preferences()).toEqual({ theme: 'dark' });
      const { cookie } = alice;
      expect((await alice.post('/auth/logout')).status).toBe(204);
      expect(await alice.isSignedIn({ cookie })).toBe(false);
    });
  });
});
