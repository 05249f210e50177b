import { inspect } from 'node:util';
import { SessionAuthError } from '../errors/session-auth.error.js';
import type { SessionUser } from '../users/session-user-provider.js';
import { isSessionLimit, ON_LIMIT_VALUES, type ConcurrencyLimit, type OnLimit } from './concurrency.options.js';

/** How many sessions the account of a new session may have, and what happens at the limit. */
export interface Admission {
  /** The most live sessions of the user, the new one included. `Infinity`: no limit. */
  readonly max: number;
  readonly onLimit: OnLimit;
}

/**
 * The admission rule for a user.
 *
 * @throws SessionAuthError `invalid_configuration` when the application's function answers no limit
 */
export async function admissionFor(limit: ConcurrencyLimit, user: SessionUser): Promise<Admission> {
  if (typeof limit.max === 'number') return { max: limit.max, onLimit: limit.onLimit };
  // whatever the types say: the function is the application's
  const answer: unknown = await limit.max(user);
  const given = typeof answer === 'object' && answer !== null ? answer : { max: answer };
  const { max, onLimit = limit.onLimit } = given as { readonly max?: unknown; readonly onLimit?: OnLimit };
  if (!isSessionLimit(max) || !ON_LIMIT_VALUES.includes(onLimit)) {
    throw new SessionAuthError(
      'invalid_configuration',
      `concurrency: the function answered ${inspect(answer)}; allowed is a whole number from 1 (or Infinity), ` +
        `or { max, onLimit } with onLimit one of ${ON_LIMIT_VALUES.join(', ')}`,
    );
  }
  return { max, onLimit };
}
