import { Logger, type FactoryProvider } from '@nestjs/common';
import { STORE_TIMEOUT, resolveStoreTimeout } from './async/store-timeout.options.js';
import { COOKIE_ATTRIBUTES, cookieAdvice, resolveCookie } from './cookies/cookie.options.js';
import { DEVICE_COOKIE_SETTINGS, resolveDeviceCookie } from './cookies/device-cookie.options.js';
import { SECRETS, resolveSecrets } from './crypto/secrets.options.js';
import { CSRF_SETTINGS, resolveCsrf } from './csrf/csrf.options.js';
import { GRAPHQL_SETTINGS, resolveGraphql } from './channels/graphql.options.js';
import { HTTP_SETTINGS, resolveHttp } from './http/http.options.js';
import { FINGERPRINT_SIGNALS, resolveFingerprint } from './fingerprint/fingerprint.options.js';
import { NEAR_CACHE_SETTINGS, resolveNearCache } from './near-cache/near-cache.options.js';
import { OptionReader } from './options/option-reader.js';
import { DEFAULT_REALM, isRealmName, REALM, REALM_NAME_RULE, realmPart } from './realms/realm-name.js';
import { PASSWORD_SETTINGS, resolvePasswords } from './passwords/passwords.options.js';
import { REMEMBER_ME_SETTINGS, resolveRememberMe } from './remember-me/remember-me.options.js';
import { CLEANUP_SETTINGS, resolveCleanup } from './session/cleanup.options.js';
import { CONCURRENCY_LIMIT, resolveConcurrency } from './session/concurrency.options.js';
import { lifetimeAdvice, resolveLifetime, SESSION_LIFETIME } from './session/lifetime.options.js';
import { MAX_DATA_SIZE, resolveMaxDataSize } from './session/session-data.options.js';
import { LOGIN_THROTTLE_SETTINGS, resolveLoginThrottle } from './throttle/login-throttle.options.js';
import { PASSWORD_QUEUE_SETTINGS, resolvePasswordQueue } from './throttle/password-queue.options.js';

/** Where Nest's builder puts the argument of `forRoot` or the result of a `forRootAsync` factory. */
export const SESSION_AUTH_OPTIONS = Symbol('nestjs-session-auth options');

/** The token of the resolved options. */
export const RESOLVED_OPTIONS = Symbol('nestjs-session-auth resolved options');

/** The resolver and the token of each option, in the order in which the options are checked. */
const SLICES = {
  secrets: { resolve: resolveSecrets, token: SECRETS },
  cookie: { resolve: resolveCookie, token: COOKIE_ATTRIBUTES },
  lifetime: { resolve: resolveLifetime, token: SESSION_LIFETIME },
  concurrency: { resolve: resolveConcurrency, token: CONCURRENCY_LIMIT },
  fingerprint: { resolve: resolveFingerprint, token: FINGERPRINT_SIGNALS },
  csrf: { resolve: resolveCsrf, token: CSRF_SETTINGS },
  http: { resolve: resolveHttp, token: HTTP_SETTINGS },
  graphql: { resolve: resolveGraphql, token: GRAPHQL_SETTINGS },
  rememberMe: { resolve: resolveRememberMe, token: REMEMBER_ME_SETTINGS },
  passwords: { resolve: resolvePasswords, token: PASSWORD_SETTINGS },
  passwordQueue: { resolve: resolvePasswordQueue, token: PASSWORD_QUEUE_SETTINGS },
  loginThrottle: { resolve: resolveLoginThrottle, token: LOGIN_THROTTLE_SETTINGS },
  deviceCookie: { resolve: resolveDeviceCookie, token: DEVICE_COOKIE_SETTINGS },
  cleanup: { resolve: resolveCleanup, token: CLEANUP_SETTINGS },
  storeTimeout: { resolve: resolveStoreTimeout, token: STORE_TIMEOUT },
  maxDataSize: { resolve: resolveMaxDataSize, token: MAX_DATA_SIZE },
  nearCache: { resolve: resolveNearCache, token: NEAR_CACHE_SETTINGS },
};

/** The options with every default filled in and every duration in milliseconds. */
export type ResolvedSessionAuthOptions = {
  readonly [Option in keyof typeof SLICES]: ReturnType<(typeof SLICES)[Option]['resolve']>;
};

/**
 * Applies defaults and validation in one pure step.
 *
 * @param options the options of the application
 * @param production whether the rules for production apply (`NODE_ENV=production`)
 * @param realm the realm of the options
 * @throws SessionAuthError `invalid_configuration`, naming the option's path, its value and the allowed values
 */
export function resolveOptions(
  options: unknown,
  production: boolean,
  realm = DEFAULT_REALM,
): ResolvedSessionAuthOptions {
  const root = OptionReader.root(options, Object.keys(SLICES), ownerOf(realm));
  const resolved = Object.entries(SLICES).map(([option, { resolve }]) => [
    option,
    resolve(root, { production, realm }),
  ]);
  return Object.fromEntries(resolved) as ResolvedSessionAuthOptions;
}

/** The option `realm` of the extras. @throws SessionAuthError `invalid_configuration` */
export function resolveRealm(extras: OptionReader): string {
  const given = extras.get('realm', DEFAULT_REALM);
  if (!isRealmName(given)) throw extras.refuse('realm', REALM_NAME_RULE);
  return given;
}

/** Names the module of a realm in error messages. */
export function ownerOf(realm: string): string {
  return `SessionAuthModule${realmPart(realm, " of realm '", "'")}`;
}

/** The resolved options, together and separately by their own tokens, so that a class receives only what it needs. */
export const OPTION_PROVIDERS: readonly FactoryProvider[] = [
  {
    provide: RESOLVED_OPTIONS,
    inject: [SESSION_AUTH_OPTIONS, REALM],
    useFactory: (options: unknown, realm: string) => {
      const production = process.env['NODE_ENV'] === 'production';
      const resolved = resolveOptions(options, production, realm);
      const advice = [...lifetimeAdvice(resolved.lifetime), ...(production ? cookieAdvice(resolved.cookie) : [])];
      for (const text of advice) new Logger('SessionAuth').warn(text);
      return resolved;
    },
  },
  ...Object.entries(SLICES).map(([option, { token }]) => ({
    provide: token,
    inject: [RESOLVED_OPTIONS],
    useFactory: (options: ResolvedSessionAuthOptions) => options[option as keyof ResolvedSessionAuthOptions],
  })),
];
