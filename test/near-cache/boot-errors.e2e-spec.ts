import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Cluster, Redis } from 'ioredis';
import {
  MemoryRememberMeTokenStore,
  MemorySessionStore,
  SessionAuthModule,
  type SessionAuthOptions,
  type StorageOptions,
} from 'nestjs-session-auth';
import { postgresStorage } from 'nestjs-session-auth/postgres';
import { redisStorage } from 'nestjs-session-auth/redis';
import { typeOrmStorage } from 'nestjs-session-auth/typeorm';
import { startLocalRedis, type LocalRedis } from '../../src/local-services/local-redis.js';
import { REDIS_OPTIONS } from '../../src/storage/redis-options.js';
import { openBackend, startBank, TEST_SECRETS, type Bank } from '../support/bank.js';
import { FaultProxy } from '../support/fault-proxy.js';
import { until } from '../support/patience.js';
import { startPgBouncer, type PgBouncer } from '../support/pgbouncer.js';
import { createDatabaseWithTables, poolOf, type TestDatabase } from '../support/postgres-database.js';
import { OTHER_CLIENTS } from '../support/redis-clients.js';
import { RedisCluster, serveAllSlots } from '../support/redis-cluster.js';

type NearCache = NonNullable<SessionAuthOptions['nearCache']>;

async function start(storage: StorageOptions | 'memory', nearCache: unknown = true): Promise<Bank> {
  const backend = { storage: {}, redis: undefined, namespace: '', close: () => Promise.resolve() };
  return startBank({ adapter: 'fastify', backend, options: { storage, nearCache: nearCache as NearCache } });
}

async function expectRefusal(storage: StorageOptions | 'memory', message: string, nearCache?: unknown): Promise<void> {
  await expect(start(storage, nearCache)).rejects.toMatchObject({
    name: 'SessionAuthError',
    code: 'invalid_configuration',
    message: expect.stringContaining(message) as unknown,
  });
}

describe('the option nearCache', () => {
  it.each([
    ['on', "nearCache: given 'on'; allowed is true, false, or an object of options"],
    [1, 'nearCache: given 1; allowed is'],
    [
      { size: 1 },
      'nearCache.size: given an unknown option; allowed is one of the options maxSessions, bound, consistency',
    ],
    [{ maxSessions: 0 }, 'nearCache.maxSessions: given 0; allowed is a whole number from 1'],
    [{ bound: 49 }, 'nearCache.bound: given 49; allowed is milliseconds or a duration'],
    [{ bound: '11s' }, "nearCache.bound: given '11s'; allowed is"],
    [{ consistency: 'eventual' }, "nearCache.consistency: given 'eventual'; allowed is 'bounded', 'strict'"],
  ])('is refused as %j', async (given, message) => {
    await expectRefusal('memory', message, given);
  });

  it.each([['redis'], ['node-redis'], ['postgres'], ['pg'], ['executor']] as const)(
    'takes the link of the storage: %s',
    async (store) => {
      const backend = await openBackend(store);
      await expectRefusal(backend.storage, 'nearCache: given a storage without a session link; allowed is false, or');
      // a strict node waits until a registry that is new is as old as its bound
      for (const nearCache of [true, {}, { bound: '10s', maxSessions: 1 }, { bound: '50ms', consistency: 'strict' }]) {
        await (await start(backend.linkedStorage!, nearCache)).close();
      }
      // without the option no storage needs one
      await (await start(backend.storage, false)).close();
      await backend.close();
    },
  );

  it('is refused on memory, which has no round trip to save, and on storages that have no link', async () => {
    await expectRefusal('memory', 'nearCache: given a storage whose link sends no heartbeats, such as memory');
    const backend = await openBackend('mysql');
    await expectRefusal(backend.storage, 'nearCache: given a storage without a session link');
    await backend.close();
  });

  it('names the realm', async () => {
    const storage = {
      sessions: { useClass: MemorySessionStore },
      rememberMe: { useClass: MemoryRememberMeTokenStore },
    };
    const shop = { secrets: TEST_SECRETS, realm: 'shop', storage, nearCache: true, endpoints: false } as const;
    const backend = await openBackend('memory');
    const module = { imports: [SessionAuthModule.forRoot(shop)] };
    await expect(startBank({ adapter: 'fastify', backend, module })).rejects.toThrow(
      "SessionAuthModule of realm 'shop': nearCache: given a storage whose link sends no heartbeats",
    );
  });
});

describe('a near-cache on Redis', () => {
  let server: LocalRedis;
  let operator: Redis;

  beforeAll(async () => {
    server = await startLocalRedis();
    operator = new Redis(server.url);
  });

  afterAll(async () => {
    operator.disconnect();
    await server.stop();
  });

  it('is refused for a user without the rights to the channels', async () => {
    const rights = ['on', '>secret', '~sa:*', '+@all', 'resetchannels'];
    await operator.call('ACL', 'SETUSER', 'bank', ...rights);
    const client = new Redis(server.url, { username: 'bank', password: 'secret' });
    await expectRefusal(
      redisStorage({ client, link: true }),
      'nearCache: given a storage whose link is refused; allowed is false, or a storage',
    );
    client.disconnect();
  });

  it.each(OTHER_CLIENTS.filter(({ name }) => name.startsWith('a pool')))(
    'is refused for $name, with what to pass, and the link alone is not',
    async (library) => {
      const pool = await library.connect(server.url);
      const { client } = pool;
      await expectRefusal(
        redisStorage({ client, link: true }),
        'nearCache: given a pool of redis (createClientPool), which does not report when it connects again: pass a ' +
          'client of createClient() or createSentinel(); allowed is false, or a storage',
      );
      const bank = await start(redisStorage({ client, link: true }), false);
      await bank.close();
      pool.close();
    },
  );

  it('starts for a user without the right to INFO', async () => {
    await operator.call('ACL', 'SETUSER', 'clerk', 'on', '>secret', '~sa:*', '&sa:*', '+@all', '-info');
    const client = new Redis(server.url, { username: 'clerk', password: 'secret', enableReadyCheck: false });
    const bank = await start(redisStorage({ client, link: true }));
    const alice = bank.client();
    await alice.login('alice');
    expect(await alice.isSignedIn()).toBe(true);
    await bank.close();
    // it cannot tell an old registry from one that has lost leases
    for (let starts = 0; starts < 2; starts += 1) {
      const since = performance.now();
      const strict = await start(redisStorage({ client, link: true }), { bound: 200, consistency: 'strict' });
      expect(performance.now() - since).toBeGreaterThanOrEqual(200);
      await strict.close();
    }
    client.disconnect();
  });

  it.each(['bounded', 'strict'])(
    'is refused for a user without the rights to the registry: %s',
    async (consistency) => {
      const rights = ['on', '>secret', 'resetkeys', '~sa:{*', 'resetchannels', '&sa:*', '+@all'];
      await operator.call('ACL', 'SETUSER', 'clerk', ...rights);
      const refused = async (message: string): Promise<void> => {
        const client = new Redis(server.url, { username: 'clerk', password: 'secret' });
        await expectRefusal(redisStorage({ client, link: true }), message, { consistency });
        client.disconnect();
      };
      await refused('given a Redis user without the rights for the key sa:nodes of the nodes; allowed is a user with');
      await operator.call('ACL', 'SETUSER', 'clerk', '~sa:*', '-time');
      await refused('allowed is a user with the keys and commands of docs/redis.md, TIME among them');
    },
  );

  it('starts with the rights that the guide lists', async () => {
    const guide = await readFile('docs/redis.md', 'utf8');
    for (const [, rights] of guide.matchAll(/^ACL SETUSER bank (.*)$/gm))
      await operator.call('ACL', 'SETUSER', 'bank', ...rights!.split(' '));
    const client = new Redis(server.url, { username: 'bank', password: 'a-password-of-its-own' });
    const bank = await start(redisStorage({ client, link: true }), { consistency: 'strict' });
    const alice = bank.client();
    await alice.login('alice');
    expect((await alice.post('/auth/logout')).status).toBe(204);
    await bank.close();
    client.disconnect();
  });

  it('starts while Redis is away, and every request reads the store', async () => {
    const client = new Redis(1, '127.0.0.1', { retryStrategy: () => 10_000, maxRetriesPerRequest: 0 });
    client.on('error', () => undefined);
    const bank = await start(redisStorage({ client, link: true }));
    expect(bank.log.join('\n')).toContain('the session link is down: every session is read from the store');
    await bank.close();
    client.disconnect();
  });
});

describe('a near-cache on a Redis Cluster', () => {
  it('is refused, since its link is no sharded one', async () => {
    const server = await startLocalRedis({ args: ['--cluster-enabled', 'yes', '--cluster-announce-ip', '127.0.0.1'] });
    const operator = new Redis(server.url);
    await serveAllSlots(operator);
    const address = { host: '127.0.0.1', port: server.port };
    const client = new Cluster([address], { natMap: () => address });
    await client.get('ready?');
    await expectRefusal(
      redisStorage({ client, link: true }),
      'nearCache: given a Redis Cluster, whose link has no sharded Pub/Sub of its own for each master; allowed is false',
    );
    for (const each of [client, operator]) each.disconnect();
    await server.stop();
  });

  describe('that a proxy hides', () => {
    const message = 'a Redis Cluster behind one address, whose servers pass messages to each other in no certain order';
    let cluster: RedisCluster;
    let proxy: FaultProxy;
    let client: Redis;

    beforeEach(async () => {
      cluster = await RedisCluster.start();
      proxy = await FaultProxy.start(cluster.processes[0]!.port);
      client = new Redis(proxy.port, '127.0.0.1', REDIS_OPTIONS).on('error', () => undefined);
    });

    afterEach(async () => {
      client.disconnect();
      await proxy.close();
      await cluster.close();
    });

    it('is refused all the same', async () => {
      const allowed = 'allowed is false, or a storage in one Redis';
      await expectRefusal(redisStorage({ client, link: true }), `nearCache: given ${message}; ${allowed}`);
      const bank = await start(redisStorage({ client, link: true }), false);
      await bank.close();
    });

    it('keeps no session where it was away at boot, and says why', async () => {
      await proxy.break({ kind: 'refuse' });
      const bank = await start(redisStorage({ client, link: true }));
      await proxy.heal();
      await until(() =>
        bank.log.some((line) => line.includes(`every session is read from the store: the storage is ${message}`)),
      );
      await bank.close();
    });
  });
});

describe('a near-cache on PostgreSQL', () => {
  it('is refused for a role without the rights to the registry', async () => {
    const database = await createDatabaseWithTables();
    const owner = await database.open();
    const role = `clerk_${randomBytes(4).toString('hex')}`;
    await owner.query(`CREATE ROLE ${role} LOGIN PASSWORD 'secret'`);
    await owner.query(`GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO ${role}`);
    await owner.query(`GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO ${role}`);
    const url = new URL(database.url);
    url.username = role;
    url.password = 'secret';
    const dataSource = await database.open({ url: url.href });
    const strict = { consistency: 'strict' };
    const bank = await start(postgresStorage({ pool: poolOf(dataSource), link: true }), strict);
    await bank.close();
    await owner.query(`REVOKE INSERT ON session_auth_throttle FROM ${role}`);
    for (const nearCache of [strict, true]) {
      await expectRefusal(
        postgresStorage({ pool: poolOf(dataSource), link: true }),
        'given a role without the rights to read and write session_auth_throttle, which has the nodes of a near-cache',
        nearCache,
      );
    }
    await owner.query(`DROP OWNED BY ${role}; DROP ROLE ${role}`);
    await database.close();
  });
});

describe('a near-cache on PostgreSQL behind a pooler in transaction mode', () => {
  let database: TestDatabase;
  let pooler: PgBouncer;

  beforeAll(async () => {
    database = await createDatabaseWithTables();
    pooler = await startPgBouncer(process.env['TEST_DATABASE_URL']!);
  });

  afterAll(async () => {
    await pooler.stop();
    await database.close();
  });

  it('is refused, and taken where the link has an address of its own', async () => {
    const dataSource = await database.open({ url: pooler.through(database.url) });
    const refused = 'nearCache: given a storage whose link is refused; allowed is false, or a storage';
    await expectRefusal(typeOrmStorage({ dataSource, link: true }), refused);
    await expectRefusal(postgresStorage({ pool: poolOf(dataSource), link: true }), refused);
    const bank = await start(typeOrmStorage({ dataSource, link: { url: database.url } }));
    await bank.close();
    await dataSource.destroy();
  });
});
