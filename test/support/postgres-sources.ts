import { afterAll, beforeAll, describe } from '@jest/globals';
import { createTablesSql, type PostgresSource, type PostgresStoreOptions } from 'nestjs-session-auth/postgres';
import { Pool, type PoolConfig } from 'pg';
import { createTestDatabase, type TestDatabase } from './postgres-database.js';
import { executorOn, HABITS, type ExecutorHabits } from './sql-executors.js';

/** What the stores of two nodes run on, once the tests run. */
export interface PostgresSources {
  readonly options: PostgresStoreOptions;
  readonly database: () => TestDatabase;
  readonly source: (node: 0 | 1) => PostgresSource;
  /** For looking into the database. */
  readonly pool: () => Pool;
}

interface Way {
  readonly name: string;
  readonly options?: PostgresStoreOptions;
  readonly config?: PoolConfig;
  /** Of the executor of each node; a pool where there are none. */
  readonly habits?: readonly [ExecutorHabits | undefined, ExecutorHabits | undefined];
}

const SERIALIZABLE = { options: '-c default_transaction_isolation=serializable' };

const WAYS: readonly Way[] = [
  { name: 'a pool, in a schema of an odd name', options: { schema: `we"ird schema` } },
  ...Object.entries(HABITS).map(([name, habits]) => ({
    name: `an executor ${name}`,
    habits: [habits, habits] as const,
  })),
  {
    name: 'an executor on a server that isolates strictly, and a pool on the other node',
    config: SERIALIZABLE,
    habits: [{}, undefined],
  },
];

/**
 * Declares tests for each way in which PostgreSQL may be used without an ORM, on a database that two nodes share.
 *
 * @param ways how many of them: the first ones differ most
 */
export function describeWithoutOrm(
  store: string,
  declare: (name: string, sources: PostgresSources) => void,
  ways = WAYS.length,
): void {
  describe.each(WAYS.slice(0, ways))(`${store} on $name`, ({ name, options = {}, config, habits }) => {
    let database: TestDatabase;
    let pools: Pool[];
    let sources: PostgresSource[];

    beforeAll(async () => {
      database = await createTestDatabase();
      pools = [0, 1].map(() => new Pool({ connectionString: database.url, ...config }));
      for (const pool of pools) {
        // `end` of a pool does not wait for its connections, so that dropping the database may still meet one
        pool.on('connect', (client) => client.on('error', () => undefined));
      }
      sources = pools.map((pool, node) => {
        const own = habits?.[node];
        return own === undefined ? pool : executorOn(pool, own);
      });
      await pools[0]!.query(createTablesSql({ schema: options.schema }));
    });

    afterAll(async () => {
      for (const pool of pools) {
        // a connection that is still closing is told that the database is dropped, and the pool tells of that
        pool.on('error', () => undefined);
        await pool.end();
      }
      await database.close();
    });

    declare(`${store} on ${name}`, {
      options,
      database: () => database,
      source: (node) => sources[node]!,
      pool: () => pools[0]!,
    });
  });
}
