import type { DataSource } from 'typeorm';
import { PostgresAuditLog } from '../postgres/postgres-audit-log.js';
import { storeParts } from './postgres-data-source.js';
import type { TypeOrmSessionStoreOptions } from './typeorm-session-store.options.js';

/** Settings of {@link TypeOrmAuditLog}. */
export interface TypeOrmAuditLogOptions extends TypeOrmSessionStoreOptions {
  /** How many milliseconds events are kept; the cleanup removes older ones. @default without limit */
  readonly retention?: number;
  /** The most events kept in memory while the database is slow or down; more are dropped. @default 10000 */
  readonly buffer?: number;
}

/**
 * Writes each event as a row in PostgreSQL, on the connections of a TypeORM DataSource, with the fields of
 * `toAuditEntry`.
 *
 * Events are written in batches, and no request waits for them. While the database is slow or down they wait in memory,
 * up to `buffer`. Further events are dropped and counted, and the count is logged once the database works again.
 * Shutdown waits a few seconds for the rest.
 */
export class TypeOrmAuditLog extends PostgresAuditLog {
  /** @throws SessionAuthError `invalid_configuration` for a DataSource of another database or an invalid schema name */
  constructor(dataSource: DataSource, options: TypeOrmAuditLogOptions = {}) {
    super(...storeParts(dataSource, options));
  }
}
