import { ConfigurableModuleBuilder, type DynamicModule } from '@nestjs/common';
import { resolveEndpoints } from './endpoints/endpoints.options.js';
import { OptionReader } from './options/option-reader.js';
import { readProviderSlot } from './options/provider-slot.js';
import { resolvePasswordHasher } from './passwords/passwords.options.js';
import { endpointsOfRealm, partsOfRealm } from './realm-parts.js';
import { ownerOf, resolveRealm, SESSION_AUTH_OPTIONS } from './resolve-options.js';
import { SessionAuthCoreModule } from './session-auth-core.module.js';
import type { SessionAuthExtras, SessionAuthOptions } from './session-auth.options.js';
import type { NewSessionNotifier } from './session/new-session-notifier.js';
import { resolveStorage } from './storage/storage.options.js';
import type { SessionUserProvider } from './users/session-user-provider.js';

// these names are removed from the options that a factory may return
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
 * Adds the parts of the extras to the module that Nest's builder made.
 *
 * @throws SessionAuthError `invalid_configuration`
 */
function addParts(definition: DynamicModule, given: object): DynamicModule {
  const isAsync = isBuiltByFactory(definition);
  // beside a factory, the options themselves would be ignored; without one, `resolveOptions` checks the rest
  const known = [...Object.keys(EXTRAS), 'passwords', ...(isAsync ? [] : Object.keys(given))];
  const realm = resolveRealm(OptionReader.root(given, known));
  const extras = OptionReader.root(given, known, ownerOf(realm));
  const users = readProviderSlot<SessionUserProvider>(extras, 'users');
  const storage = resolveStorage(extras, realm);
  const notifier = readProviderSlot<NewSessionNotifier>(extras, 'notifier');
  const passwords = resolvePasswordHasher(extras, isAsync);
  const endpoints = resolveEndpoints(extras, realm, users !== undefined);
  const isGlobal = extras.flag('global', false);
  const imports = (extras.get('imports') as SessionAuthExtras['imports']) ?? [];
  const { providers, exports } = partsOfRealm(realm, {
    storage,
    passwords,
    users,
    notifier,
    isGlobal,
    endpointsPath: endpoints?.path,
  });
  const endpointParts = endpoints === undefined ? undefined : endpointsOfRealm(realm, endpoints);
  return {
    ...definition,
    global: true,
    imports: [...new Set([SessionAuthCoreModule, ...(definition.imports ?? []), ...imports])],
    controllers: endpointParts?.controllers ?? [],
    providers: [...(definition.providers ?? []), ...providers, ...(endpointParts?.providers ?? [])],
    exports,
  };
}

function isBuiltByFactory({ providers = [] }: DynamicModule): boolean {
  return providers.some((each) => 'provide' in each && each.provide === SESSION_AUTH_OPTIONS && 'useFactory' in each);
}
