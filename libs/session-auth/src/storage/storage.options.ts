import { Logger } from '@nestjs/common';
import { AuditLog, LoggerAuditLog } from '../events/audit-log.js';
import { OptionReader } from '../options/option-reader.js';
import { readProviderSlot, type ProviderSlot } from '../options/provider-slot.js';
import { realmPart } from '../realms/realm-name.js';
import { REMEMBER_ME_SETTINGS, type RememberMeSettings } from '../remember-me/remember-me.options.js';
import type { RememberMeTokenStore } from '../remember-me/remember-me-token-store.js';
import type { SessionStore } from '../session/session-store.js';
import type { LoginThrottleStore } from '../throttle/login-throttle-store.js';
import { MemoryLoginThrottleStore } from './memory/memory-login-throttle-store.js';
import { MemoryRememberMeTokenStore } from './memory/memory-remember-me-token-store.js';
import { MemorySessionStore } from './memory/memory-session-store.js';

/** Where things are kept. Spread what `redisStorage` or `typeOrmStorage` answer, or give slots of your own. */
export interface StorageOptions {
  /** @default sessions in this process's memory */
  readonly sessions?: ProviderSlot<SessionStore>;
  /** @default remember-me tokens in this process's memory */
  readonly rememberMe?: ProviderSlot<RememberMeTokenStore>;
  /** @default counts of failed logins in this process's memory */
  readonly throttle?: ProviderSlot<LoginThrottleStore>;
  /** @default each event as a line of JSON in Nest's log */
  readonly audit?: ProviderSlot<AuditLog>;
}

/** A provider for each part that is kept. */
export type StorageSlots = { readonly [Part in keyof StorageOptions]-?: NonNullable<StorageOptions[Part]> };

/** The slice `storage` of the extras: what is not given is kept in memory, audit events in Nest's log. */
export function resolveStorage(extras: OptionReader, realm: string): StorageSlots {
  const ofRealm = realmPart(realm, " of realm '", "'");
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
    sessions: sessions ?? { useFactory: () => inMemory(`sessions${ofRealm}`, new MemorySessionStore()) },
    rememberMe: rememberMe ?? {
      inject: [REMEMBER_ME_SETTINGS],
      useFactory: (settings: RememberMeSettings | undefined) => {
        const store = new MemoryRememberMeTokenStore();
        // one warning is enough where the sessions are in memory as well, and none is due where nothing is kept
        return sessions === undefined || settings === undefined
          ? store
          : inMemory(`remember-me tokens${ofRealm}`, store);
      },
    },
    throttle: readProviderSlot<LoginThrottleStore>(storage, 'throttle') ?? { useClass: MemoryLoginThrottleStore },
    audit: readProviderSlot<AuditLog>(storage, 'audit') ?? { useClass: LoggerAuditLog },
  };
}

function inMemory<T>(what: string, store: T): T {
  if (process.env['NODE_ENV'] === 'production') {
    new Logger('SessionAuth').warn(
      `${what} are kept in memory: they end with this process and are not shared with other nodes; set the option storage`,
    );
  }
  return store;
}
