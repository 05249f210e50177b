import { Logger, type CanActivate, type DynamicModule, type Provider } from '@nestjs/common';
import { APP_FILTER, APP_GUARD } from '@nestjs/core';
import { DeviceRecognition } from './authentication/device-recognition.js';
import { FullAuthGuard } from './authentication/full-auth.guard.js';
import { RecentAuthGuard } from './authentication/recent-auth.guard.js';
import { RememberedLogin } from './authentication/remembered-login.js';
import { RolesGuard } from './authentication/roles.guard.js';
import { SessionAuthGuard } from './authentication/session-auth.guard.js';
import { SessionAuthService } from './authentication/session-auth.service.js';
import { SessionBindingGuard } from './authentication/session-binding.guard.js';
import { KeyRing } from './crypto/key-ring.js';
import { CsrfGuard } from './csrf/csrf.guard.js';
import { CsrfService } from './csrf/csrf.service.js';
import { sessionAuthControllerAt } from './endpoints/session-auth.controller.js';
import { AuditLog, LoggerAuditLog } from './events/audit-log.js';
import { EventEmitterBridge } from './events/event-emitter-bridge.js';
import { SessionEventPublisher } from './events/event-publisher.js';
import { DeviceCookie } from './http/device-cookie.js';
import { Fingerprint } from './http/fingerprint.js';
import { RememberMeCookie } from './http/remember-me-cookie.js';
import { RequestSessions } from './http/request-sessions.js';
import { SessionAuthError } from './errors/session-auth.error.js';
import { SessionAuthErrorFilter } from './http/session-auth-error.filter.js';
import { PreSessionCookie } from './http/pre-session-cookie.js';
import { SessionCookie } from './http/session-cookie.js';
import { OptionReader } from './option-reader.js';
import { BcryptPasswordHasher } from './passwords/bcrypt-password-hasher.js';
import { PasswordHasher } from './passwords/password-hasher.js';
import { isProviderSlot, readProviderSlot, toProvider } from './provider-slot.js';
import { RememberMeDevices } from './remember-me/remember-me-devices.js';
import { RememberMeTokenStore } from './remember-me/remember-me-token-store.js';
import { RememberMeService } from './remember-me/remember-me.service.js';
import { DEFAULT_REMEMBER_ME } from './remember-me/remember-me-settings.js';
import { resolveOptions, type ResolvedSessionAuthOptions } from './resolve-options.js';
import type { ProviderSlot, SessionAuthExtras } from './session-auth.options.js';
import { ConcurrentSessionsService } from './session/concurrent-sessions.service.js';
import { NewSessionAnnouncer } from './session/new-session-announcer.js';
import { NewSessionNotifier } from './session/new-session-notifier.js';
import { SessionCleanupService, type ExpiringRows } from './session/session-cleanup.service.js';
import { SessionLifecycleService } from './session/session-lifecycle.service.js';
import { SessionStore } from './session/session-store.js';
import { MemoryLoginThrottleStore } from './storage/memory/memory-login-throttle-store.js';
import { MemoryRememberMeTokenStore } from './storage/memory/memory-remember-me-token-store.js';
import { MemorySessionStore } from './storage/memory/memory-session-store.js';
import { LoginThrottleStore } from './throttle/login-throttle-store.js';
import { LoginThrottle } from './throttle/login-throttle.js';
import { Clock, SystemClock } from './time/clock.js';
import { SessionUserProvider } from './users/session-user-provider.js';

/** Where Nest's builder puts what `forRoot` was given or a `forRootAsync` factory answered. */
export const SESSION_AUTH_OPTIONS = Symbol('nestjs-session-auth options');

const RESOLVED_OPTIONS = Symbol('nestjs-session-auth resolved options');

/** Adds to the module that Nest's builder made everything that its extras ask for. */
export function withSessionAuthParts(definition: DynamicModule, given: object): DynamicModule {
  const extras = checkExtras(given, isAsync(definition));
  const { users, notifier, endpoints } = extras;
  const userProviders = [
    ...(users === undefined ? [] : [toProvider(SessionUserProvider, users)]),
    ...(notifier === undefined ? [] : [toProvider(NewSessionNotifier, notifier)]),
  ];
  return {
    ...definition,
    global: true,
    imports: [...new Set([...(definition.imports ?? []), ...(extras.imports ?? [])])],
    controllers: endpoints === undefined ? [] : [sessionAuthControllerAt(endpoints.path)],
    providers: [
      ...(definition.providers ?? []),
      toProvider(SessionStore, extras.storage.sessions),
      toProvider(RememberMeTokenStore, extras.storage.rememberMe),
      toProvider(LoginThrottleStore, extras.storage.throttle),
      toProvider(AuditLog, extras.storage.audit),
      toProvider(PasswordHasher, extras.passwords),
      ...userProviders,
      ...CORE_PROVIDERS,
      { provide: APP_FILTER, useClass: SessionAuthErrorFilter },
      { provide: APP_GUARD, useClass: SessionBindingGuard },
      ...(extras.global ? [{ provide: APP_GUARD, useExisting: SessionAuthGuard }] : []),
      // whether it is global may be known to a factory only; after the session's, so that a visitor is told to sign in
      { provide: APP_GUARD, inject: [RESOLVED_OPTIONS, CsrfGuard], useFactory: globalCsrfGuard },
    ],
    exports: [
      SessionStore,
      RememberMeTokenStore,
      PasswordHasher,
      ...(users === undefined ? [] : [SessionUserProvider]),
      ...CORE_EXPORTS,
    ],
  };
}

const CORE_EXPORTS = [
  AuditLog,
  Clock,
  ConcurrentSessionsService,
  CsrfGuard,
  CsrfService,
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
];

const OPTIONAL_USERS = { token: SessionUserProvider, optional: true };
const OPTIONAL_NOTIFIER = { token: NewSessionNotifier, optional: true };

const CORE_PROVIDERS: Provider[] = [
  { provide: Clock, useClass: SystemClock },
  {
    provide: RESOLVED_OPTIONS,
    inject: [SESSION_AUTH_OPTIONS],
    useFactory: (options: unknown) => resolveOptions(options, process.env['NODE_ENV'] === 'production'),
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
      settings: ResolvedSessionAuthOptions,
      clock: Clock,
      events: SessionEventPublisher,
      notifier: NewSessionNotifier | undefined,
    ) => {
      const announcer = new NewSessionAnnouncer(notifier);
      const devices = settings.rememberMe && new RememberMeDevices(tokens, clock, settings.storeTimeout);
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
    inject: [RESOLVED_OPTIONS, RememberMeService, SessionLifecycleService, Clock, OPTIONAL_USERS],
    useFactory: (
      { secrets, cookie, rememberMe: settings }: ResolvedSessionAuthOptions,
      rememberMe: RememberMeService,
      lifecycle: SessionLifecycleService,
      clock: Clock,
      users: SessionUserProvider | undefined,
    ) =>
      settings &&
      new RememberedLogin({
        rememberMe,
        cookie: new RememberMeCookie(new KeyRing(secrets), cookie),
        lifecycle,
        clock,
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
];

const EXTRAS = ['imports', 'storage', 'users', 'notifier', 'endpoints', 'global', 'passwords'];

interface CheckedStorage {
  readonly sessions: ProviderSlot<SessionStore>;
  readonly rememberMe: ProviderSlot<RememberMeTokenStore>;
  readonly throttle: ProviderSlot<LoginThrottleStore>;
  readonly audit: ProviderSlot<AuditLog>;
}

interface CheckedExtras {
  readonly imports: SessionAuthExtras['imports'];
  readonly storage: CheckedStorage;
  readonly users: ProviderSlot<SessionUserProvider> | undefined;
  readonly notifier: ProviderSlot<NewSessionNotifier> | undefined;
  readonly passwords: ProviderSlot<PasswordHasher>;
  readonly endpoints: { readonly path: string } | undefined;
  readonly global: boolean;
}

function checkExtras(given: object, async: boolean): CheckedExtras {
  // next to a factory, the options proper would be overlooked; beside them, `resolveOptions` looks after the rest
  const extras = OptionReader.root(given, async ? EXTRAS : [...EXTRAS, ...Object.keys(given)]);
  const users = readProviderSlot<SessionUserProvider>(extras, 'users');
  return {
    imports: extras.get('imports') as SessionAuthExtras['imports'],
    storage: storageOf(extras),
    users,
    notifier: readProviderSlot<NewSessionNotifier>(extras, 'notifier'),
    passwords: passwordsOf(extras, async),
    endpoints: endpointsOf(extras, users !== undefined),
    global: extras.flag('global', false),
  };
}

function storageOf(extras: OptionReader): CheckedStorage {
  const given = extras.get('storage');
  if (typeof given === 'string' && given !== 'memory') {
    throw extras.refuse('storage', "'memory', or the slots that redisStorage(…) and typeOrmStorage(…) answer");
  }
  const storage =
    given === 'memory'
      ? OptionReader.empty('storage')
      : extras.slice('storage', ['sessions', 'rememberMe', 'throttle', 'audit']);
  const sessions = readProviderSlot<SessionStore>(storage, 'sessions');
  const rememberMe = readProviderSlot<RememberMeTokenStore>(storage, 'rememberMe');
  return {
    sessions: sessions ?? { useFactory: () => inMemory('sessions', new MemorySessionStore()) },
    rememberMe: rememberMe ?? {
      inject: [RESOLVED_OPTIONS],
      useFactory: ({ rememberMe: settings }: ResolvedSessionAuthOptions) => {
        const store = new MemoryRememberMeTokenStore();
        // one warning is enough where the sessions are in memory as well, and none is due where nothing is kept
        return sessions === undefined || settings === undefined ? store : inMemory('remember-me tokens', store);
      },
    },
    throttle: readProviderSlot<LoginThrottleStore>(storage, 'throttle') ?? { useClass: MemoryLoginThrottleStore },
    audit: readProviderSlot<AuditLog>(storage, 'audit') ?? { useClass: LoggerAuditLog },
  };
}

function passwordsOf(extras: OptionReader, async: boolean): ProviderSlot<PasswordHasher> {
  if (isProviderSlot(extras.get('passwords'))) return extras.get('passwords') as ProviderSlot<PasswordHasher>;
  if (async && extras.get('passwords') !== undefined) {
    throw extras.refuse('passwords', 'a provider here; a cost belongs in what the factory answers');
  }
  const useFactory = ({ passwords }: ResolvedSessionAuthOptions): PasswordHasher => {
    if (passwords !== undefined) return new BcryptPasswordHasher(passwords.cost);
    throw extras.refuse('passwords', '{ cost } from a factory; a provider stands next to it', 'a provider');
  };
  return { inject: [RESOLVED_OPTIONS], useFactory };
}

function endpointsOf(extras: OptionReader, hasUsers: boolean): { readonly path: string } | undefined {
  const given = extras.get('endpoints');
  if (given === false || (given === undefined && !hasUsers)) return undefined;
  if (!hasUsers) throw extras.refuse('endpoints', 'false without the option users');
  return { path: extras.slice('endpoints', ['path']).text('path') ?? 'auth' };
}

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

function globalCsrfGuard({ csrf }: ResolvedSessionAuthOptions, guard: CsrfGuard): CanActivate {
  return csrf.global ? guard : { canActivate: () => true };
}

function isAsync({ providers = [] }: DynamicModule): boolean {
  return providers.some((each) => 'provide' in each && each.provide === SESSION_AUTH_OPTIONS && 'useFactory' in each);
}

function inMemory<T>(what: string, store: T): T {
  if (process.env['NODE_ENV'] === 'production') {
    new Logger('SessionAuth').warn(
      `${what} are kept in memory: they end with this process and are not shared with other nodes; set the option storage`,
    );
  }
  return store;
}

const STORE_OPERATIONS = Object.keys({
  create: true,
  find: true,
  update: true,
  rotate: true,
  delete: true,
  list: true,
  deleteByHandle: true,
  deleteByUser: true,
  updateByUser: true,
  deleteExpired: true,
} satisfies Record<Exclude<keyof SessionStore, 'withCleanupLock'>, true>) as (keyof SessionStore)[];

function checkedStore(store: SessionStore): SessionStore {
  const missing = STORE_OPERATIONS.filter(
    (operation) => typeof (store as Partial<SessionStore> | undefined)?.[operation] !== 'function',
  );
  if (missing.length === 0) return store;
  throw new SessionAuthError(
    'invalid_configuration',
    `SessionAuthModule: storage.sessions: given a store without ${missing.join(', ')}; allowed is what implements SessionStore`,
  );
}
