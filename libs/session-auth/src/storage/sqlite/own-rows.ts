import type { StoredKeys } from '../postgres/stored-keys.js';

/** Returns the condition that a row is of the realm, by the column that has its handle, selector or name. */
export function isOwn({ prefix }: StoredKeys, column: string): string {
  // a prefix is of letters that are safe in the text of a statement
  return prefix === '' ? `substr(${column}, 1, 1) <> '@'` : `substr(${column}, 1, ${prefix.length}) = '${prefix}'`;
}
