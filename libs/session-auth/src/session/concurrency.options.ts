import { OptionReader } from '../options/option-reader.js';
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

/** A limit for one user: a number alone keeps the module's `onLimit`. */
export type UserLimit = number | { readonly max: number; readonly onLimit?: OnLimit };

/** How many sessions one user may have. */
export interface ConcurrencyOptions {
  /** A whole number from 1, Infinity, or a function of the user. @default 3 */
  readonly max?: number | ((user: SessionUser) => UserLimit | Promise<UserLimit>);
  /** @default 'evict-oldest' */
  readonly onLimit?: OnLimit;
}

/** The resolved `concurrency` options. */
export interface ConcurrencyLimit {
  readonly onLimit: OnLimit;
  readonly max: number | ((user: SessionUser) => UserLimit | Promise<UserLimit>);
}

/** Where the {@link ConcurrencyLimit} is injected from. */
export const CONCURRENCY_LIMIT = Symbol('nestjs-session-auth concurrency limit');

const DEFAULT_MAX = 3;

/** The slice `concurrency` of the options: a limit, or a number or function as a short form of `{ max }`. */
export function resolveConcurrency(root: OptionReader): ConcurrencyLimit {
  const given = root.get('concurrency');
  const short = typeof given === 'number' || typeof given === 'function';
  const concurrency = short ? OptionReader.empty('concurrency') : root.slice('concurrency', ['max', 'onLimit']);
  const max = short ? given : concurrency.get('max', DEFAULT_MAX);
  if (typeof max !== 'function' && !isSessionLimit(max)) {
    const allowed = 'a whole number from 1, Infinity, or a function of the user';
    throw short ? root.refuse('concurrency', allowed) : concurrency.refuse('max', allowed);
  }
  return {
    max: max as ConcurrencyLimit['max'],
    onLimit: concurrency.oneOf('onLimit', ON_LIMIT_VALUES, 'evict-oldest'),
  };
}

/** Whether a value can be a limit: a whole number from 1, or Infinity. */
export function isSessionLimit(value: unknown): value is number {
  return typeof value === 'number' && value >= 1 && (Number.isInteger(value) || value === Infinity);
}
