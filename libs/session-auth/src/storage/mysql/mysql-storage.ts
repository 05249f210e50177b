import type { InjectionToken, OptionalFactoryDependency } from '@nestjs/common';
import type { AuditLog } from '../../events/audit-log.js';
import type { RememberMeTokenStore } from '../../remember-me/remember-me-token-store.js';
import type { SessionStore } from '../../session/session-store.js';
import type { LoginThrottleStore } from '../../throttle/login-throttle-store.js';
import type { Duration } from '../../time/durations.js';
import { databaseSlots } from '../postgres/database-slots.js';
import { readAuditOptions, refuseLink } from '../postgres/postgres-storage.options.js';
import { MysqlAuditLog } from './mysql-audit-log.js';
import type { MysqlStoreSettings } from './mysql-database.js';
import { MysqlLoginThrottleStore } from './mysql-login-throttle-store.js';
import type { MysqlPool } from './mysql-pool.js';
import { MysqlRememberMeTokenStore } from './mysql-remember-me-token-store.js';
import { MysqlSessionStore } from './mysql-session-store.js';

/** The audit log in MariaDB or MySQL. */
export interface MysqlAuditOptions {
  /** How long events are kept; the cleanup removes older ones. @default without limit */
  readonly retention?: Duration;
  /** The most events kept in memory while the database is slow or down; more are dropped. @default 10000 */
  readonly buffer?: number;
}

/** The options of {@link mysqlStorage} besides the pool. */
export interface MysqlStorageSettings {
  /**
   * How many milliseconds an operation waits for a connection and its results. A connection without a result in time is
   * closed, and the pool opens another. Sweeps and the audit log may take longer. @default `storeTimeout` of the module
   */
  readonly queryTimeout?: number;
  /** `false` keeps the audit log out of this storage. @default in the database, without limit */
  readonly audit?: MysqlAuditOptions | false;
}

/** The options of {@link mysqlStorage}. */
export type MysqlStorageOptions = MysqlStorageSettings &
  (
    | {
        /** A pool of `mysql2` or `mysql2/promise`: the application opens it and closes it. */ readonly pool: MysqlPool;
      }
    | { /** The provider that is such a pool. */ readonly inject: InjectionToken<MysqlPool> }
  );

interface MysqlSlot<T> {
  readonly useFactory: (storeTimeout?: number, pool?: MysqlPool) => Promise<T>;
  readonly inject: (InjectionToken | OptionalFactoryDependency)[];
}

/** The slots of the parts kept in MariaDB or MySQL. */
export interface MysqlStorage {
  readonly sessions: MysqlSlot<SessionStore>;
  readonly rememberMe: MysqlSlot<RememberMeTokenStore>;
  readonly throttle: MysqlSlot<LoginThrottleStore>;
  /** Absent with `audit: false`. */
  readonly audit?: MysqlSlot<AuditLog>;
}

/**
 * Keeps sessions, remember-me tokens, counts of failed logins and the audit log in MariaDB (10.6 or later) or MySQL
 * (8.0.1 or later): `storage: mysqlStorage({ pool })`, or `mysqlStorage({ inject: POOL })` for a provider.
 *
 * The boot fails with `invalid_configuration` for any value but a pool of `mysql2`, for an older server, and when the
 * tables of `nestjs-session-auth/mysql/schema.sql` are missing. There is no link between nodes on these databases.
 */
export function mysqlStorage(options: MysqlStorageOptions): MysqlStorage {
  const { audit = {}, queryTimeout } = options;
  refuseLink('mysqlStorage', options, 'MariaDB and MySQL cannot send messages to other nodes');
  const given = 'inject' in options ? undefined : options.pool;
  const slot = databaseSlots<MysqlPool, MysqlStoreSettings>(options, (injected, storeTimeout) => [
    (injected ?? given)!,
    { queryTimeout: queryTimeout ?? storeTimeout },
  ]);
  return {
    sessions: slot((pool, settings) => new MysqlSessionStore(pool, settings)),
    rememberMe: slot((pool, settings) => new MysqlRememberMeTokenStore(pool, settings)),
    throttle: slot((pool, settings) => new MysqlLoginThrottleStore(pool, settings)),
    ...(audit !== false && {
      audit: slot(
        (pool, settings) => new MysqlAuditLog(pool, { ...settings, ...readAuditOptions('mysqlStorage', audit) }),
      ),
    }),
  };
}
