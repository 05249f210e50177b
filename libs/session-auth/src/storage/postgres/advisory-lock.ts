import { hash } from 'node:crypto';

/** The number of the advisory lock of a user or a task. Stores with different namespaces have different locks. */
export function advisoryLock(namespace: string, name: string): bigint {
  return Buffer.from(hash('sha256', namespace + name, 'hex').slice(0, 16), 'hex').readBigInt64BE();
}
