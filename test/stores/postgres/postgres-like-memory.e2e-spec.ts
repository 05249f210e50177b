import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { CreateSessionAuthTables, TypeOrmSessionStore } from 'nestjs-session-auth/typeorm';
import type { DataSource } from 'typeorm';
import { MemorySessionStore } from '../../../libs/session-auth/src/storage/memory/memory-session-store.js';
import { createTestDatabase, type TestDatabase } from '../../support/postgres-database.js';
import { asWritten, operation } from '../../support/store-operations.js';

describe('PostgreSQL and the memory store', () => {
  let database: TestDatabase;
  let dataSource: DataSource;

  beforeAll(async () => {
    database = await createTestDatabase();
    dataSource = await database.open({ migrations: [CreateSessionAuthTables] });
    await dataSource.runMigrations();
  });

  afterAll(() => database.close());

  it('return the same for the same operations, one after another', async () => {
    const postgres = new TypeOrmSessionStore(dataSource);
    const property = fc.asyncProperty(fc.array(operation(), { minLength: 20, maxLength: 60 }), async (operations) => {
      await dataSource.query('DELETE FROM session_auth_session');
      const memory = new MemorySessionStore();
      let now = 1_800_000_000_000;
      for (const each of operations) {
        now += each.after;
        const outcome = asWritten(await each.run(memory, now));
        expect(asWritten(await each.run(postgres, now))).toEqual(outcome);
      }
    });
    await fc.assert(property, { numRuns: 60 });
  });
});
