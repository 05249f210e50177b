import { DEFAULT_REALM } from '../../realms/realm-name.js';
import type { AuditEventRow } from '../postgres/audit-event-row.js';
import type { AuditQuery } from '../postgres/audit-query.js';
import { BufferedAuditLog, type BufferedAuditLogSettings } from '../postgres/buffered-audit-log.js';
import { AuditRows } from './audit-rows.js';
import { SqliteDatabase, type SqliteStoreSettings } from './sqlite-database.js';
import type { SqliteHandle, SqliteValue } from './sqlite-handle.js';

/** Settings of {@link SqliteAuditLog}. */
export interface SqliteAuditLogSettings extends SqliteStoreSettings, BufferedAuditLogSettings {}

/** Writes each event as a row in SQLite. */
export class SqliteAuditLog extends BufferedAuditLog<readonly SqliteValue[], AuditEventRow> {
  readonly #rows: AuditRows;

  /** @throws SessionAuthError `invalid_configuration` for anything but a handle of `better-sqlite3` or `node:sqlite` */
  constructor(
    private readonly handle: SqliteHandle,
    private readonly settings: SqliteAuditLogSettings = {},
  ) {
    const rows = new AuditRows(new SqliteDatabase(handle, settings), settings.realm ?? DEFAULT_REALM);
    super(rows, settings);
    this.#rows = rows;
  }

  /**
   * Checks the database and that the table exists: called once at boot.
   *
   * @throws SessionAuthError `invalid_configuration` when `schema.sql` has not been run, or the database is not in WAL
   *   mode
   */
  async checkTables(): Promise<void> {
    await this.#rows.checkTables();
  }

  override ofRealm(realm: string): SqliteAuditLog {
    return new SqliteAuditLog(this.handle, { ...this.settings, realm });
  }

  /** Returns events of the realm, newest first. Events that still wait to be written are not included. */
  async find(query: AuditQuery = {}): Promise<AuditEventRow[]> {
    return this.#rows.find(query);
  }
}
