import { afterAll, beforeAll, describe } from '@jest/globals';
import { createSessionAuthMigration, type TypeOrmSessionStoreOptions } from 'nestjs-session-auth/typeorm';
import type { DataSource } from 'typeorm';
import { createTestDatabase, type TestDatabase } from './postgres-database.js';

/** A store of one application node on PostgreSQL, and the same on another node. */
export interface PostgresNodes {
  readonly options: TypeOrmSessionStoreOptions;
  /** The data source of node 0 or 1, once the tests run. */
  readonly dataSource: (node: 0 | 1) => DataSource;
}

const VARIANTS: readonly (readonly [string, TypeOrmSessionStoreOptions, object])[] = [
  ['', {}, {}],
  [
    ' in a schema of an odd name, behind a pooler that knows no prepared statements',
    { schema: `we"ird schema`, preparedStatements: false },
    {},
  ],
  [' on a server that isolates strictly', {}, { options: '-c default_transaction_isolation=serializable' }],
];

/**
 * Declares tests of a store for each way in which PostgreSQL may be set up, on a migrated database that two nodes
 * share.
 *
 * @param store what the tests are listed under
 */
export function describeOnPostgres(store: string, declare: (name: string, nodes: PostgresNodes) => void): void {
  describe.each(VARIANTS.map(([way, options, extra]) => ({ name: `${store}${way}`, options, extra })))(
    '$name',
    ({ name, options, extra }) => {
      let database: TestDatabase;
      let nodes: DataSource[];

      beforeAll(async () => {
        database = await createTestDatabase();
        nodes = [
          await database.open({ extra, migrations: [createSessionAuthMigration({ schema: options.schema })] }),
          await database.open({ extra }),
        ];
        await nodes[0]!.runMigrations();
      });

      afterAll(() => database.close());

      declare(name, { options, dataSource: (node) => nodes[node]! });
    },
  );
}
