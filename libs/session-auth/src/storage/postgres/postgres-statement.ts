import { hash } from 'node:crypto';

/**
 * A statement with its parameters as `$1`, `$2`, …
 *
 * It must run through any driver, whatever types and names the driver produces. So each use of a parameter states its
 * type, because some drivers number each use separately. All columns are text with a name of one lower-case word,
 * because drivers parse `json` and `bigint` differently, and may rename a column with an underscore.
 */
export interface PostgresStatement {
  readonly text: string;
  /** The names of the columns that are read, in their order. */
  readonly columns: readonly string[];
  /**
   * The name under which a connection keeps the statement prepared. Planning a statement of this library takes the
   * server several times as long as running it. A statement without a name is planned each time.
   */
  readonly name?: string;
}

/** A parameter of a statement. Lists are text: see {@link encodeArray}. */
export type SqlValue = string | number | null;

/**
 * A row as text, in the order of its columns; booleans are `true` and `false`. The application's parsers for types do
 * not apply.
 */
export type Row = readonly (string | null)[];

/**
 * Returns a statement with a name derived from its text, so that stores on different schemas can share a connection.
 */
export function statement(text: string, columns: readonly string[] = []): PostgresStatement {
  return { name: `session_auth_${hash('sha256', text, 'base64url').slice(0, 22)}`, text, columns };
}

/** Returns a list as the text that PostgreSQL casts to an array, for a parameter such as `$1::text::text[]`. */
export function encodeArray(texts: readonly string[]): string {
  return `{${texts.map((text) => `"${text.replace(/["\\]/g, '\\$&')}"`).join(',')}}`;
}

/** Returns columns as a statement lists them: quoted, and qualified with the alias of a table if one is given. */
export function listColumns(columns: readonly string[], alias?: string): string {
  return columns.map((column) => (alias === undefined ? `"${column}"` : `${alias}."${column}"`)).join(', ');
}

/** Returns columns as the last part of a statement lists them, each as text under its {@link nameInRow}. */
export function listAsText(columns: readonly string[], alias: string): string {
  return columns.map((column) => `${alias}."${column}"::text AS ${nameInRow(column)}`).join(', ');
}

/** Returns the name of a table's column in rows. */
export function nameInRow(column: string): string {
  return column.replaceAll('_', '');
}
