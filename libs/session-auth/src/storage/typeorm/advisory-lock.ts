import { hash } from 'node:crypto';

/** The number of an advisory lock, for a user or a task of one store: stores differ by their namespace. */
export function advisoryLock(namespace: string, name: string): bigint {
  return Buffer.from(hash('sha256', namespace + name, 'hex').slice(0, 16), 'hex').readBigInt64BE();
}
