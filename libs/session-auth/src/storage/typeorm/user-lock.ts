import { hash } from 'node:crypto';

/** The number of a user's advisory lock: of one store's users, by its namespace. */
export function userLock(namespace: string, userId: string): bigint {
  return Buffer.from(hash('sha256', namespace + userId, 'hex').slice(0, 16), 'hex').readBigInt64BE();
}
