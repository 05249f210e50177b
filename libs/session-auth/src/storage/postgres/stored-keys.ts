import { DEFAULT_REALM, realmPart } from '../../realms/realm-name.js';
import { decodeText, encodeText } from './postgres-text.js';

/**
 * How the keys of a realm's rows are stored. Rows of all realms are in the same tables. No statement has a condition on
 * the realm, because keys of different realms never match.
 *
 * - A handle or a selector has the prefix `@<realm>:`. Those of the default realm never begin like that.
 * - A user has the prefix U+001A and `@<realm>:`. No other user is stored like that, because {@link encodeText} writes
 *   digits after U+001A. A client that does not know realms, such as a node of an earlier version, cannot name a user
 *   of another realm.
 *
 * Keys of the default realm have no prefix.
 */
export class StoredKeys {
  /** The prefix of handles and selectors; empty for the default realm. Safe in the text of a statement. */
  readonly prefix: string;
  readonly #userPrefix: string;

  constructor(realm = DEFAULT_REALM) {
    this.prefix = realmPart(realm, '@', ':');
    this.#userPrefix = realmPart(realm, '\u001a@', ':');
  }

  /** Returns the SQL condition that a row belongs to the realm, by the column with its handle or selector. */
  isOwn(column: string): string {
    return this.prefix === '' ? `NOT starts_with(${column}, '@')` : `starts_with(${column}, '${this.prefix}')`;
  }

  /** Returns the stored form of a handle or selector. */
  encode(key: string): string {
    return this.prefix + encodeText(key);
  }

  /** Returns the handle or selector that {@link encode} was given. */
  decode(stored: string): string {
    return stored.slice(this.prefix.length);
  }

  /** Returns the stored form of a user's id. */
  encodeUser(userId: string): string {
    return this.#userPrefix + encodeText(userId);
  }

  /** Returns the id that {@link encodeUser} was given. */
  decodeUser(stored: string): string {
    return decodeText(stored.slice(this.#userPrefix.length));
  }
}

/** The keys of the default realm. */
export const DEFAULT_KEYS = new StoredKeys();
