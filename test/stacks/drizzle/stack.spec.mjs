import { drizzle } from 'drizzle-orm/node-postgres';
import pg from 'pg';
import { applicationHolds, storesHold } from './contracts.mjs';
import { drizzleExecutor } from './executor.js';

async function open(connectionString) {
  const pool = new pg.Pool({ connectionString });
  return { source: drizzleExecutor(drizzle(pool)), close: () => pool.end() };
}

storesHold('Drizzle', open);
applicationHolds('Drizzle', open);
