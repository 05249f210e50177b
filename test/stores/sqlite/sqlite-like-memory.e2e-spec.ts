import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { MemorySessionStore } from 'nestjs-session-auth';
import { SqliteSessionStore } from 'nestjs-session-auth/sqlite';
import { createSqliteDatabase, type SqliteTestDatabase } from '../../support/sqlite-database.js';
import { asWritten, operation } from '../../support/store-operations.js';

describe('SQLite and the memory store', () => {
  let database: SqliteTestDatabase;

  beforeAll(async () => {
    database = await createSqliteDatabase();
  });

  afterAll(() => database.close());

  it('return the same for the same operations, one after another', async () => {
    const handle = database.open();
    const sqlite = new SqliteSessionStore(handle);
    const property = fc.asyncProperty(fc.array(operation(), { minLength: 20, maxLength: 60 }), async (operations) => {
      handle.exec('DELETE FROM session_auth_session');
      const memory = new MemorySessionStore();
      let now = 1_800_000_000_000;
      for (const each of operations) {
        now += each.after;
        const outcome = asWritten(await each.run(memory, now));
        expect(asWritten(await each.run(sqlite, now))).toEqual(outcome);
      }
    });
    await fc.assert(property, { numRuns: 200 });
  });
});
