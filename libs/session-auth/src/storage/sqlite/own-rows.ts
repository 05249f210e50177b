import type { StoredKeys } from '../postgres/stored-keys.js';

/** Returns the condition that a row belongs to the realm, by the column with its handle, selector or name. */
export function isOwn({ prefix }: StoredKeys, column: string): string {
  // a prefix has only letters that are safe in the text of a statement
  return prefix === '' ? `substr(${column}, 1, 1) <> '@'` : `substr(${column}, 1, ${prefix.length}) = '${prefix}'`;
}
