import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Pool } from 'pg';
import type { DataSource, Logger } from 'typeorm';
import type { SessionStore } from 'nestjs-session-auth';
import { CreateSessionAuthTables, TypeOrmSessionStore } from 'nestjs-session-auth/typeorm';
import { PostgresSessionStore } from 'nestjs-session-auth/postgres';
import { loadSessions, LIMIT, USERS } from '../../support/session-load.js';
import { executorOn } from '../../support/sql-executors.js';
import { createTestDatabase, poolOf, type TestDatabase } from '../../support/postgres-database.js';
import { HOUR, MINUTE, newRecord, NO_LIMIT, NOW } from '../../support/session-records.js';

describe('PostgreSQL under parallel load', () => {
  let database: TestDatabase;
  let nodes: DataSource[];
  let stores: SessionStore[];
  /** What the server refused, also where the store tried again. */
  let refused: string[];

  beforeEach(async () => {
    refused = [];
    const logger = errorCollector(refused);
    database = await createTestDatabase();
    nodes = [await database.open({ logger, migrations: [CreateSessionAuthTables] }), await database.open({ logger })];
    await nodes[0]!.runMigrations();
    stores = nodes.map((node) => new TypeOrmSessionStore(node));
  });

  afterEach(() => database.close());

  it('never deadlocks and never exceeds a limit, with all operations on the sessions of two users', async () => {
    const now = await loadSessions(stores);

    expect(refused).toEqual([]);
    for (const user of USERS) {
      expect((await stores[0]!.list(user, { limit: 1000 }, now)).records.length).toBeLessThanOrEqual(LIMIT);
    }
  });

  it('does so by a pool and an executor on two nodes', async () => {
    const [pool, another] = nodes.map(poolOf) as [Pool, Pool];
    const loaded = [new PostgresSessionStore(pool), new PostgresSessionStore(executorOn(another))];
    const now = await loadSessions(loaded);
    for (const user of USERS) {
      expect((await loaded[0]!.list(user, { limit: 1000 }, now)).records.length).toBeLessThanOrEqual(LIMIT);
    }
    await pool.query('SELECT pg_stat_force_next_flush()');
    const { rows } = await pool.query('SELECT deadlocks::int FROM pg_stat_database WHERE datname = current_database()');
    expect(rows).toEqual([{ deadlocks: 0 }]);
  });

  it('sweeps on two nodes at a time, and reports each session once', async () => {
    const expired = Array.from({ length: 3000 }, () => newRecord('alice'));
    const live = Array.from({ length: 200 }, () => newRecord('bob'));
    for (const record of [...expired, ...live]) await stores[0]!.create(record, NO_LIMIT, NOW);
    const now = NOW + HOUR;
    for (const { digest } of live) await stores[0]!.find(digest, { now: now - 1, idle: HOUR, interval: MINUTE });

    const reported: string[] = [];
    const sweep = async (store: SessionStore): Promise<void> => {
      for (;;) {
        const ended = await store.deleteExpired(now, 100);
        expect(ended.length).toBeLessThanOrEqual(100);
        reported.push(...ended.map(({ id }) => id));
        if (ended.length < 100) return;
      }
    };
    await Promise.all([...stores, ...stores].map(sweep));

    expect(reported.sort()).toEqual(expired.map(({ id }) => id).sort());
    expect((await stores[0]!.list('bob', { limit: 1000 }, now)).records).toHaveLength(200);
    expect(refused).toEqual([]);
  });

  it('finds what has expired behind sessions that were used since, and sweeps those when their time has come', async () => {
    const used = Array.from({ length: 1200 }, () => newRecord('alice'));
    for (const record of used) await stores[0]!.create(record, NO_LIMIT, NOW);
    for (const { digest } of used) await stores[0]!.find(digest, { now: NOW + HOUR - 1, idle: HOUR, interval: MINUTE });
    const expired = newRecord('bob', { expiresAt: NOW + HOUR + 1 });
    await stores[0]!.create(expired, NO_LIMIT, NOW);

    expect(await stores[0]!.deleteExpired(NOW + HOUR + 1, 1)).toEqual([{ id: expired.id, userId: 'bob' }]);
    expect(await stores[0]!.deleteExpired(NOW + HOUR + 1, 10)).toEqual([]);
    expect(await stores[0]!.deleteExpired(NOW + 2 * HOUR, 5000)).toHaveLength(1200);
  });

  it('recovers by itself when the server ends all connections', async () => {
    const record = newRecord('alice');
    await stores[0]!.create(record, NO_LIMIT, NOW);
    const find = (): Promise<unknown> => stores[0]!.find(record.digest, { now: NOW, idle: HOUR, interval: MINUTE });
    for (let round = 0; round < 3; round += 1) {
      const under = [find(), find(), find()].map((call) => call.catch(() => undefined));
      await nodes[1]!.query(
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
          WHERE datname = current_database() AND pid <> pg_backend_pid()`,
      );
      for (const outcome of await Promise.all(under)) {
        if (outcome !== undefined) expect(outcome).toEqual({ status: 'live', record });
      }
      let alive: unknown;
      for (let tries = 0; alive === undefined && tries < 20; tries += 1) alive = await find().catch(() => undefined);
      expect(alive).toEqual({ status: 'live', record });
    }
  });

  it('needs one connection at a time', async () => {
    const store = new TypeOrmSessionStore(await database.open({ extra: { max: 1, connectionTimeoutMillis: 5000 } }));
    const records = Array.from({ length: 20 }, () => newRecord('alice'));
    await Promise.all(records.map((record) => store.create(record, { max: 3, onLimit: 'evict-oldest' }, NOW)));
    await Promise.all([store.updateByUser('alice', { roles: ['a'] }, NOW), store.deleteExpired(NOW + HOUR, 1000)]);
    expect((await store.list('alice', { limit: 10 }, NOW)).records).toEqual([]);
  });
});

function errorCollector(errors: string[]): Logger {
  const ignore = (): void => undefined;
  return {
    logQuery: ignore,
    logQuerySlow: ignore,
    logSchemaBuild: ignore,
    logMigration: ignore,
    log: ignore,
    logQueryError: (error) => void errors.push(String(error)),
  };
}
