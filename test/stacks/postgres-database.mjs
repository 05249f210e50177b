import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import pg from 'pg';

/* Databases of the PostgreSQL that the stacks run on. */
const SERVER = process.env['STACK_POSTGRES_URL'];
const schema = createRequire(import.meta.url).resolve('nestjs-session-auth/postgres/schema.sql');

/** Makes an empty database with the tables of this package, or without them, and returns its URL. */
export async function makeDatabase({ tables = true } = {}) {
  const name = `stack_${Math.random().toString(36).slice(2)}`;
  await runOnPostgres(SERVER, `CREATE DATABASE ${name}`);
  const url = new URL(SERVER);
  url.pathname = `/${name}`;
  if (tables) await runOnPostgres(url.href, readFileSync(schema, 'utf8'));
  return url.href;
}

/** Runs a statement, or several. */
export async function runOnPostgres(url, text) {
  const client = new pg.Client(url);
  await client.connect();
  try {
    return (await client.query(text)).rows;
  } finally {
    await client.end();
  }
}
