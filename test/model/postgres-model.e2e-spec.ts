import { afterAll, beforeAll, describe, it } from '@jest/globals';
import { CreateSessionAuthTables, TypeOrmRememberMeTokenStore, TypeOrmSessionStore } from 'nestjs-session-auth/typeorm';
import type { DataSource } from 'typeorm';
import { createTestDatabase, type TestDatabase } from '../support/postgres-database.js';
import { checkModel } from './check-model.js';
import type { Backend } from './system.js';

let database: TestDatabase;
let nodes: DataSource[];

beforeAll(async () => {
  database = await createTestDatabase();
  nodes = [await database.open({ migrations: [CreateSessionAuthTables] }), await database.open()];
  await nodes[0]!.runMigrations();
});

afterAll(() => database.close());

/* `MODEL_RUNS` and `MODEL_SEED` are explained in memory-model.e2e-spec.ts. */
describe('sessions and remembered devices in PostgreSQL', () => {
  it('do what the reference model does', () => checkModel(openPostgres, { runs: 150, length: 25, looks: 4 }));
});

async function openPostgres(): Promise<Backend> {
  await nodes[0]!.query('DELETE FROM session_auth_session; DELETE FROM session_auth_remember_me');
  return {
    connect: (node) => ({
      sessions: new TypeOrmSessionStore(nodes[node]!),
      tokens: new TypeOrmRememberMeTokenStore(nodes[node]!),
    }),
    tick: 1,
    expiresByItself: false,
    inside: async () => {
      const rows = await nodes[0]!.query<{ handle: string }[]>('SELECT handle FROM session_auth_session');
      return { records: rows.map(({ handle }) => handle), faults: [] };
    },
  };
}
