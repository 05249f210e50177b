import { Kysely, PostgresDialect } from 'kysely';
import pg from 'pg';
import { applicationHolds, storesHold } from './contracts.mjs';
import { kyselyExecutor } from './executor.js';

async function open(connectionString) {
  const db = new Kysely({ dialect: new PostgresDialect({ pool: new pg.Pool({ connectionString }) }) });
  return { source: kyselyExecutor(db), close: () => db.destroy() };
}

storesHold('Kysely', open);
applicationHolds('Kysely', open);
