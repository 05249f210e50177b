import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { MemorySessionStore } from 'nestjs-session-auth';
import { MysqlSessionStore } from 'nestjs-session-auth/mysql';
import { createMysqlDatabase, type MysqlTestDatabase } from '../../support/mysql-database.js';
import { asWritten, operation } from '../../support/store-operations.js';

describe('MariaDB and the memory store', () => {
  let database: MysqlTestDatabase;

  beforeAll(async () => {
    database = await createMysqlDatabase();
  });

  afterAll(() => database.close());

  it('return the same for the same operations, one after another', async () => {
    const pool = database.open();
    const mysql = new MysqlSessionStore(pool);
    const property = fc.asyncProperty(fc.array(operation(), { minLength: 20, maxLength: 60 }), async (operations) => {
      await pool.query('DELETE FROM session_auth_session');
      const memory = new MemorySessionStore();
      let now = 1_800_000_000_000;
      for (const each of operations) {
        now += each.after;
        const outcome = asWritten(await each.run(memory, now));
        expect(asWritten(await each.run(mysql, now))).toEqual(outcome);
      }
    });
    await fc.assert(property, { numRuns: 60 });
  });
});
