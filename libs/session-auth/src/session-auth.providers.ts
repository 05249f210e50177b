import { Logger, type Provider } from '@nestjs/common';
import { DeviceRecognition } from './login/device-recognition.js';
import { FactorGuard } from './guards/factor.guard.js';
import { FullAuthGuard } from './guards/full-auth.guard.js';
import { RecentAuthGuard } from './guards/recent-auth.guard.js';
import { RememberedLogin } from './login/remembered-login.js';
import { RolesGuard } from './guards/roles.guard.js';
import { SessionAuthGuard } from './guards/session-auth.guard.js';
import { SessionAuthService } from './login/session-auth.service.js';
import { COOKIE_ATTRIBUTES } from './cookies/cookie.options.js';
import { DEVICE_COOKIE_SETTINGS } from './cookies/device-cookie.options.js';
import { SECRETS } from './crypto/secrets.options.js';
import { CSRF_SETTINGS } from './csrf/csrf.options.js';
import { FINGERPRINT_SIGNALS, type FingerprintSignal } from './fingerprint/fingerprint.options.js';
import { PASSWORD_SETTINGS } from './passwords/passwords.options.js';
import { LOGIN_THROTTLE_SETTINGS } from './throttle/login-throttle.options.js';
import { KeyRing } from './crypto/key-ring.js';
import { CsrfGuard } from './csrf/csrf.guard.js';
import { CsrfService } from './csrf/csrf.service.js';
import { EmbeddingGuard } from './csrf/embedding.guard.js';
import { AuditLog } from './events/audit-log.js';
import { EventEmitterBridge } from './events/event-emitter-bridge.js';
import { SessionEventPublisher } from './events/event-publisher.js';
import { CookieSet } from './cookies/cookie-set.js';
import { Fingerprint } from './fingerprint/fingerprint.js';
import { RequestSessionFactory } from './http/request-session.js';
import { SessionResumer } from './http/session-resumer.js';
import { StoreDeadline } from './async/store-deadline.js';
import { RememberedDevices } from './session/remembered-devices.js';
import { SessionChanges } from './session/session-changes.js';
import { SessionReader } from './session/session-reader.js';
import { SessionUpdates } from './session/session-updates.js';
import { UpstreamDigests } from './session/upstream-session.js';
import { UserSessions } from './session/user-sessions.js';
import { SessionGuessing } from './throttle/session-guessing.js';
import { PasswordHasher } from './passwords/password-hasher.js';
import { RememberMeDevices } from './remember-me/remember-me-devices.js';
import { RememberMeTokenStore } from './remember-me/remember-me-token-store.js';
import { RESOLVED_OPTIONS, resolveOptions, type ResolvedSessionAuthOptions } from './resolve-options.js';
import { RememberMeService } from './remember-me/remember-me.service.js';
import { DEFAULT_REMEMBER_ME, REMEMBER_ME_SETTINGS } from './remember-me/remember-me.options.js';
import { ConcurrentSessionsService } from './session/concurrent-sessions.service.js';
import { NewSessionAnnouncer } from './session/new-session-announcer.js';
import { NewSessionNotifier } from './session/new-session-notifier.js';
import { SessionCleanupService, type ExpiringRows } from './session/session-cleanup.service.js';
import { CLEANUP_SETTINGS } from './session/cleanup.options.js';
import { CONCURRENCY_LIMIT } from './session/concurrency.options.js';
import { lifetimeAdvice, SESSION_LIFETIME } from './session/lifetime.options.js';
import { MAX_DATA_SIZE } from './session/session-data.options.js';
import { SessionLifecycleService } from './session/session-lifecycle.service.js';
import { SessionStoreHealthIndicator } from './session/session-store-health-indicator.js';
import { SessionStore } from './session/session-store.js';
import { LoginThrottleStore } from './throttle/login-throttle-store.js';
import { LoginThrottle } from './throttle/login-throttle.js';
import { Clock, SystemClock } from './time/clock.js';
import { STORE_TIMEOUT } from './async/store-timeout.options.js';
import { SessionUserProvider } from './users/session-user-provider.js';

/** Where Nest's builder puts what `forRoot` was given or a `forRootAsync` factory answered. */
export const SESSION_AUTH_OPTIONS = Symbol('nestjs-session-auth options');

/** What an application may inject, besides the stores and users of its own. */
export const CORE_EXPORTS = [
  AuditLog,
  Clock,
  ConcurrentSessionsService,
  CsrfGuard,
  CsrfService,
  EmbeddingGuard,
  FactorGuard,
  FullAuthGuard,
  RecentAuthGuard,
  RememberMeService,
  RequestSessionFactory,
  RolesGuard,
  SessionAuthGuard,
  SessionAuthService,
  SessionCleanupService,
  SessionEventPublisher,
  SessionLifecycleService,
  SessionStoreHealthIndicator,
];

const OPTIONAL_USERS = { token: SessionUserProvider, optional: true };
const OPTIONAL_NOTIFIER = { token: NewSessionNotifier, optional: true };

/** Where each resolved option is injected from. */
const SLICE_TOKENS: Readonly<Record<keyof ResolvedSessionAuthOptions, symbol>> = {
  secrets: SECRETS,
  cookie: COOKIE_ATTRIBUTES,
  lifetime: SESSION_LIFETIME,
  concurrency: CONCURRENCY_LIMIT,
  fingerprint: FINGERPRINT_SIGNALS,
  csrf: CSRF_SETTINGS,
  rememberMe: REMEMBER_ME_SETTINGS,
  passwords: PASSWORD_SETTINGS,
  loginThrottle: LOGIN_THROTTLE_SETTINGS,
  deviceCookie: DEVICE_COOKIE_SETTINGS,
  cleanup: CLEANUP_SETTINGS,
  storeTimeout: STORE_TIMEOUT,
  maxDataSize: MAX_DATA_SIZE,
};

/** Factories of the plain classes, out of the resolved options. */
export const CORE_PROVIDERS: Provider[] = [
  { provide: Clock, useClass: SystemClock },
  {
    provide: RESOLVED_OPTIONS,
    inject: [SESSION_AUTH_OPTIONS],
    useFactory: (options: unknown) => {
      const production = process.env['NODE_ENV'] === 'production';
      const resolved = resolveOptions(options, production);
      const advice = lifetimeAdvice(resolved.lifetime);
      if (production && !resolved.cookie.secure) {
        advice.push(
          'cookie.secure is false: browsers send sessions over plain HTTP as well, for anybody on the way to read',
        );
      }
      for (const text of advice) new Logger('SessionAuth').warn(text);
      return resolved;
    },
  },
  ...Object.entries(SLICE_TOKENS).map(([option, provide]) => ({
    provide,
    inject: [RESOLVED_OPTIONS],
    useFactory: (options: ResolvedSessionAuthOptions) => options[option as keyof ResolvedSessionAuthOptions],
  })),
  {
    provide: SessionEventPublisher,
    inject: [Clock, AuditLog],
    useFactory: (clock: Clock, auditLog: AuditLog) =>
      new SessionEventPublisher(clock, [(event) => auditLog.record(event)]),
  },
  {
    provide: KeyRing,
    inject: [SECRETS],
    useFactory: (secrets: readonly string[]) => new KeyRing(secrets),
  },
  {
    provide: StoreDeadline,
    inject: [STORE_TIMEOUT],
    useFactory: (timeout: number) => new StoreDeadline(timeout),
  },
  CookieSet,
  SessionGuessing,
  SessionReader,
  SessionUpdates,
  SessionChanges,
  UserSessions,
  UpstreamDigests,
  SessionLifecycleService,
  RequestSessionFactory,
  {
    provide: NewSessionAnnouncer,
    inject: [OPTIONAL_NOTIFIER],
    useFactory: (notifier: NewSessionNotifier | undefined) => new NewSessionAnnouncer(notifier),
  },
  {
    provide: RememberedDevices,
    inject: [REMEMBER_ME_SETTINGS, RememberMeTokenStore, Clock, STORE_TIMEOUT],
    useFactory: (settings: object | undefined, tokens: RememberMeTokenStore, clock: Clock, timeout: number) =>
      settings && new RememberMeDevices(tokens, clock, timeout),
  },
  {
    provide: Fingerprint,
    inject: [KeyRing, FINGERPRINT_SIGNALS],
    useFactory: (keys: KeyRing, signals: readonly FingerprintSignal[] | undefined) =>
      signals && new Fingerprint(keys, signals),
  },
  {
    provide: RememberMeService,
    inject: [RememberMeTokenStore, RESOLVED_OPTIONS, Clock, SessionEventPublisher, SessionLifecycleService],
    useFactory: (
      store: RememberMeTokenStore,
      { secrets, rememberMe, storeTimeout }: ResolvedSessionAuthOptions,
      clock: Clock,
      events: SessionEventPublisher,
      lifecycle: SessionLifecycleService,
    ) =>
      new RememberMeService({
        store,
        settings: rememberMe ?? DEFAULT_REMEMBER_ME,
        keys: new KeyRing(secrets).deriveKeys('remember-me'),
        clock,
        events,
        storeTimeout,
        endSessions: (userId, client) => lifecycle.revokeAll(userId, 'remember_me_theft', client),
      }),
  },
  {
    provide: RememberedLogin,
    inject: [REMEMBER_ME_SETTINGS, RememberMeService, SessionChanges, SessionEventPublisher, OPTIONAL_USERS],
    useFactory: (
      settings: object | undefined,
      rememberMe: RememberMeService,
      changes: SessionChanges,
      events: SessionEventPublisher,
      users: SessionUserProvider | undefined,
    ) => settings && new RememberedLogin(rememberMe, changes, events, users),
  },
  { provide: SessionResumer, useExisting: RememberedLogin },
  {
    provide: ConcurrentSessionsService,
    inject: [SessionLifecycleService, RESOLVED_OPTIONS],
    useFactory: (lifecycle: SessionLifecycleService, { concurrency }: ResolvedSessionAuthOptions) =>
      new ConcurrentSessionsService(lifecycle, concurrency),
  },
  {
    provide: SessionAuthService,
    inject: [
      SessionLifecycleService,
      PasswordHasher,
      SessionEventPublisher,
      DeviceRecognition,
      RESOLVED_OPTIONS,
      LoginThrottleStore,
      RememberedLogin,
      OPTIONAL_USERS,
    ],
    useFactory: (
      lifecycle: SessionLifecycleService,
      passwords: PasswordHasher,
      events: SessionEventPublisher,
      devices: DeviceRecognition,
      options: ResolvedSessionAuthOptions,
      throttleStore: LoginThrottleStore,
      remembered: RememberedLogin | undefined,
      users: SessionUserProvider | undefined,
    ) => {
      const throttle = loginThrottle(options, throttleStore);
      return new SessionAuthService({ lifecycle, passwords, events, devices, throttle, remembered, users });
    },
  },
  DeviceRecognition,
  {
    provide: SessionCleanupService,
    inject: [
      SessionStore,
      RESOLVED_OPTIONS,
      Clock,
      SessionEventPublisher,
      RememberMeTokenStore,
      AuditLog,
      LoginThrottleStore,
    ],
    useFactory: (
      store: SessionStore,
      { cleanup }: ResolvedSessionAuthOptions,
      clock: Clock,
      events: SessionEventPublisher,
      ...[rememberMeTokens, auditEvents, throttleCounts]: readonly object[]
    ) => {
      const others = expiringRows({ rememberMeTokens, auditEvents, throttleCounts });
      return new SessionCleanupService({ store, others, events, clock }, cleanup);
    },
  },
  {
    provide: SessionStoreHealthIndicator,
    inject: [SessionStore, Clock, RESOLVED_OPTIONS],
    useFactory: (store: SessionStore, clock: Clock, { storeTimeout }: ResolvedSessionAuthOptions) =>
      new SessionStoreHealthIndicator(store, clock, storeTimeout),
  },
  EventEmitterBridge,
  {
    provide: CsrfService,
    inject: [RESOLVED_OPTIONS, SessionEventPublisher],
    useFactory: ({ secrets, csrf }: ResolvedSessionAuthOptions, events: SessionEventPublisher) =>
      new CsrfService(new KeyRing(secrets), csrf, events),
  },
  SessionAuthGuard,
  CsrfGuard,
  RolesGuard,
  RecentAuthGuard,
  FullAuthGuard,
  FactorGuard,
  EmbeddingGuard,
];

function loginThrottle(options: ResolvedSessionAuthOptions, store: LoginThrottleStore): LoginThrottle | undefined {
  const { loginThrottle: settings, secrets, storeTimeout } = options;
  if (settings === undefined) return undefined;
  const [key] = new KeyRing(secrets).deriveKeys('login-throttle');
  return new LoginThrottle(store, settings, key!, storeTimeout);
}

/** What of these parts keeps rows that expire: a store that does not, such as one in Redis, has no such method. */
function expiringRows(parts: Readonly<Record<string, object | undefined>>): Record<string, ExpiringRows> {
  const expiring = Object.entries(parts).filter(
    ([, part]) => typeof (part as Partial<ExpiringRows> | undefined)?.deleteExpired === 'function',
  );
  return Object.fromEntries(expiring) as Record<string, ExpiringRows>;
}
