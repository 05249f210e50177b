import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { postgresStorage, type PostgresStorage } from 'nestjs-session-auth/postgres';

/** A storage in a database by a pool of `pg`, without an ORM. The tables are made if they are not there. */
export async function openPgPool(connectionString: string, link = false): Promise<PostgresStorage> {
  const pool = new pg.Pool({ connectionString });
  const { rows } = await pool.query<{ table: string | null }>(`SELECT to_regclass('session_auth_session') AS table`);
  if (rows[0]!.table === null) {
    const schema = fileURLToPath(import.meta.resolve('nestjs-session-auth/postgres/schema.sql'));
    await pool.query(readFileSync(schema, 'utf8'));
  }
  return postgresStorage({ pool, ...(link && { link }) });
}
