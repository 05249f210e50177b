import type { DataSource } from 'typeorm';
import { PostgresSessionStore } from '../postgres/postgres-session-store.js';
import { storeParts } from './postgres-data-source.js';
import type { TypeOrmSessionStoreOptions } from './typeorm-session-store.options.js';

/**
 * Sessions in PostgreSQL 12 or later, on the connections of a TypeORM DataSource that the application owns. The
 * migration {@link CreateSessionAuthTables} creates the tables.
 *
 * Every operation is atomic. It is one statement on one connection of the pool, with these exceptions: `create` with a
 * limit is a transaction of three round trips, which holds a lock of its user. A `find` takes a second statement, which
 * alone decides, when it has to write, follows a digest in its grace or finds nothing; finds of the same moment share
 * their first one. `updateByUser` takes a statement for each thousand sessions, `deleteExpired` for each five hundred.
 *
 * Works under any default isolation level. Sizes, such as `maxBytes`, are bytes of UTF-8.
 */
export class TypeOrmSessionStore extends PostgresSessionStore {
  /** @throws SessionAuthError `invalid_configuration` for a DataSource of another database or an invalid schema name */
  constructor(dataSource: DataSource, options: TypeOrmSessionStoreOptions = {}) {
    super(...storeParts(dataSource, options));
  }
}
