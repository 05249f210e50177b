import { DEFAULT_REALM, realmPart } from '../../realms/realm-name.js';
import { decodeText, encodeText } from './postgres-text.js';

/**
 * How the keys of a realm's rows are stored. Rows of all realms are in the same tables; no statement has a condition
 * that tells them apart, since no key of one is a key of another.
 *
 * - A handle or a selector has `@<realm>:` before it, which no other one begins with.
 * - A user has U+001A and `@<realm>:` before it. No other user is stored so: {@link encodeText} writes digits behind
 *   U+001A. Whoever knows nothing of realms, such as a node of an earlier version, cannot name the user of another realm.
 *
 * Keys of the default realm are stored as they are.
 */
export class StoredKeys {
  /** What a handle or selector begins with: nothing for the default realm. Safe in the text of a statement. */
  readonly prefix: string;
  readonly #userPrefix: string;

  constructor(realm = DEFAULT_REALM) {
    this.prefix = realmPart(realm, '@', ':');
    this.#userPrefix = realmPart(realm, '\u001a@', ':');
  }

  /** Returns the condition of SQL that a row is of the realm, by the column that has its handle or selector. */
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
