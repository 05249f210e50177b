import type { InjectionToken } from '@nestjs/common';
import { SessionAuthError } from '../../errors/session-auth.error.js';
import { toMilliseconds, type Duration } from '../../time/durations.js';
import type { PostgresLinked } from './postgres-link.js';
import type { PostgresPool } from './postgres-pool.js';
import type { PostgresSource, PostgresStoreOptions } from './postgres-source.js';
import type { SqlExecutor } from './sql-executor.js';

/** The audit log in PostgreSQL. */
export interface PostgresAuditOptions {
  /** How long events are kept; the cleanup removes older ones. @default without limit */
  readonly retention?: Duration;
  /** The most events kept in memory while the database is slow or down; more are dropped. @default 10000 */
  readonly buffer?: number;
}

/** The options of `postgresStorage` for a pool and an executor alike. */
export interface PostgresPartsOptions
  extends Pick<PostgresStoreOptions, 'schema' | 'preparedStatements' | 'queryTimeout'>, PostgresLinked {
  /** `false` keeps the audit log out of this storage. @default in PostgreSQL, without limit */
  readonly audit?: PostgresAuditOptions | false;
}

/** The options of `postgresStorage`. */
export type PostgresStorageOptions = PostgresPartsOptions &
  (
    | { /** The application's pool of the package `pg`, which it ends. */ readonly pool: PostgresPool }
    | { /** Runs statements by the application's ORM. */ readonly executor: SqlExecutor }
    | { /** The provider that is such a pool or executor. */ readonly inject: InjectionToken<PostgresSource> }
  );

/**
 * Reads the options of an audit log.
 *
 * @param storage the name of the storage in error messages
 * @throws SessionAuthError `invalid_configuration`
 */
export function readAuditOptions(
  storage: string,
  { retention, buffer }: PostgresAuditOptions,
): { readonly retention?: number; readonly buffer?: number } {
  const milliseconds = retention === undefined ? undefined : toMilliseconds(retention);
  if (retention !== undefined && !milliseconds) {
    throw new SessionAuthError(
      'invalid_configuration',
      `${storage}.audit.retention: given ${JSON.stringify(retention)}; allowed is a duration such as '90d'`,
    );
  }
  if (buffer !== undefined && !(Number.isInteger(buffer) && buffer > 0)) {
    throw new SessionAuthError(
      'invalid_configuration',
      `${storage}.audit.buffer: given ${JSON.stringify(buffer)}; allowed is a whole number from 1`,
    );
  }
  return { retention: milliseconds, buffer };
}

/**
 * Refuses the option `link`, which the type of such a storage does not have: an application that moves from another
 * storage may still set it.
 *
 * @param why the feature that the database lacks
 * @throws SessionAuthError `invalid_configuration`
 */
export function refuseLink(storage: string, options: object, why: string): void {
  const { link } = options as { readonly link?: unknown };
  if (!link) return;
  throw new SessionAuthError(
    'invalid_configuration',
    `${storage}.link: given ${JSON.stringify(link)}; allowed is no value: ${why}`,
  );
}
