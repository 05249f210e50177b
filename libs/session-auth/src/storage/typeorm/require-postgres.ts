import type { DataSource } from 'typeorm';
import { SessionAuthError } from '../../errors/session-auth.error.js';

/** @throws SessionAuthError `invalid_configuration` for a DataSource that is not PostgreSQL's */
export function requirePostgres(dataSource: DataSource): void {
  const { type } = dataSource.options;
  if (type === 'postgres') return;
  throw new SessionAuthError(
    'invalid_configuration',
    `typeOrmStorage.dataSource: given a DataSource of type '${type}'; allowed is one of type 'postgres'`,
  );
}
