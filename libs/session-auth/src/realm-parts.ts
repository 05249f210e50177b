import { randomUUID } from 'node:crypto';
import type { InjectionToken, Provider, Type } from '@nestjs/common';
import { APP_GUARD, ModulesContainer } from '@nestjs/core';
import { StoreDeadline } from './async/store-deadline.js';
import { CsrfGuard } from './csrf/csrf.guard.js';
import { CSRF_SETTINGS, type CsrfSettings } from './csrf/csrf.options.js';
import { CsrfService } from './csrf/csrf.service.js';
import { ENDPOINTS_SETTINGS, type EndpointsSettings } from './endpoints/endpoints.options.js';
import { SessionAuthController, sessionAuthControllerAt } from './endpoints/session-auth.controller.js';
import { AuditLog } from './events/audit-log.js';
import { GuardOfRealm } from './guards/guard-of-realm.js';
import { MessageGuards } from './guards/message-guards.js';
import { SessionAuthGuard } from './guards/session-auth.guard.js';
import { CookieSet } from './http/cookie-set.js';
import { RealmRegistry } from './http/realm-registry.js';
import { RequestSessionFactory } from './http/request-session-factory.js';
import { LiveSessions } from './link/live-sessions.js';
import { SessionAuthService } from './login/session-auth.service.js';
import { documentEndpoints } from './openapi/document-endpoints.js';
import type { ProviderSlot } from './options/provider-slot.js';
import { PasswordHasher } from './passwords/password-hasher.js';
import { claimAuditLog, claimCookies, claimEndpoints, claimStore, type RealmPart } from './boot/realm-claims.js';
import { ProvidersOfRealm } from './realms/in-realm.js';
import { DEFAULT_REALM, REALM } from './realms/realm-name.js';
import { RememberMeTokenStore } from './remember-me/remember-me-token-store.js';
import { CORE_EXPORTS, CORE_PROVIDERS } from './session-auth.providers.js';
import { NewSessionNotifier } from './session/new-session-notifier.js';
import { SessionStore } from './session/session-store.js';
import type { StorageSlots } from './storage/storage.options.js';
import { LoginThrottleStore } from './throttle/login-throttle-store.js';
import { SessionUserProvider } from './users/session-user-provider.js';

/** The parts of a realm that the extras of a module define. */
export interface RealmSlots {
  readonly storage: StorageSlots;
  readonly passwords: ProviderSlot<PasswordHasher>;
  readonly users: ProviderSlot<SessionUserProvider> | undefined;
  readonly notifier: ProviderSlot<NewSessionNotifier> | undefined;
  readonly isGlobal: boolean;
  /** Undefined: no endpoints. */
  readonly endpointsPath: string | undefined;
}

const STORES = [SessionStore, RememberMeTokenStore, LoginThrottleStore, AuditLog] as const;

/** The parts that the registry knows: services, cookies, the audit log, then the stores by their options. */
const REGISTERED = [
  RequestSessionFactory,
  CsrfService,
  LiveSessions,
  SessionAuthService,
  StoreDeadline,
  CookieSet,
  AuditLog,
  SessionStore,
  RememberMeTokenStore,
  LoginThrottleStore,
] as const;
const STORE_OPTIONS = ['storage.sessions', 'storage.rememberMe', 'storage.throttle'];

/** Every token for which a realm has its own provider. */
const OWN_TOKENS: readonly InjectionToken[] = [
  REALM,
  ENDPOINTS_SETTINGS,
  ...STORES,
  PasswordHasher,
  SessionUserProvider,
  NewSessionNotifier,
  ...CORE_PROVIDERS.map((provider) => (typeof provider === 'function' ? provider : provider.provide)),
];

/** Returns the providers of a realm, except those of its endpoints, and the exports of its module. */
export function partsOfRealm(
  realm: string,
  { storage, passwords, users, notifier, isGlobal, endpointsPath }: RealmSlots,
): { readonly providers: Provider[]; readonly exports: InjectionToken[] } {
  const ofRealm = new ProvidersOfRealm(realm, OWN_TOKENS);
  const { sessions, rememberMe, throttle, audit } = storage;
  const stores = [sessions, rememberMe, throttle, audit].flatMap((slot, i) =>
    storeOf(ofRealm, realm, STORES[i]!, slot),
  );
  const optional = (token: InjectionToken, slot: object | undefined): Provider[] => {
    if (slot !== undefined) return [ofRealm.slot(token, slot)];
    // Nest would look for it in global modules, and find that of the default realm
    return realm === DEFAULT_REALM ? [] : [ofRealm.slot(token, { useFactory: () => undefined })];
  };
  const exported = [SessionStore, RememberMeTokenStore, PasswordHasher, ...CORE_EXPORTS];
  return {
    providers: [
      ofRealm.slot(REALM, { useValue: realm }),
      ...stores,
      ofRealm.slot(PasswordHasher, passwords),
      ...optional(SessionUserProvider, users),
      ...optional(NewSessionNotifier, notifier),
      ...CORE_PROVIDERS.map((provider) => ofRealm.own(provider)),
      {
        // Nest may merge modules with equal metadata, but two of one realm must both exist to be refused
        provide: Symbol(`nestjs-session-auth registration of realm '${realm}' ${randomUUID()}`),
        inject: [RealmRegistry, ...REGISTERED.map((token) => ofRealm.tokenOf(token))],
        useFactory: (
          realms: RealmRegistry,
          requestSessions: RequestSessionFactory,
          csrf: CsrfService,
          live: LiveSessions,
          auth: SessionAuthService,
          deadline: StoreDeadline,
          cookies: CookieSet,
          audit: AuditLog,
          ...kept: [RealmPart, RealmPart, RealmPart]
        ) =>
          realms.add(realm, {
            requestSessions,
            services: new Map<unknown, object>([
              [CsrfService, csrf],
              [LiveSessions, live],
              [SessionAuthService, auth],
              [StoreDeadline, deadline],
              [LoginThrottleStore, kept[2]],
            ]),
            claims: [
              ...claimCookies(cookies),
              ...claimEndpoints(endpointsPath),
              ...claimAuditLog(audit),
              ...kept.map((store, place) => claimStore(STORE_OPTIONS[place]!, store)),
            ],
          }),
      },
      ...(isGlobal ? [globalGuard(realm, SessionAuthGuard), messageGuards(realm)] : []),
      // a factory may decide whether it is global; after the session's guard, so that an anonymous visitor gets 401
      // first
      globalGuard(realm, CsrfGuard, ofRealm.tokenOf(CSRF_SETTINGS)),
    ],
    exports: [...exported, ...(users === undefined ? [] : [SessionUserProvider])].map((each) => ofRealm.tokenOf(each)),
  };
}

/** Returns the endpoints of a realm. */
export function endpointsOfRealm(
  realm: string,
  endpoints: EndpointsSettings,
): { readonly controllers: Type[]; readonly providers: Provider[] } {
  const ofRealm = new ProvidersOfRealm(realm, OWN_TOKENS);
  const dependencies = ofRealm.dependenciesOf(SessionAuthController);
  const controller = sessionAuthControllerAt(endpoints, realm, dependencies as InjectionToken[]);
  return {
    controllers: [controller],
    providers: [
      ofRealm.slot(ENDPOINTS_SETTINGS, { useValue: endpoints }),
      {
        // Nest waits for it when the application is created, so that the document can be made right afterwards
        provide: Symbol(`nestjs-session-auth documentation of realm '${realm}'`),
        inject: [ofRealm.tokenOf(CSRF_SETTINGS)],
        useFactory: ({ header }: CsrfSettings) =>
          documentEndpoints(controller, { ...endpoints, realm, csrfHeader: header }),
      },
    ],
  };
}

/**
 * Returns the application's store, or for realms other than the default one, the store that it returns for the realm.
 */
function storeOf(ofRealm: ProvidersOfRealm, realm: string, token: InjectionToken, slot: object): Provider[] {
  if (realm === DEFAULT_REALM) return [ofRealm.slot(token, slot)];
  const given = Symbol('nestjs-session-auth store of all realms');
  return [
    ofRealm.slot(given, slot),
    {
      provide: ofRealm.tokenOf(token),
      inject: [given],
      useFactory: (store: RealmPart): object => store.ofRealm?.(realm) ?? store,
    },
  ];
}

/** The guards that a hybrid application also applies to messages. */
function messageGuards(realm: string): Provider {
  return {
    provide: Symbol(`nestjs-session-auth guards of messages of realm '${realm}'`),
    inject: [ModulesContainer, RealmRegistry, SessionAuthGuard],
    useFactory: (modules: ModulesContainer, realms: RealmRegistry, guard: SessionAuthGuard) =>
      new MessageGuards(modules, new GuardOfRealm(realms, realm, guard)),
  };
}

/** @param settings the token that says whether the guard is global. @default it is */
function globalGuard(realm: string, guard: Type<SessionAuthGuard | CsrfGuard>, settings?: InjectionToken): Provider {
  return {
    provide: APP_GUARD,
    inject: [RealmRegistry, guard, ...(settings === undefined ? [] : [settings])],
    // Nest skips a global guard that is undefined
    useFactory: (realms: RealmRegistry, made: SessionAuthGuard | CsrfGuard, { global } = { global: true }) =>
      global ? new GuardOfRealm(realms, realm, made) : undefined,
  };
}
