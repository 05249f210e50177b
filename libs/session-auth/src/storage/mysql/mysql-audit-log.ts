import { DEFAULT_REALM } from '../../realms/realm-name.js';
import type { AuditEventRow } from '../postgres/audit-event-row.js';
import type { AuditQuery } from '../postgres/audit-query.js';
import { BufferedAuditLog, type BufferedAuditLogSettings } from '../postgres/buffered-audit-log.js';
import { AuditRows } from './audit-rows.js';
import { MysqlDatabase, type MysqlStoreSettings } from './mysql-database.js';
import { corePoolOf, type MysqlPool } from './mysql-pool.js';
import type { SqlText } from './sql-text.js';

/** Settings of {@link MysqlAuditLog}. */
export interface MysqlAuditLogSettings extends MysqlStoreSettings, BufferedAuditLogSettings {}

/** Writes each event as a row in MariaDB or MySQL. */
export class MysqlAuditLog extends BufferedAuditLog<SqlText, AuditEventRow> {
  readonly #rows: AuditRows;

  /** @throws SessionAuthError `invalid_configuration` for anything but a pool of `mysql2` or `mysql2/promise` */
  constructor(
    private readonly pool: MysqlPool,
    private readonly settings: MysqlAuditLogSettings = {},
  ) {
    const rows = new AuditRows(new MysqlDatabase(corePoolOf(pool), settings), settings.realm ?? DEFAULT_REALM);
    super(rows, settings);
    this.#rows = rows;
  }

  /**
   * Checks that the table exists: called once at boot.
   *
   * @throws SessionAuthError `invalid_configuration` when `schema.sql` has not been run
   */
  async checkTables(): Promise<void> {
    await this.#rows.checkTables();
  }

  override ofRealm(realm: string): MysqlAuditLog {
    return new MysqlAuditLog(this.pool, { ...this.settings, realm });
  }

  /** Returns events of the realm, newest first. Events that still wait to be written are not included. */
  async find(query: AuditQuery = {}): Promise<AuditEventRow[]> {
    return this.#rows.find(query);
  }
}
