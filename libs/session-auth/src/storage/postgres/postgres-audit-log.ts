import { Logger, type OnApplicationShutdown, type OnModuleDestroy } from '@nestjs/common';
import { stackOf } from '../../errors/stack-of.js';
import { recordableText, toAuditEntry } from '../../events/audit-entry.js';
import { isAggregated } from '../../events/audit-aggregation.js';
import { AuditLog, type AuditErasure } from '../../events/audit-log.js';
import type { SessionEvent } from '../../events/session-event.js';
import { DEFAULT_REALM } from '../../realms/realm-name.js';
import { WriteBehind } from '../../async/write-behind.js';
import type { ExpiringRows } from '../../session/expiring-rows.js';
import { decodeAuditRow, type AuditEventRow } from './audit-event-row.js';
import { auditStatements, type AuditStatements } from './audit-statements.js';
import { AUDIT_TABLE } from './audit-tables.js';
import { PostgresDatabase, type PostgresStoreSettings } from './postgres-database.js';
import type { PostgresExecutor } from './postgres-executor.js';
import type { PostgresStatement, SqlValue } from './postgres-statement.js';

/** Settings of {@link PostgresAuditLog}. */
export interface PostgresAuditLogSettings extends PostgresStoreSettings {
  /** For how many milliseconds events are kept: the cleanup removes older ones. @default for ever */
  readonly retention?: number;
  /** The most events kept in memory while the database is slow or down; more are dropped, of floods first. @default 10000 */
  readonly buffer?: number;
}

/** Selects the events that `find` of the audit log returns. */
export interface AuditQuery {
  readonly userId?: string;
  /** Events at this time or later. */
  readonly from?: Date;
  /** Events before this time. */
  readonly to?: Date;
  /** The most events to return, 1 to 1000. @default 100 */
  readonly limit?: number;
}

interface WaitingRow {
  readonly json: string;
  /** Dropped before others where there is no room for all. */
  readonly isOfFlood: boolean;
}

const DEFAULT_BUFFER = 10_000;
const BATCH = 500;
const ERASED_AT_ONCE = 10_000;
const EXPORTED_AT_ONCE = 1000;
const RETRY_AFTER = 1000;
const SHUTDOWN_TIMEOUT = 5000;
const MAX_TIME = 8.64e15;

/**
 * Writes each event as a row in PostgreSQL, with the fields of {@link toAuditEntry}.
 *
 * Events are written in batches, and no request waits for them. While the database is slow or down they wait in memory,
 * up to `buffer`; of those that do not fit the ones that anybody can cause in any number (failed logins, rejected CSRF
 * tokens, dead cookies) are dropped first, and what was dropped is counted, and the count is logged once the database works again.
 * Shutting down waits a few seconds for the rest.
 */
export class PostgresAuditLog extends AuditLog implements ExpiringRows, OnModuleDestroy, OnApplicationShutdown {
  readonly #logger = new Logger('SessionAudit');
  readonly #database: PostgresDatabase<AuditStatements>;
  readonly #retention: number | undefined;
  readonly #rows: WriteBehind<WaitingRow>;
  readonly #realm: string;

  constructor(
    private readonly executor: PostgresExecutor,
    private readonly settings: PostgresAuditLogSettings,
  ) {
    super();
    this.#realm = settings.realm ?? DEFAULT_REALM;
    this.#database = new PostgresDatabase(executor, settings, AUDIT_TABLE, auditStatements);
    this.#retention = settings.retention;
    this.#rows = new WriteBehind<WaitingRow>({
      write: async (rows) => {
        await this.#database.sweep((sql) => sql.insert, [`[${rows.map(({ json }) => json).join(',')}]`]);
      },
      mattersLess: (row) => row.isOfFlood,
      capacity: settings.buffer ?? DEFAULT_BUFFER,
      batch: BATCH,
      retryAfter: RETRY_AFTER,
      onFailure: (error) => this.#logger.error('audit events cannot be written; they wait in memory', stackOf(error)),
      onDropped: (count) => this.#logger.error(`${count} audit events were dropped while they could not be written`),
    });
  }

  /**
   * Checks that the table is there: called once at boot.
   *
   * @throws SessionAuthError `invalid_configuration` when the migration has not been run
   */
  async checkTables(): Promise<void> {
    await this.#database.checkTables((sql) => sql.find, [0, 0, 1, this.#realm]);
  }

  override ofRealm(realm: string): PostgresAuditLog {
    return new PostgresAuditLog(this.executor, { ...this.settings, realm });
  }

  override record(event: SessionEvent): void {
    const {
      datetime: _,
      event: name,
      level,
      type,
      realm,
      userid,
      session,
      source_ip,
      useragent,
      ...details
    } = toAuditEntry(event);
    const row = {
      at: event.at.getTime(),
      event: name,
      level,
      type,
      realm,
      user_id: userid,
      session_id: session,
      ip: source_ip,
      user_agent: useragent,
      details,
    };
    this.#rows.add({ json: JSON.stringify(row), isOfFlood: isAggregated(event) });
  }

  /** Returns events of the realm, newest first. Those that still wait to be written are not among them. */
  async find({ userId, from, to, limit = 100 }: AuditQuery = {}): Promise<AuditEventRow[]> {
    const rows = await this.#database.run(
      (sql) => (userId === undefined ? sql.find : sql.findOfUser),
      [
        from?.getTime() ?? -MAX_TIME,
        to?.getTime() ?? MAX_TIME,
        Math.min(Math.max(Math.trunc(limit), 1), 1000),
        this.#realm,
        ...(userId === undefined ? [] : [recordableText(userId)]),
      ],
    );
    return rows.map(decodeAuditRow);
  }

  /**
   * Returns the rows of a user of the realm, oldest first, with those that only a session of the user's ties to them.
   * Rows that another node has not written yet are not among them.
   */
  override async exportUser(userId: string): Promise<AuditEventRow[]> {
    await this.#rows.written();
    const exported: AuditEventRow[] = [];
    for (let after = '0', more = true; more;) {
      const values: SqlValue[] = [recordableText(userId), EXPORTED_AT_ONCE, this.#realm, after];
      const rows = (await this.#database.sweep((sql) => sql.export, values)).map(decodeAuditRow);
      exported.push(...rows);
      more = rows.length === EXPORTED_AT_ONCE;
      after = rows.at(-1)?.id ?? after;
    }
    return exported;
  }

  /** Needs the rights to `UPDATE` and `DELETE` rows. Rows that another node has not written yet are not erased. */
  override async eraseUser(userId: string, how: AuditErasure): Promise<number> {
    await this.#rows.written();
    const ofSessions = await this.#erase((sql) => sql[how].ofSessions, userId);
    return ofSessions + (await this.#erase((sql) => sql[how].ofUser, userId));
  }

  async #erase(pick: (sql: AuditStatements) => PostgresStatement, userId: string): Promise<number> {
    let erased = 0;
    for (let step = ERASED_AT_ONCE; step === ERASED_AT_ONCE;) {
      const [row] = await this.#database.sweep(pick, [recordableText(userId), ERASED_AT_ONCE, this.#realm]);
      step = Number(row![0]);
      erased += step;
    }
    return erased;
  }

  async deleteExpired(now: number, limit: number): Promise<number> {
    if (this.#retention === undefined) return 0;
    const [row] = await this.#database.sweep((sql) => sql.deleteOlder, [now - this.#retention, limit, this.#realm]);
    return Number(row![0]);
  }

  // early: an application may close its database in any phase that follows
  async onModuleDestroy(): Promise<void> {
    await this.#rows.flush(SHUTDOWN_TIMEOUT);
  }

  // once more, for requests that were under way: a module is destroyed before the modules that it imports
  async onApplicationShutdown(): Promise<void> {
    await this.#rows.flush(SHUTDOWN_TIMEOUT);
  }
}
