import { recordableText, toAuditEntry } from '../../events/audit-entry.js';
import type { AuditErasure } from '../../events/audit-log.js';
import type { SessionEvent } from '../../events/session-event.js';
import { decodeAuditRow, type AuditEventRow } from './audit-event-row.js';
import type { AuditQuery } from './audit-query.js';
import type { AuditStatements } from './audit-statements.js';
import type { AuditTable } from './buffered-audit-log.js';
import type { PostgresDatabase } from './postgres-database.js';
import type { PostgresStatement, SqlValue } from './postgres-statement.js';

const MAX_TIME = 8.64e15;

/** The rows of the audit log of a realm. */
export class AuditRows implements AuditTable<string, AuditEventRow> {
  readonly eraseStep = 10_000;

  constructor(
    private readonly database: PostgresDatabase<AuditStatements>,
    private readonly realm: string,
  ) {}

  /** @throws SessionAuthError `invalid_configuration` when the table is missing, or of an earlier version */
  async checkTables(): Promise<void> {
    await this.database.checkTables((sql) => sql.find, [0, 0, 1, this.realm]);
  }

  /** Returns an event's row as JSON. */
  encode(event: SessionEvent): string {
    const {
      datetime: _,
      event: name,
      level,
      type,
      realm,
      userid: user_id,
      session: session_id,
      source_ip: ip,
      useragent: user_agent,
      ...details
    } = toAuditEntry(event);
    const at = event.at.getTime();
    return JSON.stringify({ at, event: name, level, type, realm, user_id, session_id, ip, user_agent, details });
  }

  async insert(rows: readonly string[]): Promise<void> {
    await this.database.sweep((sql) => sql.insert, [`[${rows.join(',')}]`]);
  }

  async find({ userId, from, to, limit = 100 }: AuditQuery): Promise<AuditEventRow[]> {
    const rows = await this.database.run(
      (sql) => (userId === undefined ? sql.find : sql.findOfUser),
      [
        from?.getTime() ?? -MAX_TIME,
        to?.getTime() ?? MAX_TIME,
        Math.min(Math.max(Math.trunc(limit), 1), 1000),
        this.realm,
        ...(userId === undefined ? [] : [recordableText(userId)]),
      ],
    );
    return rows.map(decodeAuditRow);
  }

  async findOfUser(userId: string, after: string, limit: number): Promise<AuditEventRow[]> {
    const values = [recordableText(userId), limit, this.realm, after];
    return (await this.database.sweep((sql) => sql.export, values)).map(decodeAuditRow);
  }

  async eraseOfSessions(userId: string, how: AuditErasure, limit: number): Promise<number> {
    return this.#count((sql) => sql[how].ofSessions, [recordableText(userId), limit, this.realm]);
  }

  async eraseOfUser(userId: string, how: AuditErasure, limit: number): Promise<number> {
    return this.#count((sql) => sql[how].ofUser, [recordableText(userId), limit, this.realm]);
  }

  async deleteOlder(than: number, limit: number): Promise<number> {
    return this.#count((sql) => sql.deleteOlder, [than, limit, this.realm]);
  }

  async #count(pick: (sql: AuditStatements) => PostgresStatement, values: readonly SqlValue[]): Promise<number> {
    const [row] = await this.database.sweep(pick, values);
    return Number(row![0]);
  }
}
