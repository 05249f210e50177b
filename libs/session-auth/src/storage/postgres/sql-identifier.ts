import { SessionAuthError } from '../../errors/session-auth.error.js';

const MAX_IDENTIFIER_BYTES = 63;

/**
 * A name as PostgreSQL takes it literally, whatever is in it: in double quotes, those inside doubled.
 *
 * @param option what to call the name in the error
 * @throws SessionAuthError `invalid_configuration` for what is no name there: an empty one, one with a NUL, or one that
 *   the server would cut silently at 63 bytes and so take for another
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

/** A table's name with its schema; without one the server looks along the connection's `search_path`. */
export function qualifiedName(schema: string | undefined, table: string): string {
  return schema === undefined ? `"${table}"` : `${quoteIdentifier(schema, 'schema')}."${table}"`;
}
