import { afterAll } from '@jest/globals';
import { createDatabaseWithTables, type TestDatabase } from './postgres-database.js';

/** The databases of this test file, and those of them that no test uses at the moment. */
const made: TestDatabase[] = [];
const free: TestDatabase[] = [];

afterAll(async () => {
  for (const database of made) await database.close();
});

/**
 * A database with the library's tables, all of them empty; closing it leaves it to the next test of the file, because
 * making one takes longer than most tests. A test may write rows; one that changes a table makes its own database.
 */
export async function takeEmptyDatabase(): Promise<TestDatabase> {
  const database = free.pop() ?? (await makeDatabase());
  return {
    ...database,
    close: async () => {
      await database.empty();
      free.push(database);
    },
  };
}

async function makeDatabase(): Promise<TestDatabase> {
  const database = await createDatabaseWithTables();
  made.push(database);
  return database;
}
