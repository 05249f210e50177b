import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Pool } from 'mysql2/promise';
import type { SessionStore } from 'nestjs-session-auth';
import { MysqlSessionStore } from 'nestjs-session-auth/mysql';
import { createMysqlDatabase, type MysqlTestDatabase } from '../../support/mysql-database.js';
import { setUp } from '../../support/mysql-variants.js';
import { LIMIT, loadSessions, USERS } from '../../support/session-load.js';
import { HOUR, MINUTE, newRecord, NO_LIMIT, NOW } from '../../support/session-records.js';
import { watchPool, type WatchedPool } from '../../support/watched-pool.js';

const ISOLATIONS = ['READ UNCOMMITTED', 'READ COMMITTED', 'REPEATABLE READ', 'SERIALIZABLE'] as const;

describe.each(ISOLATIONS)('MariaDB under parallel load, with pools that isolate by %s', (isolation) => {
  let database: MysqlTestDatabase;
  let pools: Pool[];
  let stores: SessionStore[];
  let watched: WatchedPool[];

  beforeEach(async () => {
    database = await createMysqlDatabase();
    pools = [database.open(), database.open()];
    for (const pool of pools) setUp(pool, [`SET SESSION TRANSACTION ISOLATION LEVEL ${isolation}`]);
    watched = pools.map(watchPool);
    stores = pools.map((pool) => new MysqlSessionStore(pool));
  });

  afterEach(() => database.close());

  const refused = (): string[] => watched.flatMap((each) => each.refused.map(String));

  it('never deadlocks and never exceeds a limit, with all operations on the sessions of two users', async () => {
    const now = await loadSessions(stores, 2000);
    expect(refused()).toEqual([]);
    for (const user of USERS) {
      expect((await stores[0]!.list(user, { limit: 1000 }, now)).records.length).toBeLessThanOrEqual(LIMIT);
    }
  });

  it('lets as many of 100 parallel logins in as the limit says, for users who log in for the first time', async () => {
    const users = Array.from({ length: 10 }, (_, i) => `user-${i}`);
    await Promise.all(
      Array.from({ length: 100 }, (_, i) =>
        stores[i % 2]!.create(newRecord(users[i % 10]), { max: 3, onLimit: 'reject' }, NOW),
      ),
    );
    for (const user of users) expect((await stores[0]!.list(user, { limit: 10 }, NOW)).records).toHaveLength(3);
    expect(refused()).toEqual([]);
  });

  it('sweeps on two nodes beside logins, and reports each session once', async () => {
    const expired = Array.from({ length: 1200 }, () => newRecord('alice'));
    const live = Array.from({ length: 100 }, () => newRecord('bob'));
    await Promise.all([...expired, ...live].map((record, i) => stores[i % 2]!.create(record, NO_LIMIT, NOW)));
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
    const later = { createdAt: now, lastActivityAt: now, expiresAt: now + HOUR, absoluteExpiresAt: now + 2 * HOUR };
    const logins = Array.from({ length: 100 }, (_, i) =>
      stores[i % 2]!.create(newRecord('alice', later), { max: 5, onLimit: 'evict-oldest' }, now),
    );
    await Promise.all([...stores.map(sweep), ...logins]);
    await sweep(stores[0]!);

    expect(reported.sort()).toEqual(expired.map(({ id }) => id).sort());
    expect((await stores[0]!.list('bob', { limit: 1000 }, now)).records).toHaveLength(100);
    expect((await stores[0]!.list('alice', { limit: 1000 }, now)).records).toHaveLength(5);
    expect(refused()).toEqual([]);
  });
});
