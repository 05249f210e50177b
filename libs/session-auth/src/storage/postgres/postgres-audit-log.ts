import { DEFAULT_REALM } from '../../realms/realm-name.js';
import type { AuditEventRow } from './audit-event-row.js';
import type { AuditQuery } from './audit-query.js';
import { AuditRows } from './audit-rows.js';
import { auditStatements } from './audit-statements.js';
import { AUDIT_TABLE } from './audit-tables.js';
import { BufferedAuditLog, type BufferedAuditLogSettings } from './buffered-audit-log.js';
import { PostgresDatabase } from './postgres-database.js';
import type { PostgresAccess } from './postgres-access.js';
import { accessOf, type PostgresSource, type PostgresStoreOptions } from './postgres-source.js';

/** Settings of {@link PostgresAuditLog}. */
export interface PostgresAuditLogOptions extends PostgresStoreOptions, BufferedAuditLogSettings {}

/** Writes each event as a row in PostgreSQL. */
export class PostgresAuditLog extends BufferedAuditLog<string, AuditEventRow> {
  readonly #access: PostgresAccess;
  readonly #rows: AuditRows;

  /**
   * @param source the application's pool or executor, opened and closed by it
   * @throws SessionAuthError `invalid_configuration` for anything else, and for an invalid schema name
   */
  constructor(
    source: PostgresSource | PostgresAccess,
    private readonly settings: PostgresAuditLogOptions = {},
  ) {
    const access = accessOf(source, settings);
    const database = new PostgresDatabase(access, settings, AUDIT_TABLE, auditStatements);
    const rows = new AuditRows(database, settings.realm ?? DEFAULT_REALM);
    super(rows, settings);
    this.#access = access;
    this.#rows = rows;
  }

  /**
   * Checks that the table exists: called once at boot.
   *
   * @throws SessionAuthError `invalid_configuration` when it is missing, or of an earlier version
   */
  async checkTables(): Promise<void> {
    await this.#rows.checkTables();
  }

  override ofRealm(realm: string): PostgresAuditLog {
    return new PostgresAuditLog(this.#access, { ...this.settings, realm });
  }

  /** Returns events of the realm, newest first. Events that still wait to be written are not included. */
  async find(query: AuditQuery = {}): Promise<AuditEventRow[]> {
    return this.#rows.find(query);
  }
}
