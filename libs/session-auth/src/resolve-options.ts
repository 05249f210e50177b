import type { CsrfSettings } from './csrf/csrf-settings.js';
import { cookieContradiction, MAX_COOKIE_AGE, type CookieAttributes } from './cookies/cookie.options.js';
import type { FingerprintSignal } from './fingerprint/fingerprint.js';
import { kindOf, OptionReader } from './options/option-reader.js';
import { DEFAULT_BCRYPT_COST } from './passwords/bcrypt-password-hasher.js';
import { isProviderSlot } from './options/provider-slot.js';
import { resolveCsrf } from './resolve-csrf-options.js';
import type { RememberMeSettings } from './remember-me/remember-me.options.js';
import { resolveFingerprint } from './fingerprint/fingerprint-signals.js';
import { resolveLoginThrottle } from './resolve-login-throttle-options.js';
import { resolveRememberMe } from './resolve-remember-me-options.js';
import { isSessionLimit, ON_LIMIT_VALUES, type ConcurrencyLimit, type UserLimit } from './session/concurrency-limit.js';
import type { CleanupSettings } from './session/session-cleanup.service.js';
import { DEFAULT_SESSION_LIFETIME, LIFETIME_PRESETS, type SessionLifetime } from './session/session-lifetime.js';
import type { LoginThrottleSettings } from './throttle/login-throttle-settings.js';
import type { SessionUser } from './users/session-user-provider.js';

/** Where the resolved options are injected from. */
export const RESOLVED_OPTIONS = Symbol('nestjs-session-auth resolved options');

/** The options with every default filled in and every duration in milliseconds. */
export interface ResolvedSessionAuthOptions {
  readonly secrets: readonly string[];
  readonly cookie: CookieAttributes;
  readonly lifetime: SessionLifetime;
  readonly concurrency: ConcurrencyLimit;
  /** undefined: off. */
  readonly fingerprint: readonly FingerprintSignal[] | undefined;
  readonly csrf: CsrfSettings;
  /** undefined: off. */
  readonly rememberMe: RememberMeSettings | undefined;
  /** Undefined where a provider stands in bcrypt's place. */
  readonly passwords: { readonly cost: number } | undefined;
  /** undefined: off. */
  readonly loginThrottle: LoginThrottleSettings | undefined;
  /** How long a device is recognised, in milliseconds; undefined: not at all. */
  readonly deviceCookie: { readonly lifetime: number } | undefined;
  readonly cleanup: CleanupSettings;
  readonly storeTimeout: number;
  readonly maxDataSize: number;
}

const MIN_SECRET_BYTES = 32;
const MIN_PRODUCTION_COST = 10;
const HOUR = 60 * 60 * 1000;
/** The jitter comes on top, and a timer can be set for 24.8 days. */
const MAX_CLEANUP_INTERVAL = 22 * 24 * HOUR;
const DEFAULT_DEVICE_LIFETIME = 180 * 24 * HOUR;

/** A timer set for longer than 2^31 - 1 ms fires at once. */
const MAX_TIMER = 2 ** 31 - 1;

/**
 * Defaults and validation in one pure step.
 *
 * @param options what the application gave
 * @param production whether the rules for production hold (`NODE_ENV=production`)
 * @throws SessionAuthError `invalid_configuration`, naming the option's path, what was given and what is allowed
 */
export function resolveOptions(options: unknown, production: boolean): ResolvedSessionAuthOptions {
  const root = OptionReader.root(options, [
    'secrets',
    'cookie',
    'lifetime',
    'concurrency',
    'fingerprint',
    'csrf',
    'rememberMe',
    'passwords',
    'loginThrottle',
    'deviceCookie',
    'cleanup',
    'storeTimeout',
    'maxDataSize',
  ]);
  return {
    secrets: resolveSecrets(root),
    cookie: resolveCookie(root),
    lifetime: resolveLifetime(root),
    concurrency: resolveConcurrency(root),
    fingerprint: resolveFingerprint(root),
    csrf: resolveCsrf(root),
    rememberMe: resolveRememberMe(root),
    passwords: resolvePasswords(root, production),
    loginThrottle: resolveLoginThrottle(root),
    deviceCookie: resolveDeviceCookie(root),
    cleanup: resolveCleanup(root),
    storeTimeout: root.duration('storeTimeout', 2000, { least: 1, most: MAX_TIMER }),
    maxDataSize: root.integer('maxDataSize', 65_536, 1, 16 * 1024 * 1024),
  };
}

function resolveSecrets(root: OptionReader): readonly string[] {
  const given = root.get('secrets');
  const allowed = `an array of one or more secrets, each a string of at least ${MIN_SECRET_BYTES} bytes, for example from: openssl rand -base64 32`;
  if (!Array.isArray(given) || given.length === 0) throw root.refuse('secrets', allowed, kindOf(given));
  const secrets = Array.from(given, (secret: unknown, index) => {
    if (typeof secret !== 'string') throw root.refuse(`secrets[${index}]`, allowed, kindOf(secret));
    const bytes = Buffer.byteLength(secret);
    // the value itself stays out of the message: it is a secret, if a poor one
    if (bytes < MIN_SECRET_BYTES) throw root.refuse(`secrets[${index}]`, allowed, `a string of ${bytes} bytes`);
    return secret;
  });
  if (new Set(secrets).size !== secrets.length)
    throw root.refuse('secrets', 'secrets that differ', 'the same one twice');
  return secrets;
}

function resolveCookie(root: OptionReader): CookieAttributes {
  const cookie = root.slice('cookie', ['name', 'path', 'domain', 'sameSite', 'secure', 'partitioned', 'maxAge']);
  const maxAge = cookie.get('maxAge');
  const attributes: CookieAttributes = {
    name: cookie.text('name') ?? '__Host-session',
    path: cookie.text('path') ?? '/',
    domain: cookie.text('domain'),
    sameSite: cookie.oneOf('sameSite', ['lax', 'strict', 'none'], 'lax'),
    secure: cookie.flag('secure', true),
    partitioned: cookie.flag('partitioned', false),
    maxAge:
      maxAge === undefined || maxAge === 'idle' || maxAge === 'absolute'
        ? maxAge
        : Math.min(cookie.duration('maxAge', 0, { least: 1000, also: "'idle', 'absolute'" }), MAX_COOKIE_AGE),
  };
  const contradiction = cookieContradiction(attributes);
  if (contradiction !== undefined) throw cookie.refuse(contradiction.option, contradiction.reason);
  return attributes;
}

function resolveLifetime(root: OptionReader): SessionLifetime {
  const presets = Object.keys(LIFETIME_PRESETS) as (keyof typeof LIFETIME_PRESETS)[];
  const given = root.get('lifetime');
  const preset = typeof given === 'string' ? root.oneOf('lifetime', presets, 'nistAal2') : undefined;
  const lifetime =
    preset === undefined
      ? root.slice('lifetime', ['idle', 'absolute', 'touchInterval', 'rotateEvery', 'rotationGrace'])
      : OptionReader.empty('lifetime');
  const defaults = { ...DEFAULT_SESSION_LIFETIME, ...(preset === undefined ? {} : LIFETIME_PRESETS[preset]) };

  const absolute = lifetime.duration('absolute', defaults.absolute, { least: 1 });
  const idle = lifetime.duration('idle', Math.min(defaults.idle, absolute), { least: 1 });
  const touchInterval = lifetime.duration('touchInterval', Math.min(defaults.touchInterval, Math.floor(idle / 10)), {
    least: 0,
  });
  const rotationGrace = lifetime.duration('rotationGrace', Math.min(defaults.rotationGrace, idle), { least: 0 });
  const rotateEvery =
    lifetime.get('rotateEvery') === undefined ? undefined : lifetime.duration('rotateEvery', 0, { least: 1 });

  if (idle > absolute) throw lifetime.refuse('idle', `at most lifetime.absolute, which is ${absolute} ms`);
  if (touchInterval >= idle) throw lifetime.refuse('touchInterval', `less than lifetime.idle, which is ${idle} ms`);
  if (rotationGrace > idle) throw lifetime.refuse('rotationGrace', `at most lifetime.idle, which is ${idle} ms`);
  return { idle, absolute, touchInterval, rotateEvery, rotationGrace };
}

function resolveConcurrency(root: OptionReader): ConcurrencyLimit {
  const given = root.get('concurrency');
  const short = typeof given === 'number' || typeof given === 'function';
  const concurrency = short ? OptionReader.empty('concurrency') : root.slice('concurrency', ['max', 'onLimit']);
  const max = short ? given : concurrency.get('max', 3);
  if (typeof max !== 'function' && !isSessionLimit(max)) {
    const allowed = 'a whole number from 1, Infinity, or a function of the user';
    throw short ? root.refuse('concurrency', allowed) : concurrency.refuse('max', allowed);
  }
  return {
    max: max as number | ((user: SessionUser) => UserLimit | Promise<UserLimit>),
    onLimit: concurrency.oneOf('onLimit', ON_LIMIT_VALUES, 'evict-oldest'),
  };
}

function resolveDeviceCookie(root: OptionReader): { readonly lifetime: number } | undefined {
  if (root.get('deviceCookie') === false) return undefined;
  const deviceCookie = root.slice('deviceCookie', ['lifetime']);
  const lifetime = deviceCookie.duration('lifetime', DEFAULT_DEVICE_LIFETIME, { least: 1000, most: MAX_COOKIE_AGE });
  return { lifetime };
}

function resolveCleanup(root: OptionReader): CleanupSettings {
  const off = root.get('cleanup') === false;
  const cleanup = off ? OptionReader.empty('cleanup') : root.slice('cleanup', ['every', 'batch']);
  const every = cleanup.duration('every', HOUR, { least: 1000, most: MAX_CLEANUP_INTERVAL });
  return { every: off ? undefined : every, batch: cleanup.integer('batch', 1000, 1, 100_000) };
}

function resolvePasswords(root: OptionReader, production: boolean): { readonly cost: number } | undefined {
  if (isProviderSlot(root.get('passwords'))) return undefined;
  const passwords = root.slice('passwords', ['cost']);
  return { cost: passwords.integer('cost', DEFAULT_BCRYPT_COST, production ? MIN_PRODUCTION_COST : 4, 31) };
}
