import type { StoredKeys } from '../postgres/stored-keys.js';
import { columnList, sql, type SqlText } from './sql-text.js';

/** Returns the condition that a row belongs to the realm, by the column with its handle, selector or name. */
export function isOwn({ prefix }: StoredKeys, column: string): SqlText {
  const name = columnList([column]);
  return prefix === '' ? sql`${name} NOT LIKE '@%'` : sql`LEFT(${name}, ${prefix.length}) = ${prefix}`;
}
