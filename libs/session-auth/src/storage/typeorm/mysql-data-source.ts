import type { DataSource } from 'typeorm';
import { SessionAuthError } from '../../errors/session-auth.error.js';
import type { MysqlPool } from '../mysql/mysql-pool.js';

/** The types of DataSource that this library accepts for MariaDB or MySQL. */
const TYPES: readonly string[] = ['mariadb', 'mysql'];

/** Whether a DataSource is of MariaDB or MySQL. */
export function isMysql({ options }: DataSource): boolean {
  return TYPES.includes(options.type);
}

/**
 * Returns the `mysql2` pool of an initialised DataSource.
 *
 * @throws SessionAuthError `invalid_configuration` for a DataSource with replication, and for one on another driver
 */
export function mysqlPoolOf(dataSource: DataSource): MysqlPool {
  const { pool } = dataSource.driver as unknown as { readonly pool?: MysqlPool };
  if (pool === undefined) {
    throw refused('with replication', 'one without replication, on the primary server');
  }
  // TypeORM 0.3 uses the package mysql if it is installed, which has other commands
  if (typeof (pool as { readonly execute?: unknown }).execute !== 'function') {
    throw refused('on the package mysql', `a DataSource on mysql2, with connectorPackage: 'mysql2'`);
  }
  return pool;
}

function refused(given: string, allowed: string): SessionAuthError {
  return new SessionAuthError(
    'invalid_configuration',
    `typeOrmStorage.dataSource: given a DataSource ${given}; allowed is ${allowed}`,
  );
}
