import { SessionAuthError } from '../../errors/session-auth.error.js';

const MAX_ATTEMPTS = 100;

/** Runs a statement until it was not overtaken by another that changed the row first, which it answers undefined for. */
export async function untilSettled<T>(attempt: () => Promise<T | undefined>): Promise<T> {
  for (let attempts = 0; attempts < MAX_ATTEMPTS; attempts++) {
    const outcome = await attempt();
    if (outcome !== undefined) return outcome;
  }
  throw new SessionAuthError('session_store_unavailable', 'too many requests change one session at the same time');
}
