import type { InjectionToken, OptionalFactoryDependency } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { SessionAuthError } from '../../errors/session-auth.error.js';
import type { AuditLog } from '../../events/audit-log.js';
import type { RememberMeTokenStore } from '../../remember-me/remember-me-token-store.js';
import type { SessionStore } from '../../session/session-store.js';
import type { LoginThrottleStore } from '../../throttle/login-throttle-store.js';
import { STORE_TIMEOUT } from '../../async/store-timeout.options.js';
import { MysqlAuditLog } from '../mysql/mysql-audit-log.js';
import type { MysqlStoreSettings } from '../mysql/mysql-database.js';
import { MysqlLoginThrottleStore } from '../mysql/mysql-login-throttle-store.js';
import type { MysqlPool } from '../mysql/mysql-pool.js';
import { MysqlRememberMeTokenStore } from '../mysql/mysql-remember-me-token-store.js';
import { MysqlSessionStore } from '../mysql/mysql-session-store.js';
import { readAuditOptions, type PostgresAuditOptions } from '../postgres/postgres-storage.options.js';
import { isMysql, mysqlPoolOf } from './mysql-data-source.js';
import { TypeOrmAuditLog } from './typeorm-audit-log.js';
import { TypeOrmLoginThrottleStore } from './typeorm-login-throttle-store.js';
import { TypeOrmRememberMeTokenStore } from './typeorm-remember-me-token-store.js';
import { TypeOrmSessionStore } from './typeorm-session-store.js';
import type { TypeOrmLinked, TypeOrmSessionStoreOptions } from './typeorm-session-store.options.js';

/**
 * The options of {@link typeOrmStorage}. `schema`, `preparedStatements` and `link` apply to PostgreSQL only, and are
 * refused for a DataSource of MariaDB or MySQL.
 */
export interface TypeOrmStorageOptions extends TypeOrmSessionStoreOptions, TypeOrmLinked {
  /**
   * The name of a DataSource of `@nestjs/typeorm`, or an initialised DataSource: the application opens it and closes
   * it. @default the application's default one
   */
  readonly dataSource?: string | DataSource;
  /** `false` keeps the audit log out of this storage. @default in the database, without limit */
  readonly audit?: TypeOrmAuditOptions | false;
}

/** The audit log in the database. */
export type TypeOrmAuditOptions = PostgresAuditOptions;

interface TypeOrmSlot<T> {
  readonly useFactory: (storeTimeout?: number, dataSource?: DataSource) => Promise<T>;
  readonly inject: (InjectionToken | OptionalFactoryDependency)[];
}

/** The slots of the parts kept in the database. */
export interface TypeOrmStorage {
  readonly sessions: TypeOrmSlot<SessionStore>;
  readonly rememberMe: TypeOrmSlot<RememberMeTokenStore>;
  readonly throttle: TypeOrmSlot<LoginThrottleStore>;
  /** Absent with `audit: false`. */
  readonly audit?: TypeOrmSlot<AuditLog>;
}

/**
 * Keeps sessions, remember-me tokens, counts of failed logins and the audit log in PostgreSQL, MariaDB or MySQL:
 * `storage: typeOrmStorage()` for the DataSource of `TypeOrmModule.forRoot`, `typeOrmStorage({ dataSource: 'auth' })`
 * for a named one, `typeOrmStorage({ dataSource })` for one that you made.
 *
 * In MariaDB and MySQL it is `mysqlStorage` on the pool of the DataSource: there is no link between nodes.
 *
 * The boot fails with `invalid_configuration` when the DataSource is of another database or not initialised, and when
 * the tables of {@link CreateSessionAuthTables} are missing. Nothing is ever synchronized.
 */
export function typeOrmStorage(options: TypeOrmStorageOptions = {}): TypeOrmStorage {
  const { dataSource = 'default', audit = {}, link, ...settings } = options;
  type Part<T> = T & { checkTables(): Promise<void> };
  const slot = <T>(
    make: (given: DataSource, settings: TypeOrmSessionStoreOptions) => Part<T>,
    makeOfMysql: (pool: MysqlPool, settings: MysqlStoreSettings) => Part<T>,
  ): TypeOrmSlot<T> => ({
    inject: [
      { token: STORE_TIMEOUT, optional: true },
      ...(typeof dataSource === 'string' ? [dataSourceToken(dataSource)] : []),
    ],
    useFactory: async (storeTimeout, injected) => {
      const given = typeof dataSource === 'string' ? injected! : dataSource;
      if (isMysql(given)) {
        refuseForMysql(given, { ...settings, link });
        requireInitialised(given);
        const part = makeOfMysql(mysqlPoolOf(given), { queryTimeout: settings.queryTimeout ?? storeTimeout });
        await part.checkTables();
        return part;
      }
      const part = make(given, { queryTimeout: storeTimeout, ...settings });
      requireInitialised(given);
      await part.checkTables();
      return part;
    },
  });
  return {
    sessions: slot<SessionStore>(
      (given, each) => new TypeOrmSessionStore(given, { ...each, link }),
      (pool, each) => new MysqlSessionStore(pool, each),
    ),
    rememberMe: slot<RememberMeTokenStore>(
      (given, each) => new TypeOrmRememberMeTokenStore(given, each),
      (pool, each) => new MysqlRememberMeTokenStore(pool, each),
    ),
    throttle: slot<LoginThrottleStore>(
      (given, each) => new TypeOrmLoginThrottleStore(given, each),
      (pool, each) => new MysqlLoginThrottleStore(pool, each),
    ),
    ...(audit !== false && {
      audit: slot<AuditLog>(
        (given, each) => new TypeOrmAuditLog(given, { ...each, ...readAuditOptions('typeOrmStorage', audit) }),
        (pool, each) => new MysqlAuditLog(pool, { ...each, ...readAuditOptions('typeOrmStorage', audit) }),
      ),
    }),
  };
}

function requireInitialised({ isInitialized }: DataSource): void {
  if (isInitialized) return;
  throw new SessionAuthError(
    'invalid_configuration',
    'typeOrmStorage.dataSource: given a DataSource that is not initialised; call initialize() first',
  );
}

/** The database is known only when the application starts. */
function refuseForMysql(
  { options: { type } }: DataSource,
  { schema, preparedStatements, link }: TypeOrmSessionStoreOptions & TypeOrmLinked,
): void {
  const given = Object.entries({ schema, preparedStatements, link: link || undefined });
  const [name, value] = given.find(([, each]) => each !== undefined) ?? [];
  if (name === undefined) return;
  throw new SessionAuthError(
    'invalid_configuration',
    `typeOrmStorage.${name}: given ${JSON.stringify(value)}; allowed is no value for a DataSource of type '${type}'`,
  );
}

/**
 * Returns the result of `getDataSourceToken` of `@nestjs/typeorm`; calling that function would make the package a
 * requirement.
 */
function dataSourceToken(name: string): InjectionToken<DataSource> {
  return name === 'default' ? DataSource : `${name}DataSource`;
}
