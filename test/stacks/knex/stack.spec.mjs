import knex from 'knex';
import { applicationHolds, storesHold } from './contracts.mjs';
import { knexExecutor } from './executor.js';

async function open(connection) {
  const db = knex({ client: 'pg', connection, pool: { min: 0, max: 10 } });
  return { source: knexExecutor(db), close: () => db.destroy() };
}

storesHold('Knex', open);
applicationHolds('Knex', open);
