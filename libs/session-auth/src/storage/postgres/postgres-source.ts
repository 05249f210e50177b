import { SessionAuthError } from '../../errors/session-auth.error.js';
import { kindOf } from '../../options/option-reader.js';
import { listeningAsPool, listeningAtUrl } from './listening-connection.js';
import { PoolExecutor } from './pool-executor.js';
import { PostgresAccess } from './postgres-access.js';
import type { PostgresStoreSettings } from './postgres-database.js';
import type { ConnectionPool, PostgresPool } from './postgres-pool.js';
import type { SqlExecutor } from './sql-executor.js';
import { SqlExecutorAdapter } from './sql-executor-adapter.js';
import { quoteIdentifier } from './sql-identifier.js';

/** What the stores run their statements on: a pool of the `pg` driver, or an executor of the application's ORM. */
export type PostgresSource = PostgresPool | SqlExecutor;

/** Settings of every store in PostgreSQL that runs on a {@link PostgresSource}. */
export interface PostgresStoreOptions extends PostgresStoreSettings {
  /**
   * Whether the connections of a pool keep statements prepared. With `false` the server plans each statement every
   * time, which costs it several times the work. Use `false` for a pooler that assigns transactions to changing
   * connections and cannot track prepared statements (PgBouncer before 1.21, or with `max_prepared_statements = 0`). An
   * executor decides for itself. @default true
   */
  readonly preparedStatements?: boolean;
}

const WORDING = {
  storage: 'postgresStorage',
  remedy: 'nestjs-session-auth/postgres/schema.sql has been run, and upgrade.sql after an earlier version',
};

/**
 * Returns the access of stores to the PostgreSQL of a pool or an executor.
 *
 * @throws SessionAuthError `invalid_configuration` for any other value, and for an invalid schema name
 */
export function accessOf(
  source: PostgresSource | PostgresAccess,
  { schema, preparedStatements }: PostgresStoreOptions,
): PostgresAccess {
  if (source instanceof PostgresAccess) return source;
  if (schema !== undefined) quoteIdentifier(schema, 'postgresStorage.schema');
  if (isPool(source)) {
    const pool = source as unknown as ConnectionPool;
    const executor = new PoolExecutor(() => pool, { preparedStatements });
    return new PostgresAccess(executor, WORDING, pool, (url) => listeningAsPool(() => pool, url));
  }
  if (isExecutor(source))
    return new PostgresAccess(new SqlExecutorAdapter(source), WORDING, source, listeningElsewhere);
  throw refuse(
    'postgresStorage',
    nameOf(source),
    'a Pool of the package pg, or an executor with query and transaction',
  );
}

/** Whether a value is a pool of `pg`: its clients lack the counts. */
export function isPool(source: unknown): source is PostgresPool {
  const { connect, on, totalCount } = (source ?? {}) as Partial<PostgresPool>;
  return typeof connect === 'function' && typeof on === 'function' && typeof totalCount === 'number';
}

/** Whether a value has the methods of an executor. */
export function isExecutor(source: unknown): source is SqlExecutor {
  const { query, transaction } = (source ?? {}) as Partial<SqlExecutor>;
  return typeof query === 'function' && typeof transaction === 'function';
}

/** Returns a name for a value in an error message: its class, or its type. */
export function nameOf(given: unknown): string {
  const { name = '' } = (typeof given === 'object' && given !== null ? given.constructor : undefined) ?? {};
  return name === '' || name === 'Object' || Array.isArray(given) ? kindOf(given) : `an object of class ${name}`;
}

/** Returns the error for an option with an invalid value. */
export function refuse(option: string, given: string, allowed: string): SessionAuthError {
  return new SessionAuthError('invalid_configuration', `${option}: given ${given}; allowed is ${allowed}`);
}

function listeningElsewhere(url: string | undefined): ReturnType<typeof listeningAtUrl> {
  if (url !== undefined) return listeningAtUrl(url);
  throw refuse(
    'postgresStorage.link',
    'no url with an executor',
    "{ url: 'postgres://…' }, which the package pg listens at",
  );
}
