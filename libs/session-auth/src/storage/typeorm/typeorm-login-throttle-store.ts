import type { DataSource } from 'typeorm';
import { PostgresLoginThrottleStore } from '../postgres/postgres-login-throttle-store.js';
import { storeParts } from './postgres-data-source.js';
import type { TypeOrmSessionStoreOptions } from './typeorm-session-store.options.js';

/**
 * Counts failed logins in PostgreSQL, on the connections of a TypeORM DataSource, like the sessions: for all nodes
 * together, each call one statement.
 */
export class TypeOrmLoginThrottleStore extends PostgresLoginThrottleStore {
  /** @throws SessionAuthError `invalid_configuration` for a DataSource of another database or an invalid schema name */
  constructor(dataSource: DataSource, options: TypeOrmSessionStoreOptions = {}) {
    super(...storeParts(dataSource, options));
  }
}
