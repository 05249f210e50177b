import type { InjectionToken, OptionalFactoryDependency } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { SessionAuthError } from '../../errors/session-auth.error.js';
import type { AuditLog } from '../../events/audit-log.js';
import type { RememberMeTokenStore } from '../../remember-me/remember-me-token-store.js';
import type { SessionStore } from '../../session/session-store.js';
import type { LoginThrottleStore } from '../../throttle/login-throttle-store.js';
import { toMilliseconds, type Duration } from '../../time/durations.js';
import { STORE_TIMEOUT } from '../../async/store-timeout.options.js';
import { TypeOrmAuditLog, type TypeOrmAuditLogOptions } from './typeorm-audit-log.js';
import { TypeOrmLoginThrottleStore } from './typeorm-login-throttle-store.js';
import { TypeOrmRememberMeTokenStore } from './typeorm-remember-me-token-store.js';
import { TypeOrmSessionStore } from './typeorm-session-store.js';
import type { TypeOrmSessionStoreOptions } from './typeorm-session-store.options.js';

/** The options of {@link typeOrmStorage}. */
export interface TypeOrmStorageOptions extends TypeOrmSessionStoreOptions {
  /**
   * The name of a DataSource of `@nestjs/typeorm`, or an initialised DataSource: the application opens it and closes
   * it. @default the application's default one
   */
  readonly dataSource?: string | DataSource;
  /** `false` leaves the audit log where it is without this storage. @default in PostgreSQL, kept for ever */
  readonly audit?: TypeOrmAuditOptions | false;
}

/** The audit log in PostgreSQL. */
export interface TypeOrmAuditOptions {
  /** For how long events are kept: the cleanup removes older ones. @default for ever */
  readonly retention?: Duration;
  /** The most events kept in memory while the database is slow or down; more are dropped. @default 10000 */
  readonly buffer?: number;
}

interface TypeOrmSlot<T> {
  readonly useFactory: (storeTimeout?: number, dataSource?: DataSource) => Promise<T>;
  readonly inject: (InjectionToken | OptionalFactoryDependency)[];
}

/** The slots of the parts kept in PostgreSQL. */
export interface TypeOrmStorage {
  readonly sessions: TypeOrmSlot<SessionStore>;
  readonly rememberMe: TypeOrmSlot<RememberMeTokenStore>;
  readonly throttle: TypeOrmSlot<LoginThrottleStore>;
  /** Absent with `audit: false`. */
  readonly audit?: TypeOrmSlot<AuditLog>;
}

/**
 * Keeps sessions, remember-me tokens, counts of failed logins and the audit log in PostgreSQL: `storage:
 * typeOrmStorage()` for the DataSource of `TypeOrmModule.forRoot`, `typeOrmStorage({ dataSource: 'auth' })` for a named
 * one, `typeOrmStorage({ dataSource })` for one of your own.
 *
 * The boot fails with `invalid_configuration` when the DataSource is of another database or not initialised, and when
 * the tables of {@link CreateSessionAuthTables} are missing. Nothing is ever synchronized.
 */
export function typeOrmStorage(options: TypeOrmStorageOptions = {}): TypeOrmStorage {
  const { dataSource = 'default', audit = {}, ...settings } = options;
  const slot = <T extends { checkTables(): Promise<void> }>(
    make: (given: DataSource, settings: TypeOrmSessionStoreOptions) => T,
  ): TypeOrmSlot<T> => ({
    inject: [
      { token: STORE_TIMEOUT, optional: true },
      ...(typeof dataSource === 'string' ? [dataSourceToken(dataSource)] : []),
    ],
    useFactory: async (storeTimeout, injected) => {
      const given = typeof dataSource === 'string' ? injected! : dataSource;
      const part = make(given, { queryTimeout: storeTimeout, ...settings });
      if (!given.isInitialized) {
        throw new SessionAuthError(
          'invalid_configuration',
          'typeOrmStorage.dataSource: given a DataSource that is not initialised; call initialize() first',
        );
      }
      await part.checkTables();
      return part;
    },
  });
  return {
    sessions: slot((given, each) => new TypeOrmSessionStore(given, each)),
    rememberMe: slot((given, each) => new TypeOrmRememberMeTokenStore(given, each)),
    throttle: slot((given, each) => new TypeOrmLoginThrottleStore(given, each)),
    ...(audit !== false && { audit: slot((given, each) => new TypeOrmAuditLog(given, { ...each, ...read(audit) })) }),
  };
}

function read({ retention, buffer }: TypeOrmAuditOptions): TypeOrmAuditLogOptions {
  const milliseconds = retention === undefined ? undefined : toMilliseconds(retention);
  if (retention !== undefined && !milliseconds) {
    throw new SessionAuthError(
      'invalid_configuration',
      `typeOrmStorage.audit.retention: given ${JSON.stringify(retention)}; allowed is a duration such as '90d'`,
    );
  }
  if (buffer !== undefined && !(Number.isInteger(buffer) && buffer > 0)) {
    throw new SessionAuthError(
      'invalid_configuration',
      `typeOrmStorage.audit.buffer: given ${JSON.stringify(buffer)}; allowed is a whole number from 1`,
    );
  }
  return { retention: milliseconds, buffer };
}

/** What `getDataSourceToken` of `@nestjs/typeorm` returns; calling that would make the package a requirement. */
function dataSourceToken(name: string): InjectionToken<DataSource> {
  return name === 'default' ? DataSource : `${name}DataSource`;
}
