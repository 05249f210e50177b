import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { DataSource, Logger } from 'typeorm';
import type { SessionStore } from 'nestjs-session-auth';
import { CreateSessionAuthTables, TypeOrmSessionStore } from 'nestjs-session-auth/typeorm';
import { withReplaced, withSuccessor } from '../../../libs/session-auth/src/session/session-tokens.js';
import { createTestDatabase, type TestDatabase } from '../../support/postgres-database.js';
import { HOUR, MINUTE, newDigest, newRecord, nextDigest, NO_LIMIT, NOW } from '../../support/session-records.js';

const USERS = ['alice', 'bob'];

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

  it('never deadlocks and never goes over a limit, whatever is done to the sessions of two users', async () => {
    const digests = new Map(USERS.map((user) => [user, [] as string[]]));
    let now = NOW;
    const pick = <T>(list: readonly T[]): T | undefined => list[Math.floor(Math.random() * list.length)];
    const operations: ((store: SessionStore, user: string, digest: string) => Promise<unknown>)[] = [
      async (store, user) => {
        const device = pick([undefined, undefined, 'phone', 'laptop']);
        const record = newRecord(user, { createdAt: now, lastActivityAt: now, expiresAt: now + MINUTE, device });
        const onLimit = pick(['evict-oldest', 'evict-least-recent'] as const)!;
        await store.create(record, { max: 20, onLimit, sharedFor: pick([0, 100])! }, now);
        digests.get(user)!.push(record.digest);
      },
      async (store, user, digest) => {
        const found = await store.find(digest, { now, idle: MINUTE, interval: MINUTE });
        if (found.status !== 'live') return;
        const { record } = found;
        const next = nextDigest(digest);
        const changes = pick([
          withSuccessor(record, next, now),
          withReplaced(record, next, { now, grace: 1000, kind: 'retired' }),
        ])!;
        const renewed = pick([{}, { createdAt: now, expiresAt: now + MINUTE }])!;
        await store.rotate(digest, { revision: record.revision ?? 0, now, changes: { ...changes, ...renewed } });
        digests.get(user)!.push(next);
      },
      (store, _, digest) => store.find(digest, { now, idle: MINUTE, interval: 0 }),
      (store, _, digest) => store.update(digest, { [pick(['a', 'b', 'c'])!]: now, d: undefined }, now, 1000),
      (store, _, digest) => store.delete(digest, now),
      (store, user) => store.updateByUser(user, { roles: [String(now)] }, now),
      (store, user) => store.deleteByUser(user, { limit: pick([1, 5, 100])! }, now),
      (store, user) => store.list(user, { limit: 10 }, now),
      (store) => store.deleteExpired(now, 5),
    ];
    // logins outnumber the rest, so that there is something to work on
    const weighted = [
      ...operations,
      ...Array.from({ length: 6 }, () => operations[0]!),
      operations[1]!,
      operations[1]!,
    ];

    let left = 4000;
    const worker = async (_: unknown, index: number): Promise<void> => {
      while (left-- > 0) {
        now += 20;
        const user = pick(USERS)!;
        await pick(weighted)!(stores[index % 2]!, user, pick(digests.get(user)!.slice(-40)) ?? newDigest());
      }
    };
    await Promise.all(Array.from({ length: 32 }, worker));

    expect(refused).toEqual([]);
    for (const user of USERS) {
      expect((await stores[0]!.list(user, { limit: 1000 }, now)).records.length).toBeLessThanOrEqual(20);
    }
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
