import { SessionAuthError } from '../../errors/session-auth.error.js';

const MAX_ATTEMPTS = 100;

/**
 * Runs an attempt until it returns an outcome. It returns undefined when another transaction changed the row first.
 *
 * @throws SessionAuthError `session_store_unavailable` after a hundred attempts
 */
export async function untilSettled<T>(attempt: () => Promise<T | undefined>): Promise<T> {
  for (let attempts = 0; attempts < MAX_ATTEMPTS; attempts++) {
    const outcome = await attempt();
    if (outcome !== undefined) return outcome;
  }
  throw new SessionAuthError('session_store_unavailable', 'too many requests changed one session at the same time');
}
