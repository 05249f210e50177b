import { typeOrmStorage } from 'nestjs-session-auth/typeorm';
import type { Backend } from './bank.js';
import { takeEmptyDatabase } from './emptied-databases.js';
import { createDatabaseWithTables, type TestDatabase } from './postgres-database.js';

/** A backend on a database of its own: on the run's PostgreSQL, or on the one at `url`. */
export async function openPostgresBackend(
  namespace: string,
  url: string | undefined,
  pool: Parameters<TestDatabase['open']>[0],
): Promise<Backend> {
  const database = await (url === undefined ? takeEmptyDatabase() : createDatabaseWithTables(url));
  const dataSource = await database.open(pool);
  const nodes = [dataSource, await database.open(pool)];
  let asked = 0;
  return {
    get storage() {
      return typeOrmStorage({ dataSource: nodes[asked++ % nodes.length]! });
    },
    redis: undefined,
    dataSource,
    namespace,
    close: () => database.close(),
  };
}
