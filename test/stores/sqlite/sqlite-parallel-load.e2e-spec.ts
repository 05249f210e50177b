import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { SessionStore } from 'nestjs-session-auth';
import { SqliteSessionStore } from 'nestjs-session-auth/sqlite';
import { LIMIT, loadSessions, USERS } from '../../support/session-load.js';
import { newRecord, NOW } from '../../support/session-records.js';
import { createSqliteDatabase, type SqliteTestDatabase } from '../../support/sqlite-database.js';

describe('SQLite under parallel load on two handles', () => {
  let database: SqliteTestDatabase;
  let stores: SessionStore[];

  beforeEach(async () => {
    database = await createSqliteDatabase();
    stores = [new SqliteSessionStore(database.open()), new SqliteSessionStore(database.open())];
  });

  afterEach(() => database.close());

  it('never exceeds a limit, with all operations on the sessions of two users', async () => {
    const now = await loadSessions(stores);
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
  });
});
