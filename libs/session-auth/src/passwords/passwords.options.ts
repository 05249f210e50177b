import type { OptionReader } from '../options/option-reader.js';
import { isProviderSlot, type ProviderSlot } from '../options/provider-slot.js';
import { BcryptPasswordHasher, DEFAULT_MAX_COST, MAX_COST, MIN_COST } from './bcrypt-password-hasher.js';
import type { PasswordHasher } from './password-hasher.js';

/** bcrypt's settings. */
export interface PasswordOptions {
  /** Work factor: 2^cost rounds, 4 to 31; at least 10 in production. @default 12 */
  readonly cost?: number;
  /**
   * Failing checks take equally long for stored hashes up to this cost, for example from another system; otherwise time
   * would reveal such an account. A hash that costs more is still checked. From `cost` to 31.
   *
   * @default 14, or `cost` if that is more
   */
  readonly maxCost?: number;
}

/** The resolved `passwords` options. */
export interface PasswordSettings {
  readonly cost: number;
  readonly maxCost: number;
}

/** The token of {@link PasswordSettings}; undefined when a provider replaces bcrypt. */
export const PASSWORD_SETTINGS = Symbol('nestjs-session-auth password settings');

/** The work factor used unless configured otherwise: 2^12 rounds. */
export const DEFAULT_BCRYPT_COST = 12;

const MIN_PRODUCTION_COST = 10;

/** The slice `passwords` of the options; undefined when it is a provider. */
export function resolvePasswords(
  root: OptionReader,
  { production }: { readonly production: boolean },
): PasswordSettings | undefined {
  if (isProviderSlot(root.get('passwords'))) return undefined;
  const passwords = root.slice('passwords', ['cost', 'maxCost']);
  const least = production ? MIN_PRODUCTION_COST : MIN_COST;
  const cost = passwords.integer('cost', DEFAULT_BCRYPT_COST, least, MAX_COST);
  return { cost, maxCost: passwords.integer('maxCost', Math.max(cost, DEFAULT_MAX_COST), cost, MAX_COST) };
}

/**
 * Returns the provider of the {@link PasswordHasher}: the application's own, or bcrypt with {@link PasswordSettings}.
 */
export function resolvePasswordHasher(extras: OptionReader, async: boolean): ProviderSlot<PasswordHasher> {
  const given = extras.get('passwords');
  if (isProviderSlot(given)) return given as ProviderSlot<PasswordHasher>;
  if (async && given !== undefined) {
    throw extras.refuse('passwords', 'a provider here; set the cost in the result of the factory');
  }
  const useFactory = (settings: PasswordSettings | undefined): PasswordHasher => {
    if (settings !== undefined) return new BcryptPasswordHasher(settings.cost, settings.maxCost);
    throw extras.refuse('passwords', '{ cost } from the factory; give a provider beside the factory', 'a provider');
  };
  return { inject: [PASSWORD_SETTINGS], useFactory };
}
