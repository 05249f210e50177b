import type { InjectionToken } from '@nestjs/common';
import { SessionAuthError } from '../../errors/session-auth.error.js';
import { toMilliseconds, type Duration } from '../../time/durations.js';
import type { PostgresLinked } from './postgres-link.js';
import type { PostgresPool } from './postgres-pool.js';
import type { PostgresSource, PostgresStoreOptions } from './postgres-source.js';
import type { SqlExecutor } from './sql-executor.js';

/** The audit log in PostgreSQL. */
export interface PostgresAuditOptions {
  /** For how long events are kept: the cleanup removes older ones. @default for ever */
  readonly retention?: Duration;
  /** The most events kept in memory while the database is slow or down; more are dropped. @default 10000 */
  readonly buffer?: number;
}

/** The options of `postgresStorage` whatever it runs on. */
export interface PostgresPartsOptions
  extends Pick<PostgresStoreOptions, 'schema' | 'preparedStatements' | 'queryTimeout'>, PostgresLinked {
  /** `false` leaves the audit log where it is without this storage. @default in PostgreSQL, kept for ever */
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
 * @param storage how error messages name the storage
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
 * Refuses the option `link`, which the types of such a storage do not have: an application that moves from another
 * storage may still set it.
 *
 * @param why what the database lacks
 * @throws SessionAuthError `invalid_configuration`
 */
export function refuseLink(storage: string, options: object, why: string): void {
  const { link } = options as { readonly link?: unknown };
  if (!link) return;
  throw new SessionAuthError(
    'invalid_configuration',
    `${storage}.link: given ${JSON.stringify(link)}; allowed is none: ${why}`,
  );
}
