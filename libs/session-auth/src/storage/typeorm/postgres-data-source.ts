import type { DataSource, QueryRunner } from 'typeorm';
import { SessionAuthError } from '../../errors/session-auth.error.js';
import { listeningAsPool } from '../postgres/listening-connection.js';
import { PoolExecutor, type StatementObserver } from '../postgres/pool-executor.js';
import { PostgresAccess } from '../postgres/postgres-access.js';
import type { ConnectionPool } from '../postgres/postgres-pool.js';
import { quoteIdentifier } from '../postgres/sql-identifier.js';
import type { TypeOrmSessionStoreOptions } from './typeorm-session-store.options.js';

const WORDING = {
  storage: 'typeOrmStorage',
  remedy: 'CreateSessionAuthTables has been run, and UpgradeSessionAuthTables after an earlier version',
};

/**
 * Returns the constructor's arguments of a store in PostgreSQL that runs on a DataSource.
 *
 * @throws SessionAuthError `invalid_configuration` for a DataSource of another database, and for an invalid schema name
 */
export function storeParts<Options extends TypeOrmSessionStoreOptions>(
  dataSource: DataSource,
  options: Options,
): [PostgresAccess, Options] {
  requirePostgres(dataSource);
  const { schema = configuredSchema(dataSource), preparedStatements } = options;
  if (schema !== undefined) quoteIdentifier(schema, 'typeOrmStorage.schema');
  const pool = (): ConnectionPool => poolOf(dataSource);
  const executor = new PoolExecutor(pool, { preparedStatements, observer: loggerOf(dataSource) });
  const access = new PostgresAccess(executor, WORDING, dataSource, (url) => listeningAsPool(pool, url));
  return [access, { ...options, schema }];
}

/** Returns the DataSource of a query runner: TypeORM 0.3 calls it `connection`. */
export function dataSourceOf(queryRunner: QueryRunner): DataSource {
  return queryRunner.dataSource ?? (queryRunner as unknown as { readonly connection: DataSource }).connection;
}

/** Returns the `schema` that the application gave its DataSource; undefined: the connection's `search_path` decides. */
export function configuredSchema({ options }: DataSource): string | undefined {
  return 'schema' in options && options.schema ? options.schema : undefined;
}

/** Returns the pool of a DataSource. A DataSource that is initialised again has another pool. */
function poolOf(dataSource: DataSource): ConnectionPool {
  const { master } = dataSource.driver as unknown as { readonly master?: ConnectionPool };
  if (master === undefined) throw new Error('the DataSource is not connected');
  return master;
}

/** Passes the statements to the DataSource's logger, like those of TypeORM itself. */
function loggerOf(dataSource: DataSource): StatementObserver {
  return {
    sending: (text) => void dataSource.logger.logQuery(text),
    answered: (text, took) => {
      const slow = dataSource.options.maxQueryExecutionTime;
      if (slow && took > slow) dataSource.logger.logQuerySlow(Math.round(took), text);
    },
    failed: (text, error) => void dataSource.logger.logQueryError(error as Error, text),
  };
}

function requirePostgres(dataSource: DataSource): void {
  const { type } = dataSource.options;
  if (type === 'postgres') return;
  throw new SessionAuthError(
    'invalid_configuration',
    `typeOrmStorage.dataSource: given a DataSource of type '${type}'; allowed is one of type 'postgres', 'mariadb' or 'mysql'`,
  );
}
