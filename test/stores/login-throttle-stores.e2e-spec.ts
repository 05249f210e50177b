import { setTimeout as delay } from 'node:timers/promises';
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import type { DataSource } from 'typeorm';
import { MemoryLoginThrottleStore, type FailureCounter, type LoginThrottleStore } from 'nestjs-session-auth';
import { RedisLoginThrottleStore } from 'nestjs-session-auth/redis';
import { CreateSessionAuthTables, TypeOrmLoginThrottleStore } from 'nestjs-session-auth/typeorm';
import { createTestDatabase, type TestDatabase } from '../support/postgres-database.js';

/** What the throttle asks of every store that counts for it. */
describe.each(['memory', 'redis', 'postgres'] as const)('counts of failed logins in %s', (name) => {
  let redis: Redis | undefined;
  let database: TestDatabase | undefined;
  let dataSource: DataSource | undefined;
  let store: LoginThrottleStore;
  let counter: FailureCounter;

  beforeAll(async () => {
    if (name === 'redis') redis = new Redis(process.env['TEST_REDIS_URL']!);
    if (name === 'postgres') {
      database = await createTestDatabase();
      dataSource = await database.open({ migrations: [CreateSessionAuthTables] });
      await dataSource.runMigrations();
    }
    store =
      redis !== undefined
        ? new RedisLoginThrottleStore(redis, `t${randomBytes(6).toString('hex')}:`)
        : dataSource !== undefined
          ? new TypeOrmLoginThrottleStore(dataSource)
          : new MemoryLoginThrottleStore();
    counter = store.counter('one', 60);
  });

  afterAll(async () => {
    redis?.disconnect();
    await database?.close();
  });

  it('begin at one, go up, and are gone when they are deleted', async () => {
    expect(await counter.get('up')).toBeNull();
    expect((await counter.penalty('up')).consumedPoints).toBe(1);
    expect((await counter.penalty('up')).consumedPoints).toBe(2);
    const count = (await counter.get('up'))!;
    expect(count.consumedPoints).toBe(2);
    expect(count.msBeforeNext).toBeGreaterThan(50_000);
    expect(count.msBeforeNext).toBeLessThanOrEqual(60_000);
    await counter.delete('up');
    await counter.delete('up');
    expect(await counter.get('up')).toBeNull();
  });

  it('keep counters and keys apart', async () => {
    const other = store.counter('other', 60);
    await counter.penalty('shared');
    expect(await other.get('shared')).toBeNull();
    expect(await counter.get('shared2')).toBeNull();
  });

  it('miss none of a hundred at the same time, each with a number of its own', async () => {
    const counts = await Promise.all(Array.from({ length: 100 }, () => counter.penalty('parallel')));
    expect(counts.map((count) => count.consumedPoints).sort((a, b) => a - b)).toEqual(
      Array.from({ length: 100 }, (_, i) => i + 1),
    );
  });

  it('are set for a time of their own, and start anew after it', async () => {
    await counter.penalty('set');
    await counter.set('set', 5, 1);
    const count = (await counter.get('set'))!;
    expect([count.consumedPoints, count.msBeforeNext <= 1000]).toEqual([5, true]);
    expect((await counter.penalty('set')).consumedPoints).toBe(6);
    for (let waited = 0; waited < 5000 && (await counter.get('set')) !== null; waited += 50) await delay(50);
    expect((await counter.penalty('set')).consumedPoints).toBe(1);
  });

  it('answer each of many reads at the same time with its own', async () => {
    await counter.set('a', 1, 60);
    await counter.set('b', 2, 60);
    const counts = await Promise.all(['a', 'none', 'b', 'a'].map((key) => counter.get(key)));
    expect(counts.map((count) => count?.consumedPoints)).toEqual([1, undefined, 2, 1]);
  });
});

describe('counts of failed logins in PostgreSQL', () => {
  let database: TestDatabase;

  beforeAll(async () => {
    database = await createTestDatabase();
  });

  afterAll(() => database.close());

  it('are read in one statement by whoever reads at the same time, and swept when they are over', async () => {
    const statements: string[] = [];
    const ignore = (): void => undefined;
    const dataSource = await database.open({
      migrations: [CreateSessionAuthTables],
      logging: true,
      logger: {
        logQuery: (text: string) => void statements.push(text),
        logQueryError: ignore,
        logQuerySlow: ignore,
        logSchemaBuild: ignore,
        logMigration: ignore,
        log: ignore,
      },
    });
    await dataSource.runMigrations();
    const store = new TypeOrmLoginThrottleStore(dataSource);
    const [one, two] = [store.counter('one', 60), store.counter('two', 60)];
    statements.length = 0;
    await Promise.all([one.get('a'), two.get('a'), one.get('b'), two.get('c')]);
    expect(statements).toHaveLength(1);
    await one.get('a');
    expect(statements).toHaveLength(2);

    for (let i = 0; i < 5; i += 1) await one.set(`old${i}`, 1, 0);
    await one.penalty('live');
    expect([await store.deleteExpired(0, 3), await store.deleteExpired(0, 3), await store.deleteExpired(0, 3)]).toEqual(
      [3, 2, 0],
    );
    expect(await one.get('live')).not.toBeNull();
  });

  it('fail all that read at the same time, and only those', async () => {
    const dataSource = await database.open();
    const counter = new TypeOrmLoginThrottleStore(dataSource, { schema: 'nowhere' }).counter('one', 60);
    const reads = await Promise.allSettled([counter.get('a'), counter.get('b')]);
    expect(reads.map((read) => read.status)).toEqual(['rejected', 'rejected']);
  });
});
