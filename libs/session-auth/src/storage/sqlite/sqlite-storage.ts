import { Logger, type InjectionToken, type OptionalFactoryDependency } from '@nestjs/common';
import type { AuditLog } from '../../events/audit-log.js';
import type { RememberMeTokenStore } from '../../remember-me/remember-me-token-store.js';
import type { SessionStore } from '../../session/session-store.js';
import type { LoginThrottleStore } from '../../throttle/login-throttle-store.js';
import type { Duration } from '../../time/durations.js';
import { databaseSlots } from '../postgres/database-slots.js';
import { readAuditOptions, refuseLink } from '../postgres/postgres-storage.options.js';
import { SqliteAuditLog } from './sqlite-audit-log.js';
import type { SqliteStoreSettings } from './sqlite-database.js';
import type { SqliteHandle } from './sqlite-handle.js';
import { SqliteLoginThrottleStore } from './sqlite-login-throttle-store.js';
import { SqliteRememberMeTokenStore } from './sqlite-remember-me-token-store.js';
import { SqliteSessionStore } from './sqlite-session-store.js';

/** The audit log in SQLite. */
export interface SqliteAuditOptions {
  /** How long events are kept; the cleanup removes older ones. @default without limit */
  readonly retention?: Duration;
  /** The most events kept in memory while the database is locked; more are dropped. @default 10000 */
  readonly buffer?: number;
}

/** The options of {@link sqliteStorage} besides the database. */
export interface SqliteStorageSettings {
  /**
   * How many milliseconds an operation waits for another connection's lock, and for a transaction that the application
   * has open on the handle. An operation that gives up has not taken place. @default `storeTimeout` of the module
   */
  readonly queryTimeout?: number;
  /** `false` keeps the audit log out of this storage. @default in the database, without limit */
  readonly audit?: SqliteAuditOptions | false;
}

/** The options of {@link sqliteStorage}. */
export type SqliteStorageOptions = SqliteStorageSettings &
  (
    | {
        /**
         * A `Database` of `better-sqlite3` or a `DatabaseSync` of `node:sqlite`: the application opens and closes it.
         */
        readonly database: SqliteHandle;
      }
    | { /** The provider that is such a database. */ readonly inject: InjectionToken<SqliteHandle> }
  );

interface SqliteSlot<T> {
  readonly useFactory: (storeTimeout?: number, database?: SqliteHandle) => Promise<T>;
  readonly inject: (InjectionToken | OptionalFactoryDependency)[];
}

/** The slots of the parts kept in SQLite. */
export interface SqliteStorage {
  readonly sessions: SqliteSlot<SessionStore>;
  readonly rememberMe: SqliteSlot<RememberMeTokenStore>;
  readonly throttle: SqliteSlot<LoginThrottleStore>;
  /** Absent with `audit: false`. */
  readonly audit?: SqliteSlot<AuditLog>;
}

/**
 * Keeps sessions, remember-me tokens, counts of failed logins and the audit log in a SQLite database in WAL mode, for
 * the processes of one machine: `storage: sqliteStorage({ database })`, or `sqliteStorage({ inject: DATABASE })` for a
 * provider.
 *
 * The boot fails with `invalid_configuration` for any value but a handle of `better-sqlite3` or `node:sqlite`, for a
 * database in another journal mode, and when the tables of `nestjs-session-auth/sqlite/schema.sql` are missing. There
 * is no link between processes.
 */
export function sqliteStorage(options: SqliteStorageOptions): SqliteStorage {
  const { audit = {}, queryTimeout } = options;
  refuseLink('sqliteStorage', options, 'SQLite cannot send messages to other processes');
  const given = 'inject' in options ? undefined : options.database;
  const slot = databaseSlots<SqliteHandle, SqliteStoreSettings>(options, (injected, storeTimeout) => [
    (injected ?? given)!,
    { queryTimeout: queryTimeout ?? storeTimeout },
  ]);
  return {
    sessions: slot((database, settings) => new SqliteSessionStore(database, settings), warnOfMemory),
    rememberMe: slot((database, settings) => new SqliteRememberMeTokenStore(database, settings)),
    throttle: slot((database, settings) => new SqliteLoginThrottleStore(database, settings)),
    ...(audit !== false && {
      audit: slot(
        (database, settings) =>
          new SqliteAuditLog(database, { ...settings, ...readAuditOptions('sqliteStorage', audit) }),
      ),
    }),
  };
}

/** Warns in production about a database in memory, which a restart loses. */
async function warnOfMemory(sessions: SqliteSessionStore): Promise<void> {
  if (process.env['NODE_ENV'] !== 'production' || !(await sessions.isInMemory())) return;
  new Logger('SessionAuth').warn(
    "sqliteStorage.database is in memory: what is kept in it ends with this process; open a file instead of ':memory:'",
  );
}
