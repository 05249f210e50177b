import type { CanActivate, DynamicModule, Provider } from '@nestjs/common';
import { APP_FILTER, APP_GUARD } from '@nestjs/core';
import { SessionAuthGuard } from './guards/session-auth.guard.js';
import { CsrfGuard } from './csrf/csrf.guard.js';
import { sessionAuthControllerAt } from './endpoints/session-auth.controller.js';
import { AuditLog } from './events/audit-log.js';
import { SessionBindingGuard } from './http/request-session.js';
import { SessionAuthErrorFilter } from './http/session-auth-error.filter.js';
import { documentEndpoints } from './openapi/document-endpoints.js';
import { PasswordHasher } from './passwords/password-hasher.js';
import { toProvider } from './options/provider-slot.js';
import { RememberMeTokenStore } from './remember-me/remember-me-token-store.js';
import { RESOLVED_OPTIONS, type ResolvedSessionAuthOptions } from './resolve-options.js';
import { NewSessionNotifier } from './session/new-session-notifier.js';
import { SessionStore } from './session/session-store.js';
import { LoginThrottleStore } from './throttle/login-throttle-store.js';
import { SessionUserProvider } from './users/session-user-provider.js';
import { checkExtras } from './session-auth.extras.js';
import { CORE_EXPORTS, CORE_PROVIDERS, SESSION_AUTH_OPTIONS } from './session-auth.providers.js';

/** Adds to the module that Nest's builder made everything that its extras ask for. */
export function withSessionAuthParts(definition: DynamicModule, given: object): DynamicModule {
  const extras = checkExtras(given, isAsync(definition));
  const { users, notifier, endpoints } = extras;
  const userProviders = [
    ...(users === undefined ? [] : [toProvider(SessionUserProvider, users)]),
    ...(notifier === undefined ? [] : [toProvider(NewSessionNotifier, notifier)]),
  ];
  const controller = endpoints === undefined ? undefined : sessionAuthControllerAt(endpoints.path);
  return {
    ...definition,
    global: true,
    imports: [...new Set([...(definition.imports ?? []), ...(extras.imports ?? [])])],
    controllers: controller === undefined ? [] : [controller],
    providers: [
      ...(definition.providers ?? []),
      toProvider(SessionStore, extras.storage.sessions),
      toProvider(RememberMeTokenStore, extras.storage.rememberMe),
      toProvider(LoginThrottleStore, extras.storage.throttle),
      toProvider(AuditLog, extras.storage.audit),
      toProvider(PasswordHasher, extras.passwords),
      ...userProviders,
      ...CORE_PROVIDERS,
      ...(controller === undefined ? [] : [documentationOf(controller)]),
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

/** Nest leaves out a global guard that is undefined. */
function globalCsrfGuard({ csrf }: ResolvedSessionAuthOptions, guard: CsrfGuard): CanActivate | undefined {
  return csrf.global ? guard : undefined;
}

/** Nest waits for it when the application is made, so that the document can be made as soon as there is one. */
function documentationOf(controller: Parameters<typeof documentEndpoints>[0]): Provider {
  return {
    provide: Symbol('nestjs-session-auth documentation'),
    inject: [RESOLVED_OPTIONS],
    useFactory: ({ csrf }: ResolvedSessionAuthOptions) => documentEndpoints(controller, { csrfHeader: csrf.header }),
  };
}

function isAsync({ providers = [] }: DynamicModule): boolean {
  return providers.some((each) => 'provide' in each && each.provide === SESSION_AUTH_OPTIONS && 'useFactory' in each);
}
