import type { DataSource } from 'typeorm';
import { PostgresSessionStore } from '../postgres/postgres-session-store.js';
import { storeParts } from './postgres-data-source.js';
import type { TypeOrmSessionStoreOptions } from './typeorm-session-store.options.js';

/**
 * Sessions in PostgreSQL 12 or later, on the connections of a TypeORM DataSource that the application owns. The
 * migration {@link CreateSessionAuthTables} creates the tables.
 *
 * Every operation is one statement and atomic, on one connection of the pool; `create` with a limit is a transaction of
 * three round trips that holds a lock of its user. A `find` that has to write, follows a digest in its grace or finds
 * nothing takes a second statement, which alone decides; finds of the same moment share their first. `updateByUser` and
 * `deleteExpired` take a statement for a thousand and five hundred sessions. Works under any default isolation level,
 * and with `maxBytes` and sizes as of UTF-8.
 */
export class TypeOrmSessionStore extends PostgresSessionStore {
  /** @throws SessionAuthError `invalid_configuration` for a DataSource that is not PostgreSQL's, or no schema name */
  constructor(dataSource: DataSource, options: TypeOrmSessionStoreOptions = {}) {
    super(...storeParts(dataSource, options));
  }
}
