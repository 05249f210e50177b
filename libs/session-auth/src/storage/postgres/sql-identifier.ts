import { SessionAuthError } from '../../errors/session-auth.error.js';

const MAX_IDENTIFIER_BYTES = 63;

/**
 * Quotes a name, so that PostgreSQL takes it literally.
 *
 * @param option the name of the option in the error message
 * @throws SessionAuthError `invalid_configuration` for an empty name, one with a NUL, and one of more than 63 bytes,
 *   which the server would silently cut to another name
 */
export function quoteIdentifier(name: string, option: string): string {
  const usable =
    typeof name === 'string' && name !== '' && !name.includes('\0') && Buffer.byteLength(name) <= MAX_IDENTIFIER_BYTES;
  if (!usable) {
    throw new SessionAuthError(
      'invalid_configuration',
      `${option}: given ${JSON.stringify(name)}; allowed is a name of 1 to ${MAX_IDENTIFIER_BYTES} bytes without NUL`,
    );
  }
  return `"${name.replaceAll('"', '""')}"`;
}

/** Returns a table's name with its schema; without a schema the server searches the connection's `search_path`. */
export function qualifiedName(schema: string | undefined, table: string): string {
  return schema === undefined ? `"${table}"` : `${quoteIdentifier(schema, 'schema')}."${table}"`;
}
