import { ConfigurableModuleBuilder, type CanActivate, type DynamicModule, type Provider } from '@nestjs/common';
import { APP_FILTER, APP_GUARD } from '@nestjs/core';
import { CSRF_SETTINGS, type CsrfSettings } from './csrf/csrf.options.js';
import { CsrfGuard } from './csrf/csrf.guard.js';
import { ENDPOINTS_SETTINGS, resolveEndpoints } from './endpoints/endpoints.options.js';
import { sessionAuthControllerAt } from './endpoints/session-auth.controller.js';
import { AuditLog } from './events/audit-log.js';
import { SessionAuthGuard } from './guards/session-auth.guard.js';
import { SessionBindingGuard } from './http/request-session-factory.js';
import { SessionAuthErrorFilter } from './http/session-auth-error.filter.js';
import { documentEndpoints } from './openapi/document-endpoints.js';
import { OptionReader } from './options/option-reader.js';
import { readProviderSlot, toProvider } from './options/provider-slot.js';
import { PasswordHasher } from './passwords/password-hasher.js';
import { resolvePasswordHasher } from './passwords/passwords.options.js';
import { RememberMeTokenStore } from './remember-me/remember-me-token-store.js';
import { REALM } from './realms/realm-name.js';
import { ownerOf, resolveRealm, SESSION_AUTH_OPTIONS } from './resolve-options.js';
import type { SessionAuthExtras, SessionAuthOptions } from './session-auth.options.js';
import { CORE_EXPORTS, CORE_PROVIDERS } from './session-auth.providers.js';
import { NewSessionNotifier } from './session/new-session-notifier.js';
import { SessionStore } from './session/session-store.js';
import { resolveStorage } from './storage/storage.options.js';
import { LoginThrottleStore } from './throttle/login-throttle-store.js';
import { SessionUserProvider } from './users/session-user-provider.js';

// what is named here is kept out of the options that a factory may return
const EXTRAS: Readonly<Record<keyof SessionAuthExtras, undefined>> = {
  realm: undefined,
  imports: undefined,
  storage: undefined,
  users: undefined,
  notifier: undefined,
  endpoints: undefined,
  global: undefined,
};

export const { ConfigurableModuleClass, ASYNC_OPTIONS_TYPE } = new ConfigurableModuleBuilder<SessionAuthOptions>({
  optionsInjectionToken: SESSION_AUTH_OPTIONS,
})
  .setClassMethodName('forRoot')
  .setFactoryMethodName('createSessionAuthOptions')
  .setExtras<SessionAuthExtras>(EXTRAS, addParts)
  .build();

/**
 * Adds what the extras ask for to the module that Nest's builder made.
 *
 * @throws SessionAuthError `invalid_configuration`
 */
function addParts(definition: DynamicModule, given: object): DynamicModule {
  const isAsync = isBuiltByFactory(definition);
  // next to a factory, the options proper would be overlooked; without one, `resolveOptions` looks after the rest
  const known = [...Object.keys(EXTRAS), 'passwords', ...(isAsync ? [] : Object.keys(given))];
  const realm = resolveRealm(OptionReader.root(given, known));
  const extras = OptionReader.root(given, known, ownerOf(realm));
  const users = readProviderSlot<SessionUserProvider>(extras, 'users');
  const storage = resolveStorage(extras);
  const notifier = readProviderSlot<NewSessionNotifier>(extras, 'notifier');
  const passwords = resolvePasswordHasher(extras, isAsync);
  const endpoints = resolveEndpoints(extras, realm, users !== undefined);
  const isGlobal = extras.flag('global', false);
  const imports = (extras.get('imports') as SessionAuthExtras['imports']) ?? [];
  const controllers = endpoints === undefined ? [] : [sessionAuthControllerAt(endpoints.path)];
  return {
    ...definition,
    global: true,
    imports: [...new Set([...(definition.imports ?? []), ...imports])],
    controllers,
    providers: [
      ...(definition.providers ?? []),
      { provide: REALM, useValue: realm },
      toProvider(SessionStore, storage.sessions),
      toProvider(RememberMeTokenStore, storage.rememberMe),
      toProvider(LoginThrottleStore, storage.throttle),
      toProvider(AuditLog, storage.audit),
      toProvider(PasswordHasher, passwords),
      ...(users === undefined ? [] : [toProvider(SessionUserProvider, users)]),
      ...(notifier === undefined ? [] : [toProvider(NewSessionNotifier, notifier)]),
      ...CORE_PROVIDERS,
      ...(endpoints === undefined ? [] : [{ provide: ENDPOINTS_SETTINGS, useValue: endpoints }]),
      ...controllers.map(documentationOf),
      { provide: APP_FILTER, useClass: SessionAuthErrorFilter },
      { provide: APP_GUARD, useClass: SessionBindingGuard },
      ...(isGlobal ? [{ provide: APP_GUARD, useExisting: SessionAuthGuard }] : []),
      // whether it is global may be known to a factory only; after the session's, so that a visitor is told to sign in
      { provide: APP_GUARD, inject: [CSRF_SETTINGS, CsrfGuard], useFactory: globalCsrfGuard },
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

/** Nest leaves out a global guard that is undefined. */
function globalCsrfGuard(settings: CsrfSettings, guard: CsrfGuard): CanActivate | undefined {
  return settings.global ? guard : undefined;
}

/** Nest waits for it when the application is made, so that the document can be made as soon as there is one. */
function documentationOf(controller: Parameters<typeof documentEndpoints>[0]): Provider {
  return {
    provide: Symbol('nestjs-session-auth documentation'),
    inject: [CSRF_SETTINGS],
    useFactory: ({ header }: CsrfSettings) => documentEndpoints(controller, { csrfHeader: header }),
  };
}

function isBuiltByFactory({ providers = [] }: DynamicModule): boolean {
  return providers.some((each) => 'provide' in each && each.provide === SESSION_AUTH_OPTIONS && 'useFactory' in each);
}
