import { qualifiedName } from './sql-identifier.js';

/** The table that records the version of the tables. */
export const VERSION_TABLE = 'session_auth_version';

/**
 * The version of the tables that the stores work on. Tables of the next version work too: a version only adds things
 * that nodes of the previous version can do without. Tables without this table count as version 1.
 */
export const TABLES_VERSION = 3;

function versionTable(schema: string | undefined): string {
  return qualifiedName(schema, VERSION_TABLE);
}

/** The statements that create the table, with a row of this version. */
export function createVersionTable(schema: string | undefined): readonly string[] {
  const table = versionTable(schema);
  return [
    `CREATE TABLE ${table} (
      "version" integer NOT NULL,
      CONSTRAINT "session_auth_version_pkey" PRIMARY KEY ("version")
    )`,
    `INSERT INTO ${table} ("version") VALUES (${TABLES_VERSION})`,
  ];
}

/** The last statements of an upgrade: they record that all tables are of this version. They may be repeated. */
export function upgradeVersionTable(schema: string | undefined): readonly string[] {
  const table = versionTable(schema);
  return [
    `CREATE TABLE IF NOT EXISTS ${table} (
      "version" integer NOT NULL,
      CONSTRAINT "session_auth_version_pkey" PRIMARY KEY ("version")
    )`,
    `INSERT INTO ${table} ("version") VALUES (${TABLES_VERSION}) ON CONFLICT DO NOTHING`,
  ];
}

export function dropVersionTable(schema: string | undefined): readonly string[] {
  // earlier tables do not have it
  return [`DROP TABLE IF EXISTS ${versionTable(schema)}`];
}

/** The query that returns the version of the tables in a schema. */
export function findTablesVersion(schema: string | undefined): string {
  return `SELECT max("version")::text AS version FROM ${versionTable(schema)}`;
}
