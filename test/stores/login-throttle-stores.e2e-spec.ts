import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import { MemoryLoginThrottleStore, type LoginThrottleStore } from 'nestjs-session-auth';
import { RedisLoginThrottleStore } from 'nestjs-session-auth/redis';
import { loginThrottleStoreContract } from 'nestjs-session-auth/testing';
import { CreateSessionAuthTables, THROTTLE_TABLE, TypeOrmLoginThrottleStore } from 'nestjs-session-auth/typeorm';
import type { DataSource } from 'typeorm';
import { createTestDatabase, type TestDatabase } from '../support/postgres-database.js';
import { describeOnPostgres } from '../support/postgres-variants.js';

const NOW = Date.UTC(2026, 0, 15, 12);
const MINUTE = 60_000;

loginThrottleStoreContract('memory', () => {
  const store = new MemoryLoginThrottleStore();
  return Promise.resolve({ store, another: () => Promise.resolve(store), close: () => Promise.resolve() });
});

describe.each([
  ['redis', {}],
  ['redis with a keyPrefix', { keyPrefix: 'app:{x}:' }],
  ['redis with auto-pipelining', { enableAutoPipelining: true }],
])('%s', (name, options) => {
  const namespace = `r${randomBytes(6).toString('hex')}:`;
  let clients: Redis[];
  let plain: Redis;

  beforeAll(() => {
    clients = [1, 2].map(() => new Redis(process.env['TEST_REDIS_URL']!, options));
    plain = new Redis(process.env['TEST_REDIS_URL']!);
  });

  afterAll(async () => {
    await plain.del(...(await plain.keys(`*${namespace}*`)));
    for (const client of [...clients, plain]) client.disconnect();
  });

  loginThrottleStoreContract(name, () =>
    Promise.resolve({
      store: new RedisLoginThrottleStore(clients[0]!, namespace),
      another: () => Promise.resolve(new RedisLoginThrottleStore(clients[1]!, namespace)),
      close: () => Promise.resolve(),
    }),
  );

  it('gives every key a time to live', async () => {
    const keys = await plain.keys(`*${namespace}*`);
    expect(keys.length).toBeGreaterThan(10);
    for (const key of keys) expect(await plain.pttl(key)).toBeGreaterThan(0);
  });

  it('keeps a key as long as the longest of its counts, and no longer', async () => {
    const store = new RedisLoginThrottleStore(clients[0]!, namespace);
    const lifeOf = async (subject: string): Promise<number> => {
      const [key] = await plain.keys(`*${namespace}throttle:${subject}`);
      return Math.round((await plain.pttl(key!)) / MINUTE);
    };
    const subject = 'long-lived';
    await store.add([{ subject, counter: 'a', window: 20 * MINUTE }], NOW);
    await store.add([{ subject, counter: 'b', window: MINUTE }], NOW);
    expect(await lifeOf(subject)).toBe(20);
    await store.set({ subject, counter: 'b' }, { count: 1, until: NOW + 40 * MINUTE }, NOW);
    expect(await lifeOf(subject)).toBe(40);
  });

  it('keeps few expired counts, for any number of clients that tried one account', async () => {
    const store = new RedisLoginThrottleStore(clients[0]!, namespace);
    const subject = 'much-tried';
    for (let i = 0; i < 500; i += 1) {
      // one in ten lives on
      const window = i % 10 === 0 ? 60 * MINUTE : 1;
      await store.add([{ subject, counter: `failures:${i}`, window }], NOW + i);
    }
    const [key] = await plain.keys(`*${namespace}throttle:${subject}`);
    expect(await store.list(subject, NOW + 500)).toHaveLength(50);
    expect(await plain.hlen(key!)).toBeLessThan(100);
  });

  it('rejects what it cannot read, and deletes it', async () => {
    const store = new RedisLoginThrottleStore(clients[0]!, namespace);
    const key = { subject: 'unreadable', counter: 'a' };
    await store.add([{ ...key, window: MINUTE }], NOW);
    const [name] = await plain.keys(`*${namespace}throttle:unreadable`);
    await plain.hset(name!, 'a', 'nonsense');
    await expect(store.read([key], NOW)).rejects.toThrow();
    await expect(store.add([{ ...key, window: MINUTE }], NOW)).rejects.toThrow();
    await expect(store.list(key.subject, NOW)).rejects.toThrow();
    await store.delete([key]);
    expect(await store.read([key], NOW)).toEqual([undefined]);
    await plain.set(name!, 'of another type');
    await expect(store.read([key], NOW)).rejects.toThrow('WRONGTYPE');
  });
});

describeOnPostgres('TypeOrmLoginThrottleStore', (name, { options, dataSource }) => {
  loginThrottleStoreContract(name, () =>
    Promise.resolve({
      store: new TypeOrmLoginThrottleStore(dataSource(0), options),
      another: () => Promise.resolve(new TypeOrmLoginThrottleStore(dataSource(1), options)),
      close: async () => {
        await dataSource(0).query(`TRUNCATE ${options.schema ? '"we""ird schema".' : ''}${THROTTLE_TABLE}`);
      },
    }),
  );
});

describe('counts of failed logins in PostgreSQL', () => {
  let database: TestDatabase;
  let statements: string[];
  let errors: unknown[];
  let dataSource: DataSource;

  beforeAll(async () => {
    database = await createTestDatabase();
    statements = [];
    errors = [];
    const ignore = (): void => undefined;
    dataSource = await database.open({
      migrations: [CreateSessionAuthTables],
      logging: true,
      logger: {
        logQuery: (text: string) => void statements.push(text),
        logQueryError: (error: unknown) => void errors.push(error),
        logQuerySlow: ignore,
        logSchemaBuild: ignore,
        logMigration: ignore,
        log: ignore,
      },
    });
    await dataSource.runMigrations();
  });

  afterAll(() => database.close());

  it('use one statement a call, for any number of keys', async () => {
    const store: LoginThrottleStore = new TypeOrmLoginThrottleStore(dataSource);
    // the schema of the table is looked up once
    await store.list('a', NOW);
    const keys = ['a', 'b', 'c'].map((subject) => ({ subject, counter: 'failures' }));
    const count = async (call: () => Promise<unknown>): Promise<number> => {
      statements.length = 0;
      await call();
      return statements.length;
    };
    expect(await count(() => store.read(keys, NOW))).toBe(1);
    const failures = keys.map((key) => ({ ...key, window: MINUTE }));
    expect(await count(() => store.add(failures, NOW))).toBe(1);
    expect(await count(() => store.set(keys[0]!, { count: 1, until: NOW + MINUTE }, NOW))).toBe(1);
    expect(await count(() => store.list('a', NOW))).toBe(1);
    expect(await count(() => store.delete(keys))).toBe(1);
  });

  it('never deadlock, with any order of the keys', async () => {
    const store = new TypeOrmLoginThrottleStore(dataSource);
    const keys = Array.from({ length: 200 }, (_, i) => ({ subject: `s${i}`, counter: 'failures', window: MINUTE }));
    const backwards = [...keys].reverse();
    await store.add(keys, NOW);
    errors.length = 0;
    await Promise.all(
      Array.from({ length: 40 }, (_, i) => {
        const named = i % 2 === 0 ? keys : backwards;
        return i % 3 === 0 ? store.delete(named) : store.add(named, NOW);
      }),
    );
    expect(errors).toEqual([]);
    await store.delete(keys);
  });

  it('are found by their keys alone, without reading the table through', async () => {
    const store = new TypeOrmLoginThrottleStore(dataSource);
    await store.list('a', NOW);
    statements.length = 0;
    await store.list('a', NOW);
    const [statement] = statements as [string];
    await dataSource.query(
      `INSERT INTO ${THROTTLE_TABLE} SELECT 's' || i || '/x', 1, i FROM generate_series(1, 5000) i`,
    );
    await dataSource.query(`ANALYZE ${THROTTLE_TABLE}`);
    const text = statement.replace('$1', `'s1/'`).replace('$2', `'s10'`).replace('$3', '0');
    const plan = await dataSource.query<object[]>(`EXPLAIN ${text}`);
    expect(JSON.stringify(plan)).toContain('session_auth_throttle_pkey');
  });

  it('reject where there is no table', async () => {
    const store = new TypeOrmLoginThrottleStore(dataSource, { schema: 'nowhere' });
    await expect(store.read([{ subject: 'a', counter: 'b' }], NOW)).rejects.toThrow('nowhere');
    await expect(store.checkTables()).rejects.toMatchObject({ code: 'invalid_configuration' });
  });
});

describe('counts of failed logins in memory', () => {
  it('are bounded: expired counts are dropped first, then the oldest', async () => {
    const store = new MemoryLoginThrottleStore({ maxCounts: 100 });
    const key = (name: string | number): { subject: string; counter: string } => ({
      subject: `s${name}`,
      counter: 'c',
    });
    const add = (name: string | number, now: number, window = MINUTE): Promise<unknown> =>
      store.add([{ ...key(name), window }], now);
    for (let i = 0; i < 50; i += 1) await add(`short${i}`, NOW, 1000);
    for (let i = 0; i < 50; i += 1) await add(i, NOW);
    expect(store.size).toBe(100);
    await add('new', NOW + 1000);
    expect(store.size).toBe(51);
    for (let i = 50; i < 200; i += 1) await add(i, NOW + 1001);
    expect(store.size).toBe(100);
    const [gone, last] = await store.read([key(0), key(199)], NOW + 1001);
    expect([gone, last?.count]).toEqual([undefined, 1]);
  });
});
