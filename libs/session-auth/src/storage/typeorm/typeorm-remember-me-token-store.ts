import type { DataSource } from 'typeorm';
import { PostgresRememberMeTokenStore } from '../postgres/postgres-remember-me-token-store.js';
import { storeParts } from './postgres-data-source.js';
import type { TypeOrmSessionStoreOptions } from './typeorm-session-store.options.js';

/**
 * Remember-me tokens in PostgreSQL, on the connections of a TypeORM DataSource, like the sessions. Each call is one
 * statement. A call that writes several records of a user takes a lock of that user.
 */
export class TypeOrmRememberMeTokenStore extends PostgresRememberMeTokenStore {
  /** @throws SessionAuthError `invalid_configuration` for a DataSource of another database or an invalid schema name */
  constructor(dataSource: DataSource, options: TypeOrmSessionStoreOptions = {}) {
    super(...storeParts(dataSource, options));
  }
}
