import type { ModuleMetadata } from '@nestjs/common';
import type { CsrfOptions } from './csrf/csrf.options.js';
import type { AuditLog } from './events/audit-log.js';
import type { DeviceCookieOptions } from './cookies/device-cookie.options.js';
import type { FingerprintOptions } from './fingerprint/fingerprint.options.js';
import type { ProviderSlot } from './options/provider-slot.js';
import type { PasswordHasher } from './passwords/password-hasher.js';
import type { OnTheft } from './remember-me/remember-me.options.js';
import type { RememberMeTokenStore } from './remember-me/remember-me-token-store.js';
import type { CleanupOptions } from './session/cleanup.options.js';
import type { OnLimit, UserLimit } from './session/concurrency-limit.js';
import type { NewSessionNotifier } from './session/new-session-notifier.js';
import type { LifetimePreset } from './session/session-lifetime.js';
import type { SessionStore } from './session/session-store.js';
import type { LoginThrottleOptions } from './throttle/login-throttle.options.js';
import type { LoginThrottleStore } from './throttle/login-throttle-store.js';
import type { Duration } from './time/durations.js';
import type { SessionUser, SessionUserProvider } from './users/session-user-provider.js';

/** Where things are kept. Spread what `redisStorage` or `typeOrmStorage` answer, or give slots of your own. */
export interface StorageOptions {
  /** @default sessions in this process's memory */
  readonly sessions?: ProviderSlot<SessionStore>;
  /** @default remember-me tokens in this process's memory */
  readonly rememberMe?: ProviderSlot<RememberMeTokenStore>;
  /** @default counts of failed logins in this process's memory */
  readonly throttle?: ProviderSlot<LoginThrottleStore>;
  /** @default each event as a line of JSON in Nest's log */
  readonly audit?: ProviderSlot<AuditLog>;
}

/** How devices stay signed in. */
export interface RememberMeOptions {
  /** How long a device is remembered after login; at most 400 days. @default '30d' */
  readonly lifetime?: Duration;
  /** `true`: counted anew from each use. @default false */
  readonly sliding?: boolean;
  /**
   * How long a replaced token is still honoured, for tabs that start together and for answers that get lost; at most
   * 10 minutes. Later, it is taken for stolen. @default '30s'
   */
  readonly reuseGrace?: Duration;
  /** What a stolen token ends, of its user. @default 'revoke-tokens-and-sessions' */
  readonly onTheft?: OnTheft;
}

/** The session cookie. It is `HttpOnly` whatever is set here. */
export interface CookieOptions {
  /** @default '__Host-session' */
  readonly name?: string;
  /** @default '/' */
  readonly path?: string;
  /** Only with a name that does not begin with `__Host-`. @default none: this host only */
  readonly domain?: string;
  /** @default 'lax' */
  readonly sameSite?: 'lax' | 'strict' | 'none';
  /** @default true */
  readonly secure?: boolean;
  /** @default false */
  readonly partitioned?: boolean;
  /**
   * How long the browser keeps the cookie: `'idle'` follows the idle expiry (the cookie is written again whenever
   * that moves), `'absolute'` the absolute one, a duration is counted from each writing. The server never relies on
   * it. @default none: until the browser closes
   */
  readonly maxAge?: 'idle' | 'absolute' | Duration;
}

/** When sessions end and tokens are replaced. */
export interface LifetimeOptions {
  /** End after this long without a request. @default '1h' */
  readonly idle?: Duration;
  /** End this long after login, whatever happens. Also the longest a sealed cookie is honoured. @default '24h' */
  readonly absolute?: Duration;
  /** Write activity at most this often; shorter than `idle`. @default '1m', or a tenth of `idle` if that is less */
  readonly touchInterval?: Duration;
  /** Replace the token on the first request after this long. @default never */
  readonly rotateEvery?: Duration;
  /** How long a replaced token still works for requests in flight. @default '10s' */
  readonly rotationGrace?: Duration;
}

/** How many sessions one user may have. */
export interface ConcurrencyOptions {
  /** A whole number from 1, Infinity, or a function of the user. @default 3 */
  readonly max?: number | ((user: SessionUser) => UserLimit | Promise<UserLimit>);
  /** @default 'evict-oldest' */
  readonly onLimit?: OnLimit;
}

/** bcrypt's settings. */
export interface PasswordOptions {
  /** Work factor: 2^cost rounds, 4 to 31; at least 10 in production. @default 12 */
  readonly cost?: number;
}

/** What `forRoot` takes besides the parts, and a `forRootAsync` factory answers. */
export interface SessionAuthOptions {
  /**
   * The key ring: at least one secret of 32 bytes or more. The first seals, all of them open; to rotate, put a new one
   * in front and drop the last one after `lifetime.absolute`.
   */
  readonly secrets: readonly string[];
  /** Name and attributes of the session cookie. @default `__Host-session`, Secure, HttpOnly, SameSite=Lax, Path=/ */
  readonly cookie?: CookieOptions;
  /**
   * Durations, or a NIST preset by name. Above 30 days absolute or below 2 minutes idle the start-up warns.
   *
   * @default idle 1 hour, absolute 24 hours
   */
  readonly lifetime?: LifetimeOptions | LifetimePreset;
  /** A number or function is short for `{ max }`. @default 3 sessions, the oldest evicted */
  readonly concurrency?: ConcurrencyOptions | number | ((user: SessionUser) => UserLimit | Promise<UserLimit>);
  /** Binds a session to traits of its client; `false`: not at all. @default User-Agent, Accept-Language, Accept-Encoding */
  readonly fingerprint?: FingerprintOptions | false;
  /** Protection of unsafe requests. @default where `@CsrfProtected()` asks for it, by header or form field */
  readonly csrf?: CsrfOptions;
  /** Devices that stay signed in beyond the session. `false`: off. @default on, for logins that ask for it */
  readonly rememberMe?: RememberMeOptions | false;
  /** bcrypt's settings, or in `forRoot` a `PasswordHasher` of the application's own. @default `{ cost: 12 }` */
  readonly passwords?: PasswordOptions | ProviderSlot<PasswordHasher>;
  /** How guessing of passwords is slowed down; `false`: not at all. @default on, see {@link LoginThrottleOptions} */
  readonly loginThrottle?: LoginThrottleOptions | false;
  /** Recognises devices that were signed in from before; `false`: none is. @default for 180 days after a login */
  readonly deviceCookie?: DeviceCookieOptions | false;
  /** Removal of what has expired; `false`: only by `SessionCleanupService.run`. @default every hour */
  readonly cleanup?: CleanupOptions | false;
  /** How long a request waits for the store before it is answered 503. @default '2s' */
  readonly storeTimeout?: Duration;
  /** The most bytes of JSON a session's data may take. @default 65536 */
  readonly maxDataSize?: number;
}

/** The ready-made endpoints. */
export interface EndpointsOptions {
  /** @default 'auth' */
  readonly path?: string;
}

/** The parts that are fixed when the module is declared. */
export interface SessionAuthExtras {
  /** Modules that export what the slots below ask for. @default none */
  readonly imports?: ModuleMetadata['imports'];
  /** @default memory for all, with a warning in production */
  readonly storage?: StorageOptions | 'memory';
  /** The application's users. Needed for login, `@CurrentUser()` and the endpoints. @default none */
  readonly users?: ProviderSlot<SessionUserProvider>;
  /** Tells users of new sessions. @default nobody is told */
  readonly notifier?: ProviderSlot<NewSessionNotifier>;
  /** `false`: none. @default `{ path: 'auth' }` where `users` is given */
  readonly endpoints?: EndpointsOptions | false;
  /** `true`: every route needs a session unless it is `@Public()`. @default false */
  readonly global?: boolean;
}
