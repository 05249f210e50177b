import { hash } from 'node:crypto';
import { realmPart } from '../../realms/realm-name.js';
import type { PostgresStoreSettings } from './postgres-database.js';

/**
 * How many milliseconds a transaction with a lock may wait for its next statement. This is longer than any pause
 * between the library's statements: a node that vanishes must not hold a user's lock until TCP gives up.
 */
export const MAX_IDLE = 10_000;

/** The namespace of the locks of a table and realm. */
export function lockNamespace(table: string, { schema, realm }: PostgresStoreSettings): string {
  const part = realm === undefined ? '' : realmPart(realm, '@', '');
  return JSON.stringify([table, schema, ...(part === '' ? [] : [part])]);
}

/** The number of the advisory lock of a user or a task. Stores with different namespaces have different locks. */
export function advisoryLock(namespace: string, name: string): bigint {
  return Buffer.from(hash('sha256', namespace + name, 'hex').slice(0, 16), 'hex').readBigInt64BE();
}
