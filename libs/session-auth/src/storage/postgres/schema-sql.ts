import { upgradeAuditTable } from './audit-tables.js';
import { upgradeGenerations } from './generation-tables.js';
import { upgradeRememberMeTable } from './remember-me-tables.js';
import { createAllTables } from './session-auth-tables.js';
import { renewSessionTable, sessionTable, upgradeSessionTable } from './session-tables.js';
import { quoteIdentifier } from './sql-identifier.js';
import { upgradeVersionTable } from './version-table.js';

const CREATES = '-- The tables of nestjs-session-auth, for PostgreSQL 12 or later.\n\n';
const UPGRADES = `-- Brings the tables of nestjs-session-auth to those of this version. It may be repeated.
-- It ends all sessions where they are of version 0.1, and keeps everything else.

`;

/** Settings of {@link createTablesSql} and {@link upgradeTablesSql}. */
export interface TablesSqlOptions {
  /**
   * The schema of the tables; `createTablesSql` creates it when it is missing. @default that of the connection that
   * runs the statements
   */
  readonly schema?: string;
}

/**
 * Returns the SQL that creates all tables of this package: the content of `nestjs-session-auth/postgres/schema.sql`,
 * for a migration in code and for another schema.
 *
 * @throws SessionAuthError `invalid_configuration` for an invalid schema name
 */
export function createTablesSql({ schema }: TablesSqlOptions = {}): string {
  if (schema === undefined) return script(CREATES, createAllTables(schema).map(outdented));
  const create = `CREATE SCHEMA ${quoteIdentifier(schema, 'createTablesSql.schema')}`;
  // `IF NOT EXISTS` needs the right to create schemas even when the schema exists
  const first = unless(`SELECT FROM pg_namespace WHERE nspname = ${quoteText(schema)}`, [create]);
  return script(CREATES, [first, ...createAllTables(schema)]);
}

/**
 * Returns the SQL that brings the tables of earlier versions to those of {@link createTablesSql}: the content of
 * `nestjs-session-auth/postgres/upgrade.sql`. It may be repeated, and changes nothing if the tables are of this
 * version.
 *
 * For tables of version 0.1 it ends all sessions, because tokens of that version no longer identify a session. For
 * later tables it keeps everything, and older nodes continue to work.
 *
 * @throws SessionAuthError `invalid_configuration` for an invalid schema name
 */
export function upgradeTablesSql({ schema }: TablesSqlOptions = {}): string {
  if (schema !== undefined) quoteIdentifier(schema, 'upgradeTablesSql.schema');
  const text = (statements: readonly string[]): readonly string[] =>
    schema === undefined ? statements.map(outdented) : statements;
  return script(UPGRADES, [
    ...text([...upgradeRememberMeTable(schema), ...upgradeAuditTable(schema)]),
    unless(
      `SELECT FROM pg_attribute
    WHERE attrelid = to_regclass(${quoteText(sessionTable(schema))}) AND attname = 'revision' AND NOT attisdropped`,
      renewSessionTable(schema),
    ),
    ...text([...upgradeSessionTable(schema), ...upgradeGenerations(schema), ...upgradeVersionTable(schema)]),
  ]);
}

/** Runs statements if a query finds nothing. */
function unless(query: string, statements: readonly string[]): string {
  const body = `
BEGIN
  IF NOT EXISTS (${query}) THEN
    ${statements.map((statement) => `${statement};`).join('\n    ')}
  END IF;
END `;
  // the name of a schema may contain any character
  let tag = '$session_auth$';
  while (body.includes(tag)) tag = `${tag.slice(0, -1)}_$`;
  return `DO ${tag}${body}${tag}`;
}

function quoteText(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/** Removes the indentation of the source from a statement without a schema name, which might contain blanks. */
function outdented(statement: string): string {
  return statement.replaceAll('\n    ', '\n');
}

function script(title: string, statements: readonly string[]): string {
  return title + statements.map((statement) => `${statement};\n`).join('\n');
}
