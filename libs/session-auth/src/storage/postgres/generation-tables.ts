import { rememberMeTable } from './remember-me-tables.js';
import { sessionTable } from './session-tables.js';
import { qualifiedName } from './sql-identifier.js';

/** The table of the present generations. */
export const GENERATION_TABLE = 'session_auth_generation';

/**
 * The statements that create the table. It has a row for the sessions of a realm, and one for its remembered devices,
 * once all of them were ended: see generation-clauses.ts.
 */
export function createGenerationTable(schema: string | undefined, ifMissing = ''): readonly string[] {
  return [
    `CREATE TABLE ${ifMissing}${qualifiedName(schema, GENERATION_TABLE)} (
      "name" text COLLATE "C" NOT NULL,
      "generation" bigint NOT NULL DEFAULT 0,
      "ended_before" bigint,
      CONSTRAINT "session_auth_generation_pkey" PRIMARY KEY ("name")
    )`,
  ];
}

/**
 * The statements that add the table, and the columns of generations, to tables of earlier versions. They may be
 * repeated, and rewrite no row.
 */
export function upgradeGenerations(schema: string | undefined): readonly string[] {
  return [
    ...[sessionTable(schema), rememberMeTable(schema)].map(
      (table) => `ALTER TABLE ${table}
      ADD COLUMN IF NOT EXISTS "generation" bigint NOT NULL DEFAULT 0`,
    ),
    ...createGenerationTable(schema, 'IF NOT EXISTS '),
  ];
}

/** The statement that drops the table. */
export function dropGenerationTable(schema: string | undefined): readonly string[] {
  // earlier tables do not have it
  return [`DROP TABLE IF EXISTS ${qualifiedName(schema, GENERATION_TABLE)}`];
}
