import { randomBytes } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import type { Server } from 'node:http';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Test } from '@nestjs/testing';
import type { Cluster, Redis } from 'ioredis';
import { SessionCleanupService } from 'nestjs-session-auth';
import {
  RedisLoginThrottleStore,
  RedisRememberMeTokenStore,
  redisStorage,
  RedisSessionStore,
} from 'nestjs-session-auth/redis';
import {
  loginThrottleStoreContract,
  rememberMeTokenStoreContract,
  sessionStoreContract,
} from 'nestjs-session-auth/testing';
import { BankClient, REMEMBER_COOKIE } from '../../support/bank-client.js';
import { startBank, type Backend, type Bank } from '../../support/bank.js';
import { RedisCluster } from '../../support/redis-cluster.js';
import { RedisSentinels } from '../../support/redis-sentinels.js';

interface Topology {
  /** Those that a client is given. */
  readonly addresses: readonly string[];
  connect(): Redis | Cluster;
  close(): Promise<void>;
}

interface Example {
  readonly AppModule: new () => object;
  readonly client: Redis | Cluster;
}

interface TopologyCase {
  readonly name: string;
  readonly start: () => Promise<Topology>;
  /** The guide's example, on this topology. */
  readonly example: (topology: Topology) => Promise<Example>;
}

const TOPOLOGIES: readonly TopologyCase[] = [
  {
    name: 'a Redis Cluster',
    start: () => RedisCluster.start(),
    example: async ({ addresses }) => {
      process.env['REDIS_CLUSTER'] = addresses.join(',');
      return import('../../../examples/redis-cluster/app.module.js');
    },
  },
  {
    name: 'Redis with Sentinels',
    start: () => RedisSentinels.start(),
    example: async ({ addresses }) => {
      process.env['REDIS_SENTINELS'] = addresses.join(',');
      process.env['REDIS_MASTER'] = 'bank';
      return import('../../../examples/redis-sentinel/app.module.js');
    },
  },
];

describe.each(TOPOLOGIES)('$name', ({ name, start, example }) => {
  let topology: Topology;
  let clients: (Redis | Cluster)[];

  beforeAll(async () => {
    topology = await start();
    clients = [topology.connect(), topology.connect()];
    for (const client of clients) await client.get('ready?');
  });

  afterAll(() => topology.close());

  const namespace = (): string => `t${randomBytes(6).toString('hex')}:`;

  sessionStoreContract(name, async () => {
    const options = { namespace: namespace() };
    return {
      store: new RedisSessionStore(clients[0]!, options),
      another: async () => new RedisSessionStore(clients[1]!, options),
      close: async () => undefined,
    };
  });

  rememberMeTokenStoreContract(name, async () => {
    const options = { namespace: namespace() };
    return {
      store: new RedisRememberMeTokenStore(clients[0]!, options),
      another: async () => new RedisRememberMeTokenStore(clients[1]!, options),
      close: async () => undefined,
    };
  });

  loginThrottleStoreContract(name, async () => {
    const own = namespace();
    return {
      store: new RedisLoginThrottleStore(clients[0]!, own),
      another: async () => new RedisLoginThrottleStore(clients[1]!, own),
      close: async () => undefined,
    };
  });

  it('works as the guide says', async () => {
    process.env['SESSION_SECRET'] ??= 'a test secret that everybody may know, 1';
    const { AppModule, client } = await example(topology);
    const testing = await Test.createTestingModule({ imports: [AppModule] }).compile();
    testing.useLogger(false);
    const app = testing.createNestApplication();
    await app.listen(0, '127.0.0.1');
    const ada = new BankClient(((app.getHttpServer() as Server).address() as AddressInfo).port);
    const credentials = { email: 'ada@example.com', password: 'correct horse battery staple' };
    expect((await ada.post('/auth/login', credentials)).status).toBe(200);
    expect((await ada.get('/auth/session')).status).toBe(200);
    await app.close();
    client.disconnect();
  });

  describe('behind two nodes of the bank', () => {
    let nodes: Bank[];
    let alice: BankClient;
    let phone: BankClient;

    beforeAll(async () => {
      const shared = namespace();
      const backend = (client: Redis | Cluster): Backend => ({
        storage: redisStorage({ client, namespace: shared }),
        redis: undefined,
        namespace: shared,
        close: async () => undefined,
      });
      nodes = [
        await startBank({ adapter: 'express', backend: backend(clients[0]!) }),
        await startBank({ adapter: 'fastify', backend: backend(clients[1]!) }),
      ];
    });

    beforeEach(async () => {
      alice = nodes[0]!.client();
      phone = nodes[1]!.client();
      await alice.login('alice');
      await alice.ask('DELETE', '/auth/sessions');
    });

    afterAll(async () => {
      for (const node of nodes) await node.close();
    });

    /** The next request goes to the other node. */
    const cross = (client: BankClient): BankClient => {
      client.port = nodes.find(({ port }) => port !== client.port)!.port;
      return client;
    };

    it('a session of one node is one of the other, until it ends on either', async () => {
      expect((await cross(alice).get('/api/me')).json).toMatchObject({ userId: 'alice' });
      const { cookie } = alice;
      expect((await alice.post('/auth/logout')).status).toBe(204);
      expect(await cross(alice).isSignedIn({ cookie })).toBe(false);
    });

    it('a limit of three holds over both, with twenty logins at a time', async () => {
      const devices = Array.from({ length: 20 }, (_, i) => nodes[i % 2]!.client());
      await Promise.all(devices.map((device) => device.login('bob')));
      const live = await Promise.all(devices.map((device) => cross(device).isSignedIn()));
      expect(live.filter(Boolean)).toHaveLength(3);
    });

    it('sessions are listed and ended, one by one and all together', async () => {
      const { id } = await phone.login('alice');
      const list = (await cross(alice).get('/auth/sessions')).json as { id: string; current: boolean }[];
      expect(list).toHaveLength(2);
      expect((await alice.ask('DELETE', `/auth/sessions/${id}`)).status).toBe(204);
      expect(await cross(phone).isSignedIn()).toBe(false);
      await phone.login('alice');
      expect((await cross(alice).ask('DELETE', '/auth/sessions?include=current')).json).toEqual({ revoked: 2 });
      expect(await phone.isSignedIn()).toBe(false);
    });

    it('updates of both nodes at a time lose nothing', async () => {
      const change = (i: number): Promise<unknown> =>
        cross(alice).ask('PATCH', '/api/preferences', { body: { [`key${i}`]: i } });
      await Promise.all(Array.from({ length: 20 }, (_, i) => change(i)));
      expect(Object.keys((await alice.get('/api/preferences')).json as object)).toHaveLength(20);
    });

    it('a re-authentication kills the old token', async () => {
      const { cookie } = alice;
      const answer = await cross(alice).post('/auth/reauthenticate', { password: 'alice-demo-password' });
      expect(answer.status).toBe(200);
      expect(await cross(alice).isSignedIn({ cookie })).toBe(false);
      expect(await alice.isSignedIn()).toBe(true);
    });

    it('a remembered device signs in anew, and a stolen token ends everything', async () => {
      await phone.login('alice', { rememberMe: true });
      const stolen = `${REMEMBER_COOKIE}=${phone.cookies.get(REMEMBER_COOKIE)!}`;
      // the owner's second use presents the successor: from then on the stolen token is a replaced one
      for (const use of [1, 2]) {
        phone.restart();
        expect([use, await cross(phone).isSignedIn()]).toEqual([use, true]);
        for (const { clock } of nodes) clock.advance(31_000);
      }
      expect(await nodes[0]!.client().isSignedIn({ cookie: stolen })).toBe(false);
      expect(await phone.isSignedIn()).toBe(false);
    });

    it('failed logins are counted for both', async () => {
      const guess = (i: number): Promise<{ status: number }> =>
        nodes[i % 2]!.client().post('/auth/login', { email: 'admin@example.com', password: 'a guess' });
      const answers = [];
      for (let i = 0; i < 6; i += 1) answers.push((await guess(i)).status);
      expect(answers).toEqual([401, 401, 401, 401, 401, 429]);
    });

    it('a cleanup finds nothing to do, and does no harm', async () => {
      const report = await nodes[0]!.app.get(SessionCleanupService).run();
      expect(report).toMatchObject({ ran: true, sessions: 0 });
      expect(await alice.isSignedIn()).toBe(true);
    });
  });
});
