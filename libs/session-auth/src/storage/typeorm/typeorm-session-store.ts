import type { DataSource } from 'typeorm';
import { PostgresSessionStore } from '../postgres/postgres-session-store.js';
import { storeParts } from './postgres-data-source.js';
import type { TypeOrmLinked, TypeOrmSessionStoreOptions } from './typeorm-session-store.options.js';

/**
 * Sessions in PostgreSQL 12 or later, on the connections of a TypeORM DataSource that the application owns. The
 * migration {@link CreateSessionAuthTables} creates the tables.
 *
 * Every operation is atomic. It is one statement on one connection of the pool, with these exceptions:
 *
 * - `create` for a user with a limit, a device or a session to replace, `deleteByUser` and `updateByUser` are
 *   transactions of three round trips that hold a lock of the user. `updateByUser` takes one for each thousand
 *   sessions.
 * - `find` takes a second statement when it must write. Simultaneous finds share their first statement.
 * - `update` with another token than the present one, and `rotate` of a session that has changed, take a second or
 *   third.
 * - `deleteExpired` takes a statement for each five hundred sessions.
 *
 * Works under any default isolation level. Sizes, such as `maxBytes`, are bytes of UTF-8.
 */
export class TypeOrmSessionStore extends PostgresSessionStore {
  /** @throws SessionAuthError `invalid_configuration` for a DataSource of another database or an invalid schema name */
  constructor(dataSource: DataSource, options: TypeOrmSessionStoreOptions & TypeOrmLinked = {}) {
    super(...storeParts(dataSource, options));
  }
}
