import type { ModuleMetadata } from '@nestjs/common';
import type { GraphqlOptions } from './channels/graphql.options.js';
import type { CookieOptions } from './cookies/cookie.options.js';
import type { DeviceCookieOptions } from './cookies/device-cookie.options.js';
import type { CsrfOptions } from './csrf/csrf.options.js';
import type { EndpointsOptions } from './endpoints/endpoints.options.js';
import type { FingerprintOptions } from './fingerprint/fingerprint.options.js';
import type { HttpOptions } from './http/http.options.js';
import type { NearCacheOptions } from './near-cache/near-cache.options.js';
import type { ProviderSlot } from './options/provider-slot.js';
import type { PasswordHasher } from './passwords/password-hasher.js';
import type { PasswordOptions } from './passwords/passwords.options.js';
import type { RememberMeOptions } from './remember-me/remember-me.options.js';
import type { CleanupOptions } from './session/cleanup.options.js';
import type { ConcurrencyOptions, UserLimit } from './session/concurrency.options.js';
import type { LifetimeOptions, LifetimePreset } from './session/lifetime.options.js';
import type { NewSessionNotifier } from './session/new-session-notifier.js';
import type { StorageOptions } from './storage/storage.options.js';
import type { LoginThrottleOptions } from './throttle/login-throttle.options.js';
import type { PasswordQueueOptions } from './throttle/password-queue.options.js';
import type { Duration } from './time/durations.js';
import type { SessionUser, SessionUserProvider } from './users/session-user-provider.js';

/** The options of `forRoot` besides the parts, and the result of a `forRootAsync` factory. */
export interface SessionAuthOptions {
  /**
   * The key ring: at least one secret of 32 bytes or more. The first one seals, all of them open. To rotate, put a new
   * one in front and remove the last one after `lifetime.absolute`.
   */
  readonly secrets: readonly string[];
  /**
   * Name and attributes of the session cookie. @default `__Host-session` (`__Host-<realm>-session`), Secure, HttpOnly,
   * SameSite=Lax, Path=/
   */
  readonly cookie?: CookieOptions;
  /**
   * Durations, or the name of a NIST preset. The module warns at boot above 30 days absolute or below 2 minutes idle.
   *
   * @default idle 1 hour, absolute 24 hours
   */
  readonly lifetime?: LifetimeOptions | LifetimePreset;
  /** A number or function is a short form of `{ max }`. @default 3 sessions, the oldest evicted */
  readonly concurrency?: ConcurrencyOptions | number | ((user: SessionUser) => UserLimit | Promise<UserLimit>);
  /**
   * Binds a session to traits of its client; `false` turns it off. @default User-Agent, Accept-Language,
   * Accept-Encoding
   */
  readonly fingerprint?: FingerprintOptions | false;
  /** Protection of unsafe requests. @default for `@CsrfProtected()` handlers, by header or form field */
  readonly csrf?: CsrfOptions;
  /** Headers of responses. @default responses that used the session are `no-store` */
  readonly http?: HttpOptions;
  /** Where GraphQL operations have their request. @default at the usual places of their context */
  readonly graphql?: GraphqlOptions;
  /** Devices that stay signed in beyond the session. `false` turns it off. @default on, for logins that choose it */
  readonly rememberMe?: RememberMeOptions | false;
  /** bcrypt's settings, or in `forRoot` a `PasswordHasher` of the application. @default `{ cost: 12 }` */
  readonly passwords?: PasswordOptions | ProviderSlot<PasswordHasher>;
  /** How many passwords may wait to be checked. @default 64 from one address, 256 in total */
  readonly passwordQueue?: PasswordQueueOptions;
  /** How guessing of passwords is slowed down; `false` turns it off. @default on, see {@link LoginThrottleOptions} */
  readonly loginThrottle?: LoginThrottleOptions | false;
  /** Recognises devices that were signed in from before; `false` turns it off. @default for 180 days after a login */
  readonly deviceCookie?: DeviceCookieOptions | false;
  /** Removes expired records; `false`: only `SessionCleanupService.run` does. @default every hour */
  readonly cleanup?: CleanupOptions | false;
  /** How long a request waits for the store before the response is 503. @default '2s' */
  readonly storeTimeout?: Duration;
  /** The most bytes of JSON a session's data may take. @default 65536 */
  readonly maxDataSize?: number;
  /**
   * Keeps sessions in the memory of each node that uses them, so that most requests need no store. A session that ends
   * is refused by every node within `bound`. Takes a storage in Redis or PostgreSQL with `link: true`; give it to all
   * nodes. `true`: with the defaults. @default false
   */
  readonly nearCache?: NearCacheOptions | boolean;
}

/** The parts that are fixed when the module is declared. */
export interface SessionAuthExtras {
  /** The name of the realm that the module makes: 1 to 32 of a-z, 0-9 and -. @default 'default' */
  readonly realm?: string;
  /** Modules that export the dependencies of the slots below. @default none */
  readonly imports?: ModuleMetadata['imports'];
  /** @default memory for all, with a warning in production */
  readonly storage?: StorageOptions | 'memory';
  /** The application's users. Needed for login, `@CurrentUser()` and the endpoints. @default none */
  readonly users?: ProviderSlot<SessionUserProvider>;
  /** Notifies users of new sessions. @default nobody is notified */
  readonly notifier?: ProviderSlot<NewSessionNotifier>;
  /**
   * `false` turns them off. @default `{ path: 'auth', recentAuth: '10m' }` with path `<realm>/auth` in other realms, if
   * `users` is given
   */
  readonly endpoints?: EndpointsOptions | false;
  /** `true`: every route needs a session unless it is `@Public()`. @default false */
  readonly global?: boolean;
}
