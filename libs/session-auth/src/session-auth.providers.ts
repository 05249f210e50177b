import type { Provider } from '@nestjs/common';
import { StoreDeadline } from './async/store-deadline.js';
import { DeviceCookie } from './cookies/device-cookie.js';
import { PreSessionCookie } from './cookies/pre-session-cookie.js';
import { RememberMeCookie } from './cookies/remember-me-cookie.js';
import { SessionCookie } from './cookies/session-cookie.js';
import { KeyRing } from './crypto/key-ring.js';
import { CsrfGuard } from './csrf/csrf.guard.js';
import { CsrfService } from './csrf/csrf.service.js';
import { EmbeddingGuard } from './csrf/embedding.guard.js';
import { AuditLog } from './events/audit-log.js';
import { EventEmitterBridge } from './events/event-emitter-bridge.js';
import { SessionEventPublisher } from './events/event-publisher.js';
import { Fingerprint } from './fingerprint/fingerprint.js';
import { FactorGuard } from './guards/factor.guard.js';
import { FullAuthGuard } from './guards/full-auth.guard.js';
import { RecentAuthGuard } from './guards/recent-auth.guard.js';
import { RolesGuard } from './guards/roles.guard.js';
import { SessionAuthGuard } from './guards/session-auth.guard.js';
import { RequestSessions } from './http/request-sessions.js';
import { AccountChanges } from './login/account-changes.js';
import { CredentialCheck } from './login/credential-check.js';
import { DeviceRecognition } from './login/device-recognition.js';
import { RememberedLogin } from './login/remembered-login.js';
import { SessionAuthService } from './login/session-auth.service.js';
import { SignIn } from './login/sign-in.js';
import { RememberMeService } from './remember-me/remember-me.service.js';
import { RememberMeTokenStore } from './remember-me/remember-me-token-store.js';
import { StoredRememberedDevices } from './remember-me/stored-remembered-devices.js';
import { OPTION_PROVIDERS, RESOLVED_OPTIONS, type ResolvedSessionAuthOptions as Options } from './resolve-options.js';
import { checkedStore } from './session/checked-store.js';
import { ConcurrentSessionsService } from './session/concurrent-sessions.service.js';
import { EXPIRING_ROWS, expiringRows } from './session/expiring-rows.js';
import { NewSessionAnnouncer } from './session/new-session-announcer.js';
import { RememberedDevices } from './session/remembered-devices.js';
import { SessionCleanupService } from './session/session-cleanup.service.js';
import { SessionLifecycleService } from './session/session-lifecycle.service.js';
import { SessionStoreHealthIndicator } from './session/session-store-health-indicator.js';
import { SessionStore } from './session/session-store.js';
import { LoginThrottleStore } from './throttle/login-throttle-store.js';
import { LoginThrottle } from './throttle/login-throttle.js';
import { SessionGuessing } from './throttle/session-guessing.js';
import { Clock, SystemClock } from './time/clock.js';
import { SessionUserProvider } from './users/session-user-provider.js';

/** What Nest builds by itself, and an application may inject. */
const EXPORTED_CLASSES = [
  ConcurrentSessionsService,
  CsrfGuard,
  CsrfService,
  EmbeddingGuard,
  FactorGuard,
  FullAuthGuard,
  RecentAuthGuard,
  RememberMeService,
  RolesGuard,
  SessionAuthGuard,
  SessionAuthService,
  SessionCleanupService,
  SessionEventPublisher,
  SessionStoreHealthIndicator,
];

/** What an application may inject, besides the stores and users of its own. */
export const CORE_EXPORTS = [...EXPORTED_CLASSES, AuditLog, Clock, RequestSessions, SessionLifecycleService];

const OPTIONAL_USERS = { token: SessionUserProvider, optional: true };

/** All but what the extras of the module bring: stores, users and the like. */
export const CORE_PROVIDERS: readonly Provider[] = [
  ...OPTION_PROVIDERS,
  ...EXPORTED_CLASSES,
  AccountChanges,
  CredentialCheck,
  DeviceRecognition,
  EventEmitterBridge,
  KeyRing,
  NewSessionAnnouncer,
  RememberedLogin,
  SignIn,
  StoreDeadline,
  { provide: Clock, useClass: SystemClock },
  { provide: RememberedDevices, useClass: StoredRememberedDevices },
  {
    provide: EXPIRING_ROWS,
    inject: [RememberMeTokenStore, AuditLog, LoginThrottleStore],
    useFactory: (rememberMeTokens: object, auditEvents: object, throttleCounts: object) =>
      expiringRows({ rememberMeTokens, auditEvents, throttleCounts }),
  },
  {
    provide: SessionGuessing,
    inject: [SessionEventPublisher, Clock],
    useFactory: (events: SessionEventPublisher, clock: Clock) => new SessionGuessing(events, clock),
  },
  // undefined where the application has switched them off
  {
    provide: DeviceCookie,
    inject: [KeyRing, RESOLVED_OPTIONS],
    useFactory: (keys: KeyRing, { cookie, deviceCookie }: Options) =>
      deviceCookie && new DeviceCookie(keys, cookie, deviceCookie.lifetime),
  },
  {
    provide: RememberMeCookie,
    inject: [KeyRing, RESOLVED_OPTIONS],
    useFactory: (keys: KeyRing, { cookie, rememberMe }: Options) => rememberMe && new RememberMeCookie(keys, cookie),
  },
  {
    provide: LoginThrottle,
    inject: [LoginThrottleStore, KeyRing, RESOLVED_OPTIONS],
    useFactory: (store: LoginThrottleStore, keys: KeyRing, { loginThrottle, storeTimeout }: Options) =>
      loginThrottle && new LoginThrottle(store, loginThrottle, keys.deriveKeys('login-throttle')[0]!, storeTimeout),
  },
  {
    provide: Fingerprint,
    inject: [KeyRing, RESOLVED_OPTIONS],
    useFactory: (keys: KeyRing, { fingerprint }: Options) => fingerprint && new Fingerprint(keys, fingerprint),
  },
  {
    provide: SessionCookie,
    inject: [KeyRing, RESOLVED_OPTIONS],
    useFactory: (keys: KeyRing, { cookie: attributes, lifetime: { absolute, idle } }: Options) =>
      new SessionCookie(keys, { attributes, absolute, idle }),
  },
  {
    provide: PreSessionCookie,
    inject: [KeyRing, RESOLVED_OPTIONS],
    useFactory: (keys: KeyRing, { cookie, lifetime }: Options) => new PreSessionCookie(keys, cookie, lifetime.absolute),
  },
  {
    provide: SessionLifecycleService,
    inject: [
      SessionStore,
      RESOLVED_OPTIONS,
      KeyRing,
      Clock,
      SessionEventPublisher,
      NewSessionAnnouncer,
      RememberedDevices,
    ],
    useFactory: (
      store: SessionStore,
      options: Options,
      keys: KeyRing,
      ...others: [Clock, SessionEventPublisher, NewSessionAnnouncer, RememberedDevices]
    ) => {
      const settings = { ...options, upstreamKeys: keys.deriveKeys('upstream') };
      return new SessionLifecycleService(checkedStore(store), settings, ...others);
    },
  },
  {
    provide: RequestSessions,
    inject: [
      SessionCookie,
      PreSessionCookie,
      SessionGuessing,
      Fingerprint,
      SessionLifecycleService,
      Clock,
      SessionEventPublisher,
      OPTIONAL_USERS,
      RememberedLogin,
    ],
    useFactory: (
      cookie: SessionCookie,
      preSessionCookie: PreSessionCookie,
      guessing: SessionGuessing,
      fingerprint: Fingerprint | undefined,
      lifecycle: SessionLifecycleService,
      clock: Clock,
      events: SessionEventPublisher,
      users: SessionUserProvider | undefined,
      remembered: RememberedLogin,
    ) =>
      new RequestSessions({
        cookie,
        preSessionCookie,
        guessing,
        fingerprint,
        lifecycle,
        clock,
        events,
        users,
        remembered,
      }),
  },
];
