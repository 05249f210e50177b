import { setImmediate as turn } from 'node:timers/promises';
import { recordableText, toAuditEntry } from '../../events/audit-entry.js';
import type { AuditErasure } from '../../events/audit-log.js';
import type { SessionEvent } from '../../events/session-event.js';
import { decodeAuditRow, type AuditEventRow } from '../postgres/audit-event-row.js';
import type { AuditQuery } from '../postgres/audit-query.js';
import type { AuditTable } from '../postgres/buffered-audit-log.js';
import type { SqliteDatabase } from './sqlite-database.js';
import type { Row, SqliteValue } from './sqlite-handle.js';

const MAX_TIME = 8.64e15;
const COLUMNS = 'at, event, level, type, realm, user_id, session_id, ip, user_agent, details';

const OF_USER = 'realm = ? AND user_id = ?';
const OF_SESSIONS_OF_USER = `realm = ? AND user_id IS NULL
  AND session_id IN (SELECT session_id FROM session_auth_audit_event WHERE ${OF_USER})`;

const ERASE = {
  delete: 'DELETE FROM session_auth_audit_event',
  anonymise: 'UPDATE session_auth_audit_event SET user_id = NULL, ip = NULL, user_agent = NULL',
};

/** The rows of the audit log of a realm. */
export class AuditRows implements AuditTable<readonly SqliteValue[], AuditEventRow> {
  readonly eraseStep = 500;

  constructor(
    private readonly database: SqliteDatabase,
    private readonly realm: string,
  ) {}

  /** @throws SessionAuthError `invalid_configuration` when the table is missing */
  async checkTables(): Promise<void> {
    await this.database.checkTables(`SELECT id, ${COLUMNS} FROM session_auth_audit_event LIMIT 0`);
  }

  encode(event: SessionEvent): readonly SqliteValue[] {
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
    const at = event.at.getTime();
    return [at, name, level, type, realm, userid, session, source_ip, useragent, JSON.stringify(details)];
  }

  async insert(rows: readonly (readonly SqliteValue[])[]): Promise<void> {
    await this.database.write(({ run }) => {
      for (const row of rows) {
        run(`INSERT INTO session_auth_audit_event (${COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`, ...row);
      }
    });
  }

  async find({ userId, from, to, limit = 100 }: AuditQuery): Promise<AuditEventRow[]> {
    const rows = await this.database.read(
      `SELECT id, ${COLUMNS} FROM session_auth_audit_event
      WHERE realm = ? AND at >= ? AND at < ?${userId === undefined ? '' : ' AND user_id = ?'}
      ORDER BY at DESC, id DESC LIMIT ?`,
      this.realm,
      from?.getTime() ?? -MAX_TIME,
      to?.getTime() ?? MAX_TIME,
      ...(userId === undefined ? [] : [recordableText(userId)]),
      Math.min(Math.max(Math.trunc(limit), 1), 1000),
    );
    return rows.map(decode);
  }

  async findOfUser(userId: string, after: string, limit: number): Promise<AuditEventRow[]> {
    const rows = await this.database.read(
      `SELECT id, ${COLUMNS} FROM session_auth_audit_event
      WHERE ((${OF_USER}) OR (${OF_SESSIONS_OF_USER})) AND id > ? ORDER BY id LIMIT ?`,
      ...this.#user(userId),
      this.realm,
      ...this.#user(userId),
      Number(after),
      limit,
    );
    return rows.map(decode);
  }

  async eraseOfSessions(userId: string, how: AuditErasure, limit: number): Promise<number> {
    const personal = how === 'delete' ? '' : ' AND (ip IS NOT NULL OR user_agent IS NOT NULL)';
    return this.#erase(how, OF_SESSIONS_OF_USER + personal, [this.realm, ...this.#user(userId)], limit);
  }

  async eraseOfUser(userId: string, how: AuditErasure, limit: number): Promise<number> {
    return this.#erase(how, OF_USER, this.#user(userId), limit);
  }

  async deleteOlder(than: number, limit: number): Promise<number> {
    return this.#erase('delete', 'realm = ? AND at < ?', [this.realm, than], limit);
  }

  async #erase(how: AuditErasure, which: string, values: readonly SqliteValue[], limit: number): Promise<number> {
    const text = `${ERASE[how]} WHERE id IN (SELECT id FROM session_auth_audit_event WHERE ${which} LIMIT ?)`;
    const erased = await this.database.write(({ run }) => run(text, ...values, limit));
    // lets other work run before the caller erases more
    await turn();
    return erased;
  }

  #user(userId: string): readonly string[] {
    return [this.realm, recordableText(userId)];
  }
}

function decode(row: Row): AuditEventRow {
  return decodeAuditRow(row.map((value) => (value === null ? null : String(value))));
}
