import type { Provider } from '@nestjs/common';
import { StoreDeadline } from './async/store-deadline.js';
import { CookieSet } from './http/cookie-set.js';
import { RequestServices } from './http/request-services.js';
import { RequestSessionFactory } from './http/request-session-factory.js';
import { SessionResumer } from './http/session-resumer.js';
import { SessionChanges } from './session/session-changes.js';
import { SessionReader } from './session/session-reader.js';
import { SessionRotation } from './session/session-rotation.js';
import { SessionUpdates } from './session/session-updates.js';
import { UpstreamDigests } from './session/upstream-session.js';
import { UserSessions } from './session/user-sessions.js';
import { BearerTokens } from './crypto/bearer-tokens.js';
import { KeyRing } from './crypto/key-ring.js';
import { CsrfService } from './csrf/csrf.service.js';
import { AuditAggregation } from './events/audit-aggregation.js';
import { AuditLog } from './events/audit-log.js';
import { EventEmitterBridge } from './events/event-emitter-bridge.js';
import { SessionEventPublisher } from './events/event-publisher.js';
import { Fingerprint } from './fingerprint/fingerprint.js';
import { FollowingSignals } from './link/following-signals.js';
import { LiveSessions } from './link/live-sessions.js';
import { NearCachedSessionStore } from './near-cache/near-cached-session-store.js';
import { NEAR_CACHE_SETTINGS, type NearCacheSettings } from './near-cache/near-cache.options.js';
import { REALM } from './realms/realm-name.js';
import { SESSION_LIFETIME, type SessionLifetime } from './session/lifetime.options.js';
import { STORE_IN_FRONT } from './session/store-in-front.js';
import { AccountChanges } from './login/account-changes.js';
import { CredentialCheck } from './login/credential-check.js';
import { RememberedLogin } from './login/remembered-login.js';
import { SessionAuthService } from './login/session-auth.service.js';
import { SignIn } from './login/sign-in.js';
import { RememberMeRevocation } from './remember-me/remember-me-revocation.js';
import { RememberMeService } from './remember-me/remember-me.service.js';
import { RememberMeSignIn } from './remember-me/remember-me-sign-in.js';
import { RememberMeTokenStore } from './remember-me/remember-me-token-store.js';
import { StoredRememberedDevices } from './remember-me/stored-remembered-devices.js';
import { OPTION_PROVIDERS, RESOLVED_OPTIONS, type ResolvedSessionAuthOptions as Options } from './resolve-options.js';
import { StoredPersonalData } from './privacy/stored-personal-data.js';
import { ConcurrentSessionsService } from './session/concurrent-sessions.service.js';
import { EXPIRING_ROWS, expiringRows } from './session/expiring-rows.js';
import { NewSessionNotifier } from './session/new-session-notifier.js';
import { NewSessionAnnouncer } from './session/new-session-announcer.js';
import { PersonalData } from './session/personal-data.js';
import { RealmSessions } from './session/realm-sessions.js';
import { RememberedDevices } from './session/remembered-devices.js';
import { SessionCleanupService } from './session/session-cleanup.service.js';
import { SessionLifecycleService } from './session/session-lifecycle.service.js';
import { SessionLink } from './session/session-link.js';
import { SessionStore } from './session/session-store.js';
import { SessionStoreHealthIndicator } from './session/session-store-health-indicator.js';
import { LoginThrottleStore } from './throttle/login-throttle-store.js';
import { LoginThrottle } from './throttle/login-throttle.js';
import { PasswordQueue } from './throttle/password-queue.js';
import { SessionGuessing } from './throttle/session-guessing.js';
import { Clock, SystemClock } from './time/clock.js';

/** Classes that Nest builds, and an application may inject. */
const EXPORTED_CLASSES = [
  ConcurrentSessionsService,
  CsrfService,
  RememberMeService,
  RequestSessionFactory,
  SessionAuthService,
  SessionCleanupService,
  SessionEventPublisher,
  SessionLifecycleService,
  SessionStoreHealthIndicator,
];

/** Everything that an application may inject, besides its own stores and users. */
export const CORE_EXPORTS = [...EXPORTED_CLASSES, AuditLog, Clock, SessionLink];

/** All providers except those of the module's extras: stores, users and the like. */
export const CORE_PROVIDERS: readonly Provider[] = [
  ...OPTION_PROVIDERS,
  ...EXPORTED_CLASSES,
  AccountChanges,
  AuditAggregation,
  BearerTokens,
  CookieSet,
  CredentialCheck,
  EventEmitterBridge,
  FollowingSignals,
  KeyRing,
  LiveSessions,
  PasswordQueue,
  RealmSessions,
  RememberedLogin,
  RememberMeRevocation,
  RememberMeSignIn,
  RequestServices,
  SessionChanges,
  SessionGuessing,
  SessionReader,
  SessionRotation,
  SessionUpdates,
  SignIn,
  StoreDeadline,
  UpstreamDigests,
  UserSessions,
  { provide: Clock, useClass: SystemClock },
  { provide: PersonalData, useClass: StoredPersonalData },
  { provide: RememberedDevices, useClass: StoredRememberedDevices },
  { provide: SessionResumer, useExisting: RememberedLogin },
  {
    provide: EXPIRING_ROWS,
    inject: [RememberMeTokenStore, AuditLog, LoginThrottleStore],
    useFactory: (rememberMeTokens: object, auditEvents: object, throttleCounts: object) =>
      expiringRows({ rememberMeTokens, auditEvents, throttleCounts }),
  },
  // undefined when the application has switched them off, or has no such part
  { provide: SessionLink, inject: [SessionStore], useFactory: (store?: SessionStore) => store?.link?.() },
  {
    provide: STORE_IN_FRONT,
    inject: [SessionStore, NEAR_CACHE_SETTINGS, SESSION_LIFETIME, Clock, REALM],
    useFactory: (
      store: SessionStore,
      settings: NearCacheSettings | undefined,
      lifetime: SessionLifetime,
      clock: Clock,
      realm: string,
    ) => settings && new NearCachedSessionStore(store, settings, lifetime, clock, realm),
  },
  {
    provide: NewSessionAnnouncer,
    inject: [{ token: NewSessionNotifier, optional: true }],
    useFactory: (notifier?: NewSessionNotifier) => notifier && new NewSessionAnnouncer(notifier),
  },
  {
    provide: LoginThrottle,
    inject: [LoginThrottleStore, Clock, KeyRing, RESOLVED_OPTIONS],
    useFactory: (store: LoginThrottleStore, clock: Clock, keys: KeyRing, { loginThrottle, storeTimeout }: Options) =>
      loginThrottle &&
      new LoginThrottle(store, clock, loginThrottle, keys.deriveKeys('login-throttle')[0]!, storeTimeout),
  },
  {
    provide: Fingerprint,
    inject: [KeyRing, RESOLVED_OPTIONS],
    useFactory: (keys: KeyRing, { fingerprint }: Options) => fingerprint && new Fingerprint(keys, fingerprint),
  },
];
