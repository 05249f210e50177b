import { SessionAuthError } from '../errors/session-auth.error.js';
import { isTime } from '../time/clock.js';

/** When each further factor was last proved, by its name: milliseconds since the epoch. */
export type FactorTimes = Readonly<Record<string, number>>;

/** The most factors in one session, so that names built from a client's input cannot fill the store. */
const MAX_FACTORS = 8;

const NAME = /^[a-z0-9][a-z0-9_-]{0,31}$/;

/** Whether a text is a valid name of a factor. */
export function isFactorName(name: unknown): name is string {
  return typeof name === 'string' && NAME.test(name);
}

/** The rule for names of factors, in words. */
export const FACTOR_NAME_RULE = '1 to 32 of a-z, 0-9, _ and -, the first a letter or digit';

/**
 * Adds a factor that was proved just now.
 *
 * @throws SessionAuthError `invalid_configuration` for an invalid name, and for a ninth factor
 */
export function withFactor(present: FactorTimes = {}, name: string, now: number): FactorTimes {
  if (!isFactorName(name)) {
    throw new SessionAuthError('invalid_configuration', `a factor's name must be ${FACTOR_NAME_RULE}`);
  }
  const factors = { ...present, [name]: now };
  if (Object.keys(factors).length > MAX_FACTORS) {
    throw new SessionAuthError('invalid_configuration', `a session can have at most ${MAX_FACTORS} factors`);
  }
  return factors;
}

/** Whether a stored value is a valid {@link FactorTimes}. */
export function areFactorTimes(value: unknown): value is FactorTimes {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  return Object.values(value).every(isTime);
}
