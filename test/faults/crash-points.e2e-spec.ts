import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import type { StorageOptions } from 'nestjs-session-auth';
import { redisStorage } from 'nestjs-session-auth/redis';
import { CreateSessionAuthTables, typeOrmStorage } from 'nestjs-session-auth/typeorm';
import type { Answer, BankClient } from '../support/bank-client.js';
import { startBank, type Bank } from '../support/bank.js';
import { FaultProxy } from '../support/fault-proxy.js';
import { createTestDatabase } from '../support/postgres-database.js';

/** What two nodes share: one of them reaches it by way of the proxy, and crashes there. */
interface SharedStore {
  readonly doomed: StorageOptions;
  readonly healthy: StorageOptions;
  /** Each thing in the store that contradicts another. */
  contradictions(): Promise<string[]>;
  /** How many sessions are in the store. */
  sessions(): Promise<number>;
  close(): Promise<void>;
}

async function shareRedis(proxy: FaultProxy): Promise<SharedStore> {
  const url = process.env['TEST_REDIS_URL']!;
  const namespace = `t${randomBytes(6).toString('hex')}:`;
  const redis = new Redis(url);
  const failFast = { maxRetriesPerRequest: 0, retryStrategy: () => 10 };
  const victim = new Redis(proxy.through(url), failFast).on('error', () => undefined);
  const keysOf = (kind: string): Promise<string[]> => redis.keys(`${namespace}*:${kind}:*`);
  return {
    doomed: redisStorage({ client: victim, namespace }),
    healthy: redisStorage({ client: redis, namespace }),
    contradictions: async () => {
      const found: string[] = [];
      for (const key of await redis.keys(`${namespace}*`)) {
        if ((await redis.pttl(key)) < 0) found.push(`${key} has no time to live`);
      }
      const members = new Set<string>();
      for (const index of await keysOf('u')) {
        for (const member of await redis.zrange(index, 0, -1)) members.add(member.slice(0, 20));
      }
      const handles = (await keysOf('s')).map((key) => key.slice(key.lastIndexOf(':') + 1));
      for (const handle of handles) if (!members.has(handle)) found.push(`session ${handle} is in no index`);
      for (const handle of members)
        if (!handles.includes(handle)) found.push(`the index has ${handle}, which is no session`);
      return found;
    },
    sessions: async () => (await keysOf('s')).length,
    close: async () => {
      victim.disconnect();
      redis.disconnect();
    },
  };
}

async function sharePostgres(proxy: FaultProxy): Promise<SharedStore> {
  const database = await createTestDatabase();
  const dataSource = await database.open({ migrations: [CreateSessionAuthTables] });
  await dataSource.runMigrations();
  const oneConnection = { poolSize: 1, extra: { idleTimeoutMillis: 0 }, connectTimeoutMS: 1000 };
  const victim = await database.open({ ...oneConnection, url: proxy.through(database.url) });
  const count = async (sql: string): Promise<number> => Number((await dataSource.query<{ n: string }[]>(sql))[0]!.n);
  return {
    doomed: typeOrmStorage({ dataSource: victim }),
    healthy: typeOrmStorage({ dataSource }),
    contradictions: async () => {
      const open = await count(
        `SELECT count(*) AS n FROM pg_stat_activity WHERE datname = current_database() AND state LIKE 'idle in%'`,
      );
      const locks = await count(
        `SELECT count(*) AS n FROM pg_locks WHERE locktype = 'advisory'
           AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`,
      );
      return [...(open > 0 ? ['a transaction stays open'] : []), ...(locks > 0 ? ['a lock is held'] : [])];
    },
    sessions: () => count('SELECT count(*) AS n FROM session_auth_session'),
    close: () => database.close(),
  };
}

/** What still contradicts after the server has noticed that a connection is gone. */
async function settled(store: SharedStore): Promise<string[]> {
  let found = await store.contradictions();
  for (const end = Date.now() + 5000; found.length > 0 && Date.now() < end;) found = await store.contradictions();
  return found;
}

const PASSWORD = 'alice-demo-password';

interface Action {
  readonly what: string;
  readonly run: (client: BankClient) => Promise<Answer>;
  /** Whether its client is signed in after it has succeeded. */
  readonly staysIn: boolean;
}

const ACTIONS: readonly Action[] = [
  {
    what: 'a login over a live session',
    run: (client) => client.tryLogin('alice', { rememberMe: true }),
    staysIn: true,
  },
  {
    what: 'a re-authentication',
    run: (client) => client.post('/auth/reauthenticate', { password: PASSWORD }),
    staysIn: true,
  },
  { what: 'a logout', run: (client) => client.post('/auth/logout'), staysIn: false },
  { what: 'the end of all other sessions', run: (client) => client.ask('DELETE', '/auth/sessions'), staysIn: true },
  {
    what: 'a remembered login',
    run: (client) => {
      client.restart();
      return client.get('/api/me');
    },
    staysIn: true,
  },
];

const CRASHES = [
  ['Redis', shareRedis, 'TEST_REDIS_URL'],
  ['PostgreSQL', sharePostgres, 'TEST_DATABASE_URL'],
] as const;

describe.each(CRASHES)('a node that crashes between any two steps on %s', (name, share, variable) => {
  let proxy: FaultProxy;
  let store: SharedStore;
  let doomed: Bank;
  let healthy: Bank;

  beforeAll(async () => {
    proxy = await FaultProxy.start(Number(new URL(process.env[variable]!).port));
    store = await share(proxy);
    const backend = { redis: undefined, namespace: '', close: async () => undefined };
    doomed = await startBank({ adapter: 'fastify', backend: { ...backend, storage: store.doomed } });
    healthy = await startBank({ adapter: 'express', backend: { ...backend, storage: store.healthy } });
  });

  afterAll(async () => {
    await proxy.heal();
    await doomed.close();
    await healthy.close();
    await store.close();
    await proxy.close();
  });

  /** Signed in and remembered, on the node that is about to crash. */
  async function signIn(): Promise<BankClient> {
    await proxy.heal();
    for (;;) {
      const client = doomed.client();
      if ((await client.tryLogin('alice', { rememberMe: true })).status === 200) return client;
    }
  }

  it.each(ACTIONS)(
    'leaves nothing contradictory in the store, and nobody locked out: $what',
    async (action) => {
      let points = 0;
      for (const losing of ['request', 'reply'] as const) {
        for (let step = 0; ; step += 1) {
          const victim = await signIn();
          const bystander = healthy.client();
          await bystander.login('bob');
          proxy.crashAfter(step, losing);
          const answer = await action.run(victim);
          const isWhole = !proxy.hasCrashed;
          points += isWhole ? 0 : 1;
          await checkAfterwards(action, victim, bystander, answer);
          if (isWhole) {
            expect(answer.status).toBeLessThan(300);
            break;
          }
        }
      }
      process.stdout.write(`${name}, ${action.what}: ${points} points to crash at\n`);
      expect(points).toBeGreaterThan(1);
    },
    180_000,
  );

  async function checkAfterwards(action: Action, victim: BankClient, bystander: BankClient, answer: Answer) {
    // the write of an event, or of a cookie's successor, may be what failed: then the action itself was right
    if (answer.status >= 300) expect(answer.status).toBe(503);
    victim.port = healthy.port;
    expect((await bystander.get('/api/me')).json).toMatchObject({ userId: 'bob' });
    const look = await victim.get('/api/me');
    if (look.status === 200) expect(look.json).toMatchObject({ userId: 'alice' });
    else expect(look.status).toBe(401);
    if (answer.status < 300) expect(look.status).toBe(action.staysIn ? 200 : 401);
    if (action.what === 'a remembered login') expect(look.status).toBe(200);

    const alice = healthy.client();
    await alice.login('alice');
    expect(((await alice.get('/auth/sessions')).json as object[]).length).toBeLessThanOrEqual(3);
    expect(await settled(store)).toEqual([]);
    await alice.ask('DELETE', '/auth/sessions?include=current');
    await bystander.post('/auth/logout');
    expect(await store.sessions()).toBe(0);
  }
});
