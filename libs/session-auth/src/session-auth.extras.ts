import { resolveEndpoints, type EndpointsSettings } from './endpoints/endpoints.options.js';
import { OptionReader } from './options/option-reader.js';
import { readProviderSlot, type ProviderSlot } from './options/provider-slot.js';
import type { PasswordHasher } from './passwords/password-hasher.js';
import { resolvePasswordHasher } from './passwords/passwords.options.js';
import type { SessionAuthExtras } from './session-auth.options.js';
import type { NewSessionNotifier } from './session/new-session-notifier.js';
import { resolveStorage, type StorageSlots } from './storage/storage.options.js';
import type { SessionUserProvider } from './users/session-user-provider.js';

const EXTRAS = ['imports', 'storage', 'users', 'notifier', 'endpoints', 'global', 'passwords'];

/** What stands next to the options proper: it makes the module itself. */
export interface CheckedExtras {
  readonly imports: SessionAuthExtras['imports'];
  readonly storage: StorageSlots;
  readonly users: ProviderSlot<SessionUserProvider> | undefined;
  readonly notifier: ProviderSlot<NewSessionNotifier> | undefined;
  readonly passwords: ProviderSlot<PasswordHasher>;
  readonly endpoints: EndpointsSettings | undefined;
  readonly global: boolean;
}

/**
 * The extras of a `forRoot` or `forRootAsync`, with what is missing put in.
 *
 * @throws SessionAuthError `invalid_configuration`
 */
export function checkExtras(given: object, async: boolean): CheckedExtras {
  // next to a factory, the options proper would be overlooked; beside them, `resolveOptions` looks after the rest
  const extras = OptionReader.root(given, async ? EXTRAS : [...EXTRAS, ...Object.keys(given)]);
  const users = readProviderSlot<SessionUserProvider>(extras, 'users');
  return {
    imports: extras.get('imports') as SessionAuthExtras['imports'],
    storage: resolveStorage(extras),
    users,
    notifier: readProviderSlot<NewSessionNotifier>(extras, 'notifier'),
    passwords: resolvePasswordHasher(extras, async),
    endpoints: resolveEndpoints(extras, users !== undefined),
    global: extras.flag('global', false),
  };
}
