import knex from 'knex';
import { applicationHolds, migrationHolds, storesHold } from './contracts.mjs';
import { createTablesSql } from 'nestjs-session-auth/postgres';
import { knexExecutor } from './executor.js';

async function open(connection) {
  const db = knex({ client: 'pg', connection, pool: { min: 0, max: 10 } });
  return { source: knexExecutor(db), close: () => db.destroy() };
}

storesHold('Knex', open);
applicationHolds('Knex', open);

migrationHolds('Knex', async (connection) => {
  const db = knex({ client: 'pg', connection });
  const migration = { up: (knex) => knex.raw(createTablesSql()), down: () => Promise.resolve() };
  const migrationSource = {
    getMigrations: () => Promise.resolve(['session-auth']),
    getMigrationName: (name) => name,
    getMigration: () => Promise.resolve(migration),
  };
  await db.migrate.latest({ migrationSource });
  await db.destroy();
});
