import type { TestDatabase } from './postgres-database.js';

/** The databases of this test file, and those of them that no test uses at the moment. */
const made: TestDatabase[] = [];
const free: TestDatabase[] = [];

/**
 * A database with the library's tables, all of them empty; closing it leaves it to the next test of the file, because
 * making one takes longer than most tests. A test may write rows; one that changes a table makes its own database.
 */
export async function takeEmptyDatabase(): Promise<TestDatabase> {
  const database = free.pop() ?? (await makeDatabase());
  return {
    ...database,
    close: async () => {
      // a hook of the file may close it after the end of all
      if (!made.includes(database)) return;
      await database.empty();
      free.push(database);
    },
  };
}

/** Drops them all; for the end of the file. */
export async function dropDatabases(): Promise<void> {
  free.length = 0;
  for (const database of made.splice(0)) await database.close();
}

async function makeDatabase(): Promise<TestDatabase> {
  const { createDatabaseWithTables } = await import('./postgres-database.js');
  const database = await createDatabaseWithTables();
  made.push(database);
  return database;
}
