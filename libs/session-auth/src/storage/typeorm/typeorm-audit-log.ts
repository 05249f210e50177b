import { Logger, type OnApplicationShutdown, type OnModuleDestroy } from '@nestjs/common';
import type { DataSource } from 'typeorm';
import { recordableText, toAuditEntry } from '../../events/audit-entry.js';
import { AuditLog } from '../../events/audit-log.js';
import type { SessionEvent } from '../../events/session-event.js';
import { WriteBehind } from '../../async/write-behind.js';
import type { ExpiringRows } from '../../session/expiring-rows.js';
import type { AuditEventRow } from './audit-event.entity.js';
import { auditTable } from './audit-tables.js';
import { configuredSchema } from './configured-schema.js';
import { PostgresConnections } from './postgres-connections.js';
import { statement, type PostgresStatement } from './postgres-statement.js';
import type { Row } from './session-row.js';
import type { TypeOrmSessionStoreOptions } from './typeorm-session-store.js';

/** Settings of {@link TypeOrmAuditLog}. */
export interface TypeOrmAuditLogOptions extends TypeOrmSessionStoreOptions {
  /** For how many milliseconds events are kept: the cleanup removes older ones. @default for ever */
  readonly retention?: number;
  /** The most events kept in memory while the database is slow or down; more are dropped. @default 10000 */
  readonly buffer?: number;
}

/** Which events {@link TypeOrmAuditLog.find} is to answer. */
export interface AuditQuery {
  readonly userId?: string;
  /** From this time on. */
  readonly from?: Date;
  /** Up to this time, and not at it. */
  readonly to?: Date;
  /** The most events, 1 to 1000. @default 100 */
  readonly limit?: number;
}

const DEFAULT_BUFFER = 10_000;
const BATCH = 500;
const RETRY_AFTER = 1000;
const SHUTDOWN_TIMEOUT = 5000;
const MAX_TIME = 8.64e15;

/**
 * Writes each event as a row in PostgreSQL, in the words of {@link toAuditEntry}.
 *
 * Events are written in batches behind the requests' backs. While the database is slow or down they wait in memory, up
 * to `buffer`; what does not fit is dropped, counted, and logged once it works again. Shutting down waits a few seconds
 * for what is left.
 */
export class TypeOrmAuditLog extends AuditLog implements ExpiringRows, OnModuleDestroy, OnApplicationShutdown {
  readonly #logger = new Logger('SessionAudit');
  readonly #connections: PostgresConnections;
  readonly #sql: AuditStatements;
  readonly #retention: number | undefined;
  readonly #rows: WriteBehind<string>;

  constructor(dataSource: DataSource, options: TypeOrmAuditLogOptions = {}) {
    super();
    this.#connections = new PostgresConnections(dataSource, options);
    this.#sql = auditStatements(auditTable(options.schema ?? configuredSchema(dataSource)));
    this.#retention = options.retention;
    this.#rows = new WriteBehind<string>({
      write: async (rows) => void (await this.#connections.sweep(this.#sql.insert, [`[${rows.join(',')}]`])),
      capacity: options.buffer ?? DEFAULT_BUFFER,
      batch: BATCH,
      retryAfter: RETRY_AFTER,
      onFailure: (error) =>
        this.#logger.error(
          'audit events cannot be written; they wait in memory',
          error instanceof Error ? error.stack : String(error),
        ),
      onDropped: (count) => this.#logger.error(`${count} audit events were dropped while they could not be written`),
    });
  }

  /** Whether the table is there. @throws SessionAuthError `invalid_configuration` */
  async checkTables(): Promise<void> {
    await this.#connections.checkTables(this.#sql.find, [0, 0, 1]);
  }

  override record(event: SessionEvent): void {
    const {
      datetime: _,
      event: name,
      level,
      type,
      userid,
      session,
      source_ip,
      useragent,
      ...details
    } = toAuditEntry(event);
    this.#rows.add(
      JSON.stringify({
        at: event.at.getTime(),
        event: name,
        level,
        type,
        user_id: userid,
        session_id: session,
        ip: source_ip,
        user_agent: useragent,
        details,
      }),
    );
  }

  /** Events, newest first. What is still waiting to be written is not among them. */
  async find({ userId, from, to, limit = 100 }: AuditQuery = {}): Promise<AuditEventRow[]> {
    const rows = await this.#connections.run(userId === undefined ? this.#sql.find : this.#sql.findOfUser, [
      from?.getTime() ?? -MAX_TIME,
      to?.getTime() ?? MAX_TIME,
      Math.min(Math.max(Math.trunc(limit), 1), 1000),
      ...(userId === undefined ? [] : [recordableText(userId)]),
    ]);
    return rows.map(decode);
  }

  async deleteExpired(now: number, limit: number): Promise<number> {
    if (this.#retention === undefined) return 0;
    const [row] = await this.#connections.sweep(this.#sql.deleteOlder, [now - this.#retention, limit]);
    return Number(row![0]);
  }

  // early: an application may close a DataSource of its own in any phase that follows
  async onModuleDestroy(): Promise<void> {
    await this.#rows.flush(SHUTDOWN_TIMEOUT);
  }

  // and once more, for the requests that were under way: modules end before those that were imported before them
  async onApplicationShutdown(): Promise<void> {
    await this.#rows.flush(SHUTDOWN_TIMEOUT);
  }
}

function decode([id, at, event, level, type, userId, sessionId, ip, userAgent, details]: Row): AuditEventRow {
  return {
    id: id!,
    at: Number(at),
    event: event!,
    level: level as AuditEventRow['level'],
    type: type as AuditEventRow['type'],
    userId: userId ?? null,
    sessionId: sessionId ?? null,
    ip: ip ?? null,
    userAgent: userAgent ?? null,
    details: JSON.parse(details!) as Record<string, unknown>,
  };
}

interface AuditStatements {
  readonly insert: PostgresStatement;
  readonly find: PostgresStatement;
  readonly findOfUser: PostgresStatement;
  readonly deleteOlder: PostgresStatement;
}

const COLUMNS = 'at, event, level, type, user_id, session_id, ip, user_agent, details';

function auditStatements(table: string): AuditStatements {
  const find = (condition: string): PostgresStatement =>
    statement(`
SELECT id, ${COLUMNS} FROM ${table} WHERE at >= $1::bigint AND at < $2::bigint${condition}
ORDER BY at DESC, id DESC LIMIT $3::bigint`);
  return {
    // $1 an array of rows as JSON
    insert: statement(`
INSERT INTO ${table} (${COLUMNS})
SELECT ${COLUMNS} FROM json_to_recordset($1::json) AS row (
  at bigint, event text, level text, type text, user_id text, session_id text, ip text, user_agent text, details json)`),

    // $1 from, $2 to, $3 limit, $4 user
    find: find(''),
    findOfUser: find(' AND user_id = $4'),

    // $1 time, $2 limit
    deleteOlder: statement(`
WITH due AS MATERIALIZED (
    SELECT id FROM ${table} WHERE at < $1::bigint ORDER BY at LIMIT $2::bigint FOR UPDATE SKIP LOCKED
  ),
  removed AS (DELETE FROM ${table} t USING due WHERE t.id = due.id)
SELECT count(*) FROM due`),
  };
}
