import { mysqlStorage } from 'nestjs-session-auth/mysql';
import type { Backend } from './bank.js';
import { createMysqlDatabase } from './mysql-database.js';

/** A backend on an empty database of its own, where each node has a pool of its own. It has no link. */
export async function openMysqlBackend(namespace: string): Promise<Backend> {
  const database = await createMysqlDatabase();
  return {
    get storage() {
      return mysqlStorage({ pool: database.open() });
    },
    redis: undefined,
    namespace,
    close: () => database.close(),
  };
}
