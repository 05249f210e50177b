import { afterAll, beforeAll, describe } from '@jest/globals';
import type { DataSource } from 'typeorm';
import { sessionStoreContract } from 'nestjs-session-auth/testing';
import {
  createSessionAuthMigration,
  TypeOrmSessionStore,
  type TypeOrmSessionStoreOptions,
} from 'nestjs-session-auth/typeorm';
import { createTestDatabase, type TestDatabase } from '../../support/postgres-database.js';

interface Variant {
  readonly name: string;
  readonly options?: TypeOrmSessionStoreOptions;
  /** Settings of the driver's pool and connections. */
  readonly extra?: object;
}

const VARIANTS: readonly Variant[] = [
  { name: 'TypeOrmSessionStore' },
  {
    name: 'TypeOrmSessionStore in a schema of an odd name, behind a pooler that knows no prepared statements',
    options: { schema: `we"ird schema`, preparedStatements: false },
  },
  {
    name: 'TypeOrmSessionStore on a server that isolates strictly',
    extra: { options: '-c default_transaction_isolation=serializable' },
  },
];

describe.each(VARIANTS)('$name', ({ name, options, extra }) => {
  let database: TestDatabase;
  let nodes: DataSource[];

  beforeAll(async () => {
    database = await createTestDatabase();
    nodes = [
      await database.open({ extra, migrations: [createSessionAuthMigration({ schema: options?.schema })] }),
      await database.open({ extra }),
    ];
    await nodes[0]!.runMigrations();
  });

  afterAll(() => database.close());

  sessionStoreContract(name, async () => ({
    store: new TypeOrmSessionStore(nodes[0]!, options),
    another: async () => new TypeOrmSessionStore(nodes[1]!, options),
    close: () => Promise.resolve(),
  }));
});
