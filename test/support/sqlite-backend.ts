import { sqliteStorage } from 'nestjs-session-auth/sqlite';
import type { Backend } from './bank.js';
import { createSqliteDatabase } from './sqlite-database.js';

/** A backend on a file of its own, where each node has a handle of its own. It has no link. */
export async function openSqliteBackend(namespace: string): Promise<Backend> {
  const database = await createSqliteDatabase();
  return {
    get storage() {
      return sqliteStorage({ database: database.open() });
    },
    redis: undefined,
    namespace,
    close: () => database.close(),
  };
}
