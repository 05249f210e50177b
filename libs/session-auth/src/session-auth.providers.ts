import { Logger, type Provider } from '@nestjs/common';
import { DeviceRecognition } from './login/device-recognition.js';
import { FactorGuard } from './guards/factor.guard.js';
import { FullAuthGuard } from './guards/full-auth.guard.js';
import { RecentAuthGuard } from './guards/recent-auth.guard.js';
import { RememberedLogin } from './login/remembered-login.js';
import { RolesGuard } from './guards/roles.guard.js';
import { SessionAuthGuard } from './guards/session-auth.guard.js';
import { SessionAuthService } from './login/session-auth.service.js';
import { checkedStore } from './session/checked-store.js';
import { KeyRing } from './crypto/key-ring.js';
import { CsrfGuard } from './csrf/csrf.guard.js';
import { CsrfService } from './csrf/csrf.service.js';
import { EmbeddingGuard } from './csrf/embedding.guard.js';
import { AuditLog } from './events/audit-log.js';
import { EventEmitterBridge } from './events/event-emitter-bridge.js';
import { SessionEventPublisher } from './events/event-publisher.js';
import { DeviceCookie } from './cookies/device-cookie.js';
import { Fingerprint } from './fingerprint/fingerprint.js';
import { RememberMeCookie } from './cookies/remember-me-cookie.js';
import { RequestSessions } from './http/request-sessions.js';
import { PreSessionCookie } from './cookies/pre-session-cookie.js';
import { SessionCookie } from './cookies/session-cookie.js';
import { SessionGuessing } from './throttle/session-guessing.js';
import { PasswordHasher } from './passwords/password-hasher.js';
import { RememberMeDevices } from './remember-me/remember-me-devices.js';
import { RememberMeTokenStore } from './remember-me/remember-me-token-store.js';
import { RESOLVED_OPTIONS, resolveOptions, type ResolvedSessionAuthOptions } from './resolve-options.js';
import { RememberMeService } from './remember-me/remember-me.service.js';
import { DEFAULT_REMEMBER_ME } from './remember-me/remember-me.options.js';
import { ConcurrentSessionsService } from './session/concurrent-sessions.service.js';
import { NewSessionAnnouncer } from './session/new-session-announcer.js';
import { NewSessionNotifier } from './session/new-session-notifier.js';
import { SessionCleanupService, type ExpiringRows } from './session/session-cleanup.service.js';
import { lifetimeAdvice } from './session/session-lifetime.js';
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
  RequestSessions,
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
  {
    provide: STORE_TIMEOUT,
    inject: [RESOLVED_OPTIONS],
    useFactory: ({ storeTimeout }: ResolvedSessionAuthOptions) => storeTimeout,
  },
  {
    provide: SessionEventPublisher,
    inject: [Clock, AuditLog],
    useFactory: (clock: Clock, auditLog: AuditLog) =>
      new SessionEventPublisher(clock, [(event) => auditLog.record(event)]),
  },
  {
    provide: SessionCookie,
    inject: [RESOLVED_OPTIONS],
    useFactory: ({ secrets, cookie, lifetime }: ResolvedSessionAuthOptions) =>
      new SessionCookie(new KeyRing(secrets), { attributes: cookie, absolute: lifetime.absolute, idle: lifetime.idle }),
  },
  {
    provide: PreSessionCookie,
    inject: [RESOLVED_OPTIONS],
    useFactory: ({ secrets, cookie, lifetime }: ResolvedSessionAuthOptions) =>
      new PreSessionCookie(new KeyRing(secrets), cookie, lifetime.absolute),
  },
  {
    provide: SessionLifecycleService,
    inject: [SessionStore, RememberMeTokenStore, RESOLVED_OPTIONS, Clock, SessionEventPublisher, OPTIONAL_NOTIFIER],
    useFactory: (
      store: SessionStore,
      tokens: RememberMeTokenStore,
      options: ResolvedSessionAuthOptions,
      clock: Clock,
      events: SessionEventPublisher,
      notifier: NewSessionNotifier | undefined,
    ) => {
      const announcer = new NewSessionAnnouncer(notifier);
      const devices = options.rememberMe && new RememberMeDevices(tokens, clock, options.storeTimeout);
      const settings = { ...options, upstreamKeys: new KeyRing(options.secrets).deriveKeys('upstream') };
      return new SessionLifecycleService(checkedStore(store), settings, clock, events, announcer, devices);
    },
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
    inject: [
      RESOLVED_OPTIONS,
      RememberMeService,
      SessionLifecycleService,
      Clock,
      SessionEventPublisher,
      OPTIONAL_USERS,
    ],
    useFactory: (
      { secrets, cookie, rememberMe: settings }: ResolvedSessionAuthOptions,
      rememberMe: RememberMeService,
      lifecycle: SessionLifecycleService,
      clock: Clock,
      events: SessionEventPublisher,
      users: SessionUserProvider | undefined,
    ) =>
      settings &&
      new RememberedLogin({
        rememberMe,
        cookie: new RememberMeCookie(new KeyRing(secrets), cookie),
        lifecycle,
        clock,
        events,
        users,
      }),
  },
  {
    provide: ConcurrentSessionsService,
    inject: [SessionLifecycleService, RESOLVED_OPTIONS],
    useFactory: (lifecycle: SessionLifecycleService, { concurrency }: ResolvedSessionAuthOptions) =>
      new ConcurrentSessionsService(lifecycle, concurrency),
  },
  {
    provide: RequestSessions,
    inject: [
      RESOLVED_OPTIONS,
      SessionCookie,
      PreSessionCookie,
      SessionLifecycleService,
      Clock,
      SessionEventPublisher,
      OPTIONAL_USERS,
      RememberedLogin,
    ],
    useFactory: (
      { secrets, fingerprint: signals }: ResolvedSessionAuthOptions,
      cookie: SessionCookie,
      preSessionCookie: PreSessionCookie,
      lifecycle: SessionLifecycleService,
      clock: Clock,
      events: SessionEventPublisher,
      users: SessionUserProvider | undefined,
      remembered: RememberedLogin | undefined,
    ) => {
      const fingerprint = signals && new Fingerprint(new KeyRing(secrets), signals);
      return new RequestSessions({
        cookie,
        preSessionCookie,
        guessing: new SessionGuessing(events, clock),
        fingerprint,
        lifecycle,
        clock,
        events,
        users,
        remembered,
      });
    },
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
      Clock,
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
      clock: Clock,
      remembered: RememberedLogin | undefined,
      users: SessionUserProvider | undefined,
    ) => {
      const throttle = loginThrottle(options, throttleStore, clock);
      return new SessionAuthService({ lifecycle, passwords, events, devices, throttle, remembered, users });
    },
  },
  {
    provide: DeviceRecognition,
    inject: [RESOLVED_OPTIONS, Clock],
    useFactory: ({ secrets, cookie, deviceCookie }: ResolvedSessionAuthOptions, clock: Clock) =>
      new DeviceRecognition(
        deviceCookie && new DeviceCookie(new KeyRing(secrets), cookie, deviceCookie.lifetime),
        clock,
      ),
  },
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

function loginThrottle(
  options: ResolvedSessionAuthOptions,
  store: LoginThrottleStore,
  clock: Clock,
): LoginThrottle | undefined {
  const { loginThrottle: settings, secrets, storeTimeout } = options;
  if (settings === undefined) return undefined;
  const [key] = new KeyRing(secrets).deriveKeys('login-throttle');
  return new LoginThrottle(store, clock, settings, key!, storeTimeout);
}

/** What of these parts keeps rows that expire: a store that does not, such as one in Redis, has no such method. */
function expiringRows(parts: Readonly<Record<string, object | undefined>>): Record<string, ExpiringRows> {
  const expiring = Object.entries(parts).filter(
    ([, part]) => typeof (part as Partial<ExpiringRows> | undefined)?.deleteExpired === 'function',
  );
  return Object.fromEntries(expiring) as Record<string, ExpiringRows>;
}
