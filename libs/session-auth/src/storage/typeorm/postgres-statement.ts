import { hash } from 'node:crypto';

/**
 * A statement with its parameters as `$1`, `$2`, …, and a name by which a connection keeps it prepared: planning the
 * statements of this library takes the server several times as long as running them.
 */
export interface PostgresStatement {
  readonly name: string;
  readonly text: string;
}

/** The name follows from the text, so stores with other schemas can share a connection. */
export function statement(text: string): PostgresStatement {
  return { name: `session_auth_${hash('sha256', text, 'base64url').slice(0, 22)}`, text };
}
