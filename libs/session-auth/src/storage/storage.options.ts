import { Logger } from '@nestjs/common';
import { AuditLog, LoggerAuditLog } from '../events/audit-log.js';
import { OptionReader } from '../options/option-reader.js';
import { readProviderSlot, type ProviderSlot } from '../options/provider-slot.js';
import { realmPart } from '../realms/realm-name.js';
import { REMEMBER_ME_SETTINGS, type RememberMeSettings } from '../remember-me/remember-me.options.js';
import type { RememberMeTokenStore } from '../remember-me/remember-me-token-store.js';
import type { SessionStore } from '../session/session-store.js';
import type { LoginThrottleStore } from '../throttle/login-throttle-store.js';
import { LOGIN_THROTTLE_SETTINGS, type LoginThrottleSettings } from '../throttle/login-throttle.options.js';
import { MemoryLoginThrottleStore } from './memory/memory-login-throttle-store.js';
import { MemoryRememberMeTokenStore } from './memory/memory-remember-me-token-store.js';
import { MemorySessionStore } from './memory/memory-session-store.js';

/**
 * Where everything is kept. Spread the result of `redisStorage`, `postgresStorage` or `typeOrmStorage`, or provide
 * slots of your own.
 */
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

/** A provider for each part. */
export type StorageSlots = { readonly [Part in keyof StorageOptions]-?: NonNullable<StorageOptions[Part]> };

/** The slice `storage` of the extras. Missing parts are kept in memory, and audit events in Nest's log. */
export function resolveStorage(extras: OptionReader, realm: string): StorageSlots {
  const ofRealm = realmPart(realm, " of realm '", "'");
  const given = extras.get('storage');
  if (typeof given === 'string' && given !== 'memory') {
    throw extras.refuse(
      'storage',
      "'memory', or the slots that redisStorage(…), postgresStorage(…) and typeOrmStorage(…) return",
    );
  }
  const storage =
    given === 'memory'
      ? OptionReader.empty('storage')
      : extras.slice('storage', ['sessions', 'rememberMe', 'throttle', 'audit']);
  const sessions = readProviderSlot<SessionStore>(storage, 'sessions');
  const rememberMe = readProviderSlot<RememberMeTokenStore>(storage, 'rememberMe');
  const throttle = readProviderSlot<LoginThrottleStore>(storage, 'throttle');
  const audit = readProviderSlot<AuditLog>(storage, 'audit');
  // one warning names all parts; the first part in memory gives it
  const first = [sessions, rememberMe, throttle].findIndex((slot) => slot === undefined);
  const inMemory = <T>(part: number, make: () => T): ProviderSlot<T> => ({
    inject: [REMEMBER_ME_SETTINGS, LOGIN_THROTTLE_SETTINGS],
    useFactory: (remembers: RememberMeSettings | undefined, throttles: LoginThrottleSettings | undefined) => {
      if (part === first) {
        const kept = [
          ...(sessions === undefined ? ['sessions'] : []),
          // nothing is kept when it is off
          ...(rememberMe === undefined && remembers !== undefined ? ['remember-me tokens'] : []),
          ...(throttle === undefined && throttles !== undefined ? ['counts of failed logins'] : []),
        ];
        warnOfMemory(kept, ofRealm, audit === undefined);
      }
      return make();
    },
  });
  return {
    sessions: sessions ?? inMemory(0, () => new MemorySessionStore()),
    rememberMe: rememberMe ?? inMemory(1, () => new MemoryRememberMeTokenStore()),
    throttle: throttle ?? inMemory(2, () => new MemoryLoginThrottleStore()),
    audit: audit ?? { useClass: LoggerAuditLog },
  };
}

/**
 * Warns in production about parts that a restart loses. The warning also mentions audit events, which are in the log.
 */
function warnOfMemory(kept: readonly string[], ofRealm: string, isAuditLogged: boolean): void {
  if (process.env['NODE_ENV'] !== 'production' || kept.length === 0) return;
  const names = kept.length === 1 ? kept[0]! : `${kept.slice(0, -1).join(', ')} and ${kept.at(-1)!}`;
  new Logger('SessionAuth').warn(
    `${names}${ofRealm} are kept in memory: a restart loses them, and other nodes do not share them` +
      `${isAuditLogged ? "; audit events only go to Nest's log" : ''}; set the option storage`,
  );
}
