import type { DataSource } from 'typeorm';
import type { Pool } from 'pg';

/** Every table, column, index, sequence and constraint of this library in a database, however they came about. */
export async function catalogueOf(database: DataSource | Pool): Promise<unknown[]> {
  if ('totalCount' in database) return (await database.query<object>(CATALOGUE)).rows;
  return database.query<unknown[]>(CATALOGUE);
}

const CATALOGUE = `
SELECT relkind, nspname, relname, relpersistence, reloptions, pg_get_indexdef(pg_class.oid) AS definition,
    (SELECT json_agg(json_build_array(conname, pg_get_constraintdef(oid)) ORDER BY conname) FROM pg_constraint
      WHERE conrelid = pg_class.oid) AS constraints,
    (SELECT json_agg(to_jsonb(columns) - '{table_catalog,udt_catalog,collation_catalog,ordinal_position,dtd_identifier}'::text[]
      ORDER BY column_name) FROM information_schema.columns WHERE table_schema = nspname AND table_name = relname) AS columns
  FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
  WHERE relname LIKE 'session\\_auth\\_%' AND relkind IN ('r', 'i', 'S') ORDER BY nspname, relname`;
