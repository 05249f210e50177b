import { SessionAuthError } from '../errors/session-auth.error.js';
import { SessionStore } from './session-store.js';

const STORE_OPERATIONS = Object.keys({
  create: true,
  find: true,
  update: true,
  rotate: true,
  delete: true,
  list: true,
  deleteByHandle: true,
  deleteByUser: true,
  updateByUser: true,
  deleteExpired: true,
} satisfies Record<Exclude<keyof SessionStore, 'withCleanupLock'>, true>) as (keyof SessionStore)[];

/**
 * Throws at boot when a method of the port is missing.
 *
 * @throws SessionAuthError `invalid_configuration`
 */
export function requireCompleteStore(store: SessionStore): void {
  const missing = STORE_OPERATIONS.filter(
    (operation) => typeof (store as Partial<SessionStore> | undefined)?.[operation] !== 'function',
  );
  if (missing.length === 0) return;
  throw new SessionAuthError(
    'invalid_configuration',
    `SessionAuthModule: storage.sessions: given a store without ${missing.join(', ')}; allowed is what implements SessionStore`,
  );
}
