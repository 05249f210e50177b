import type { StorageOptions } from 'nestjs-session-auth';
import type { BankConfig } from '../config/bank-config.js';

/** Where the demo keeps its sessions, and how to close what was opened for it. */
export interface BankStorage {
  readonly storage: StorageOptions | 'memory';
  /** In words, for the start-up lines. */
  readonly description: string;
  close(): Promise<void>;
}

/**
 * Opens the storage that `SESSION_STORE` names, and loads the driver of that one only. Without an address a local
 * server is started for the run.
 */
export async function openBankStorage(
  config: Pick<BankConfig, 'sessionStore'>,
  log: (line: string) => void,
): Promise<BankStorage> {
  switch (config.sessionStore) {
    case 'memory':
      return { storage: 'memory', description: 'memory', close: () => Promise.resolve() };
    case 'redis':
      return (await import('./redis-bank-storage.js')).openRedis(log);
    case 'postgres':
      return (await import('./postgres-bank-storage.js')).openPostgres(log);
  }
}
