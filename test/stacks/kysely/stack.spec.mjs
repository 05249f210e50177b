import { Kysely, Migrator, PostgresDialect, sql } from 'kysely';
import { createTablesSql } from 'nestjs-session-auth/postgres';
import pg from 'pg';
import { applicationHolds, migrationHolds, storesHold } from './contracts.mjs';
import { kyselyExecutor } from './executor.js';

async function open(connectionString) {
  const db = new Kysely({ dialect: new PostgresDialect({ pool: new pg.Pool({ connectionString }) }) });
  return { source: kyselyExecutor(db), close: () => db.destroy() };
}

storesHold('Kysely', open);
applicationHolds('Kysely', open);

migrationHolds('Kysely', async (connectionString) => {
  const db = new Kysely({ dialect: new PostgresDialect({ pool: new pg.Pool({ connectionString }) }) });
  const migration = { up: (db) => sql.raw(createTablesSql()).execute(db) };
  const provider = { getMigrations: () => Promise.resolve({ 'session-auth': migration }) };
  const { error } = await new Migrator({ db, provider }).migrateToLatest();
  await db.destroy();
  if (error !== undefined) throw error;
});
