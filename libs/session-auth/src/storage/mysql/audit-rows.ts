import { recordableText, toAuditEntry } from '../../events/audit-entry.js';
import type { AuditErasure } from '../../events/audit-log.js';
import type { AuditTable } from '../postgres/buffered-audit-log.js';
import type { SessionEvent } from '../../events/session-event.js';
import { decodeAuditRow, type AuditEventRow } from '../postgres/audit-event-row.js';
import type { AuditQuery } from '../postgres/audit-query.js';
import { deleteByKey } from './delete-by-key.js';
import type { MysqlDatabase } from './mysql-database.js';
import { numberOf, type Row } from './pooled-connection.js';
import { commaList, sql, type SqlText } from './sql-text.js';

const MAX_TIME = 8.64e15;
const COLUMNS = sql`at, event, level, type, realm, user_id, session_id, ip, user_agent, details`;

/** The rows of the audit log of a realm. */
export class AuditRows implements AuditTable<SqlText, AuditEventRow> {
  readonly eraseStep = 1000;
  readonly #table: SqlText;

  constructor(
    private readonly database: MysqlDatabase,
    private readonly realm: string,
  ) {
    this.#table = database.tables.audit;
  }

  /** @throws SessionAuthError `invalid_configuration` when the table is missing */
  async checkTables(): Promise<void> {
    await this.database.checkTables(sql`SELECT id, ${COLUMNS} FROM ${this.#table} LIMIT 0`);
  }

  /** Returns the values of an event's row. */
  encode(event: SessionEvent): SqlText {
    const {
      datetime: _,
      event: name,
      level,
      type,
      realm,
      userid = null,
      session = null,
      source_ip = null,
      useragent = null,
      ...details
    } = toAuditEntry(event);
    return sql`(${event.at.getTime()}, ${name}, ${level}, ${type}, ${realm}, ${userid}, ${session},
      ${source_ip}, ${useragent}, ${JSON.stringify(details)})`;
  }

  async insert(rows: readonly SqlText[]): Promise<void> {
    await this.database.sweepStatement(sql`INSERT INTO ${this.#table} (${COLUMNS}) VALUES ${commaList(rows)}`);
  }

  async find({ userId, from, to, limit = 100 }: AuditQuery): Promise<AuditEventRow[]> {
    const ofUser = userId === undefined ? sql`` : sql` AND user_id = ${recordableText(userId)}`;
    const rows = await this.database.read(sql`SELECT id, ${COLUMNS} FROM ${this.#table}
      WHERE realm = ${this.realm} AND at >= ${from?.getTime() ?? -MAX_TIME} AND at < ${to?.getTime() ?? MAX_TIME}${ofUser}
      ORDER BY at DESC, id DESC LIMIT ${Math.min(Math.max(Math.trunc(limit), 1), 1000)}`);
    return rows.map(decode);
  }

  async findOfUser(userId: string, after: string, limit: number): Promise<AuditEventRow[]> {
    const rows = await this.database.read(sql`SELECT id, ${COLUMNS} FROM ${this.#table}
      WHERE ((${this.#isOf(userId)}) OR (${this.#isOfSessionsOf(userId)})) AND id > ${Number(after)}
      ORDER BY id LIMIT ${limit}`);
    return rows.map(decode);
  }

  async eraseOfSessions(userId: string, how: AuditErasure, limit: number): Promise<number> {
    const due = this.#isOfSessionsOf(userId);
    const personal = sql`(ip IS NOT NULL OR user_agent IS NOT NULL)`;
    return this.#erase(how === 'delete' ? due : sql`${due} AND ${personal}`, how, limit);
  }

  async eraseOfUser(userId: string, how: AuditErasure, limit: number): Promise<number> {
    return this.#erase(this.#isOf(userId), how, limit);
  }

  async deleteOlder(than: number, limit: number): Promise<number> {
    return this.#erase(sql`realm = ${this.realm} AND at < ${than}`, 'delete', limit);
  }

  /** Each row is counted by one call only: rows that another call holds are skipped. */
  async #erase(condition: SqlText, how: AuditErasure, limit: number): Promise<number> {
    const due = await this.database.read(sql`SELECT id FROM ${this.#table} WHERE ${condition} LIMIT ${limit}`);
    if (due.length === 0) return 0;
    return this.database.sweep(async (transaction) => {
      const { rows } = await transaction.query(sql`SELECT id FROM ${this.#table} FORCE INDEX (PRIMARY)
        WHERE id IN (${due.map(([id]) => numberOf(id!))}) ORDER BY id FOR UPDATE SKIP LOCKED`);
      if (rows.length === 0) return 0;
      const held = rows.map(([id]) => numberOf(id!));
      if (how === 'delete') return deleteByKey(transaction, this.#table, 'id', held);
      await transaction.query(sql`UPDATE ${this.#table} FORCE INDEX (PRIMARY)
        SET user_id = NULL, ip = NULL, user_agent = NULL WHERE id IN (${held})`);
      return rows.length;
    });
  }

  #isOf(userId: string): SqlText {
    return sql`user_id = ${recordableText(userId)} AND realm = ${this.realm}`;
  }

  #isOfSessionsOf(userId: string): SqlText {
    return sql`user_id IS NULL AND realm = ${this.realm}
      AND session_id IN (SELECT session_id FROM ${this.#table} WHERE ${this.#isOf(userId)})`;
  }
}

function decode(row: Row): AuditEventRow {
  return decodeAuditRow(row.map((value) => value?.toString() ?? null));
}
