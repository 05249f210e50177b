import type { DataSource } from 'typeorm';
import { SessionAuthError } from '../../errors/session-auth.error.js';
import type { PostgresStoreSettings } from '../postgres/postgres-database.js';
import type { PostgresExecutor } from '../postgres/postgres-executor.js';
import { quoteIdentifier } from '../postgres/sql-identifier.js';
import { TypeOrmExecutor } from './typeorm-executor.js';
import type { TypeOrmSessionStoreOptions } from './typeorm-session-store.options.js';

const WORDING = {
  storage: 'typeOrmStorage',
  migrations:
    'CreateSessionAuthTables has been run, and UpgradeSessionAuthTables if that was done by an earlier version',
};

/**
 * Returns the constructor's arguments of a store in PostgreSQL that runs on a DataSource.
 *
 * @throws SessionAuthError `invalid_configuration` for a DataSource of another database, and for an invalid schema name
 */
export function storeParts<Options extends TypeOrmSessionStoreOptions>(
  dataSource: DataSource,
  options: Options,
): [PostgresExecutor, Options & PostgresStoreSettings] {
  requirePostgres(dataSource);
  const { schema = configuredSchema(dataSource), preparedStatements = true } = options;
  if (schema !== undefined) quoteIdentifier(schema, 'typeOrmStorage.schema');
  return [new TypeOrmExecutor(dataSource, preparedStatements), { ...options, schema, wording: WORDING }];
}

/** Returns the `schema` that the application gave its DataSource; undefined: the connection's `search_path` decides. */
export function configuredSchema({ options }: DataSource): string | undefined {
  return 'schema' in options && options.schema ? options.schema : undefined;
}

function requirePostgres(dataSource: DataSource): void {
  const { type } = dataSource.options;
  if (type === 'postgres') return;
  throw new SessionAuthError(
    'invalid_configuration',
    `typeOrmStorage.dataSource: given a DataSource of type '${type}'; allowed is one of type 'postgres'`,
  );
}
