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
 * A store that is told apart from what is none at boot.
 *
 * @throws SessionAuthError `invalid_configuration` for one that lacks operations
 */
export function checkedStore(store: SessionStore): SessionStore {
  const missing = STORE_OPERATIONS.filter(
    (operation) => typeof (store as Partial<SessionStore> | undefined)?.[operation] !== 'function',
  );
  if (missing.length === 0) return store;
  throw new SessionAuthError(
    'invalid_configuration',
    `SessionAuthModule: storage.sessions: given a store without ${missing.join(', ')}; allowed is what implements SessionStore`,
  );
}
