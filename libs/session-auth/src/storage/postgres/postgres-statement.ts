import { hash } from 'node:crypto';

/** A statement with its parameters as `$1`, `$2`, … */
export interface PostgresStatement {
  readonly text: string;
  /**
   * The name under which a connection keeps the statement prepared. Planning the statements of this library takes the
   * server several times as long as running them. A statement without a name is planned each time.
   */
  readonly name?: string;
}

/** What a parameter of a statement can be. */
export type SqlValue = string | number | null | readonly (string | null)[];

/** A row as text, in the order of its columns. The parsers that the application has set for types do not apply. */
export type Row = readonly (string | null)[];

/** Returns a statement with a name that follows from its text: stores on different schemas can share a connection. */
export function statement(text: string): PostgresStatement {
  return { name: `session_auth_${hash('sha256', text, 'base64url').slice(0, 22)}`, text };
}

/** Returns columns as a statement lists them: quoted, and qualified with the alias of a table if one is given. */
export function listColumns(columns: readonly string[], alias?: string): string {
  return columns.map((column) => (alias === undefined ? `"${column}"` : `${alias}."${column}"`)).join(', ');
}
