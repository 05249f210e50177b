import { inspect } from 'node:util';
import { SessionAuthError } from '../errors/session-auth.error.js';
import type { SessionUser } from '../users/session-user-provider.js';

/**
 * What happens when a user logs in with as many sessions as they may have.
 *
 * - `'evict-oldest'`: the session of the earliest login ends.
 * - `'evict-least-recent'`: the session that was used least recently ends.
 * - `'reject'`: the login is refused with `session_limit_reached`.
 */
export type OnLimit = 'evict-oldest' | 'evict-least-recent' | 'reject';

/** All values of {@link OnLimit}. */
export const ON_LIMIT_VALUES: readonly OnLimit[] = ['evict-oldest', 'evict-least-recent', 'reject'];

/** How many sessions the account of a new session may have, and what happens at the limit. */
export interface Admission {
  /** The most live sessions of the user, the new one included. `Infinity`: no limit. */
  readonly max: number;
  readonly onLimit: OnLimit;
}

/** A limit for one user: a number alone keeps the module's `onLimit`. */
export type UserLimit = number | { readonly max: number; readonly onLimit?: OnLimit };

/** The limit as resolved from the options. */
export interface ConcurrencyLimit {
  readonly onLimit: OnLimit;
  readonly max: number | ((user: SessionUser) => UserLimit | Promise<UserLimit>);
}

/** Whether a value can be a limit: a whole number from 1, or Infinity. */
export function isSessionLimit(value: unknown): value is number {
  return typeof value === 'number' && value >= 1 && (Number.isInteger(value) || value === Infinity);
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
