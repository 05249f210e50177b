import { resolveStoreTimeout } from './async/store-timeout.options.js';
import { resolveCookie } from './cookies/cookie.options.js';
import { resolveDeviceCookie } from './cookies/device-cookie.options.js';
import { resolveSecrets } from './crypto/secrets.options.js';
import { resolveCsrf } from './csrf/csrf.options.js';
import { resolveFingerprint } from './fingerprint/fingerprint.options.js';
import { OptionReader } from './options/option-reader.js';
import { resolvePasswords } from './passwords/passwords.options.js';
import { resolveRememberMe } from './remember-me/remember-me.options.js';
import { resolveCleanup } from './session/cleanup.options.js';
import { resolveConcurrency } from './session/concurrency.options.js';
import { resolveLifetime } from './session/lifetime.options.js';
import { resolveMaxDataSize } from './session/session-data.options.js';
import { resolveLoginThrottle } from './throttle/login-throttle.options.js';

/** Where the resolved options are injected from. */
export const RESOLVED_OPTIONS = Symbol('nestjs-session-auth resolved options');

/** The resolver of each option, in the order in which the options are looked at. */
const RESOLVERS = {
  secrets: resolveSecrets,
  cookie: resolveCookie,
  lifetime: resolveLifetime,
  concurrency: resolveConcurrency,
  fingerprint: resolveFingerprint,
  csrf: resolveCsrf,
  rememberMe: resolveRememberMe,
  passwords: resolvePasswords,
  loginThrottle: resolveLoginThrottle,
  deviceCookie: resolveDeviceCookie,
  cleanup: resolveCleanup,
  storeTimeout: resolveStoreTimeout,
  maxDataSize: resolveMaxDataSize,
};

/** The options with every default filled in and every duration in milliseconds. */
export type ResolvedSessionAuthOptions = {
  readonly [Option in keyof typeof RESOLVERS]: ReturnType<(typeof RESOLVERS)[Option]>;
};

/**
 * Defaults and validation in one pure step.
 *
 * @param options what the application gave
 * @param production whether the rules for production hold (`NODE_ENV=production`)
 * @throws SessionAuthError `invalid_configuration`, naming the option's path, what was given and what is allowed
 */
export function resolveOptions(options: unknown, production: boolean): ResolvedSessionAuthOptions {
  const root = OptionReader.root(options, Object.keys(RESOLVERS));
  const resolved = Object.entries(RESOLVERS).map(([option, resolve]) => [option, resolve(root, production)]);
  return Object.fromEntries(resolved) as ResolvedSessionAuthOptions;
}
