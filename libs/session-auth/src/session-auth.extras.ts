import { Logger } from '@nestjs/common';
import { AuditLog, LoggerAuditLog } from './events/audit-log.js';
import { OptionReader } from './options/option-reader.js';
import { BcryptPasswordHasher } from './passwords/bcrypt-password-hasher.js';
import { PasswordHasher } from './passwords/password-hasher.js';
import { isProviderSlot, readProviderSlot } from './options/provider-slot.js';
import { RememberMeTokenStore } from './remember-me/remember-me-token-store.js';
import { RESOLVED_OPTIONS, type ResolvedSessionAuthOptions } from './resolve-options.js';
import type { SessionAuthExtras } from './session-auth.options.js';
import type { ProviderSlot } from './options/provider-slot.js';
import { NewSessionNotifier } from './session/new-session-notifier.js';
import { SessionStore } from './session/session-store.js';
import { MemoryLoginThrottleStore } from './storage/memory/memory-login-throttle-store.js';
import { MemoryRememberMeTokenStore } from './storage/memory/memory-remember-me-token-store.js';
import { MemorySessionStore } from './storage/memory/memory-session-store.js';
import { LoginThrottleStore } from './throttle/login-throttle-store.js';
import { SessionUserProvider } from './users/session-user-provider.js';

const EXTRAS = ['imports', 'storage', 'users', 'notifier', 'endpoints', 'global', 'passwords'];

interface CheckedStorage {
  readonly sessions: ProviderSlot<SessionStore>;
  readonly rememberMe: ProviderSlot<RememberMeTokenStore>;
  readonly throttle: ProviderSlot<LoginThrottleStore>;
  readonly audit: ProviderSlot<AuditLog>;
}

/** What stands next to the options proper: it makes the module itself. */
export interface CheckedExtras {
  readonly imports: SessionAuthExtras['imports'];
  readonly storage: CheckedStorage;
  readonly users: ProviderSlot<SessionUserProvider> | undefined;
  readonly notifier: ProviderSlot<NewSessionNotifier> | undefined;
  readonly passwords: ProviderSlot<PasswordHasher>;
  readonly endpoints: { readonly path: string } | undefined;
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

function inMemory<T>(what: string, store: T): T {
  if (process.env['NODE_ENV'] === 'production') {
    new Logger('SessionAuth').warn(
      `${what} are kept in memory: they end with this process and are not shared with other nodes; set the option storage`,
    );
  }
  return store;
}
