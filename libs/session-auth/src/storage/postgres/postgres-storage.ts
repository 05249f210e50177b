import type { InjectionToken, OptionalFactoryDependency } from '@nestjs/common';
import type { AuditLog } from '../../events/audit-log.js';
import type { RememberMeTokenStore } from '../../remember-me/remember-me-token-store.js';
import type { SessionStore } from '../../session/session-store.js';
import type { LoginThrottleStore } from '../../throttle/login-throttle-store.js';
import { databaseSlots } from './database-slots.js';
import { loadDriver } from './listening-connection.js';
import { PostgresAuditLog } from './postgres-audit-log.js';
import { PostgresLoginThrottleStore } from './postgres-login-throttle-store.js';
import { PostgresRememberMeTokenStore } from './postgres-remember-me-token-store.js';
import { PostgresSessionStore } from './postgres-session-store.js';
import {
  isExecutor,
  isPool,
  nameOf,
  refuse,
  type PostgresSource,
  type PostgresStoreOptions,
} from './postgres-source.js';
import { readAuditOptions, type PostgresStorageOptions } from './postgres-storage.options.js';

interface PostgresSlot<T> {
  readonly useFactory: (storeTimeout?: number, injected?: PostgresSource) => Promise<T>;
  readonly inject: (InjectionToken | OptionalFactoryDependency)[];
}

/** The slots of the parts kept in PostgreSQL. */
export interface PostgresStorage {
  readonly sessions: PostgresSlot<SessionStore>;
  readonly rememberMe: PostgresSlot<RememberMeTokenStore>;
  readonly throttle: PostgresSlot<LoginThrottleStore>;
  /** Absent with `audit: false`. */
  readonly audit?: PostgresSlot<AuditLog>;
}

/**
 * Keeps sessions, remember-me tokens, counts of failed logins and the audit log in PostgreSQL 12 or later:
 * `storage: postgresStorage({ pool })` for a pool of the package `pg`, `postgresStorage({ executor })` for the
 * application's ORM, `postgresStorage({ inject: POOL })` for a provider of either.
 *
 * The boot fails with `invalid_configuration` for any other value, and when the tables of
 * `nestjs-session-auth/postgres/schema.sql` are missing or of an earlier version.
 */
export function postgresStorage(options: PostgresStorageOptions): PostgresStorage {
  const { schema, preparedStatements, queryTimeout, link, audit = {} } = options;
  const slot = databaseSlots<PostgresSource, PostgresStoreOptions>(options, async (injected, storeTimeout) => {
    const source = sourceOf(options, injected);
    if (link && !isPool(source)) await loadDriver();
    return [source, { schema, preparedStatements, queryTimeout: queryTimeout ?? storeTimeout }];
  });
  const audited = audit === false ? undefined : audit;
  return {
    sessions: slot((source, each) => new PostgresSessionStore(source, { ...each, link })),
    rememberMe: slot((source, each) => new PostgresRememberMeTokenStore(source, each)),
    throttle: slot((source, each) => new PostgresLoginThrottleStore(source, each)),
    ...(audited && {
      audit: slot(
        (source, each) => new PostgresAuditLog(source, { ...each, ...readAuditOptions('postgresStorage', audited) }),
      ),
    }),
  };
}

/** Returns the source for the stores, after checking it. */
function sourceOf(options: PostgresStorageOptions, injected: PostgresSource | undefined): PostgresSource {
  const given = ['pool', 'executor', 'inject'].filter((key) => key in options);
  if (given.length !== 1) {
    const what = given.length === 0 ? 'not one of them' : given.join(' and ');
    throw refuse('postgresStorage', what, 'exactly one of the options pool, executor and inject');
  }
  if ('pool' in options) {
    if (isPool(options.pool)) return options.pool;
    throw refuse('postgresStorage.pool', nameOf(options.pool), 'a Pool of the package pg');
  }
  if ('executor' in options) {
    if (isExecutor(options.executor) && !isPool(options.executor)) return options.executor;
    throw refuse('postgresStorage.executor', nameOf(options.executor), 'an object with query and transaction');
  }
  if (isPool(injected) || isExecutor(injected)) return injected;
  throw refuse('postgresStorage.inject', nameOf(injected), 'a Pool of the package pg, or an executor');
}
