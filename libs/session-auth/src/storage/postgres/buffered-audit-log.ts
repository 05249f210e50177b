import { Logger, type OnApplicationShutdown, type OnModuleDestroy } from '@nestjs/common';
import { WriteBehind } from '../../async/write-behind.js';
import { stackOf } from '../../errors/stack-of.js';
import { isAggregated } from '../../events/audit-aggregation.js';
import { AuditLog, type AuditErasure } from '../../events/audit-log.js';
import type { SessionEvent } from '../../events/session-event.js';
import type { ExpiringRows } from '../../session/expiring-rows.js';

/** The table of a {@link BufferedAuditLog}, of one realm. Each removed or erased row is counted by one call only. */
export interface AuditTable<Waiting, Row extends { readonly id: string }> {
  /** The most rows that one statement erases. */
  readonly eraseStep: number;
  /** Returns the form of an event that waits to be written. */
  encode(event: SessionEvent): Waiting;
  /** Adds rows, as {@link encode} returns them. */
  insert(rows: readonly Waiting[]): Promise<void>;
  /** Returns at most `limit` rows of a user after the one with an id, in the order of their ids. */
  findOfUser(userId: string, after: string, limit: number): Promise<Row[]>;
  /**
   * Erases at most `limit` rows that only a session ties to a user, and returns how many. Call it before
   * {@link eraseOfUser}, which removes that tie.
   */
  eraseOfSessions(userId: string, how: AuditErasure, limit: number): Promise<number>;
  /** Erases at most `limit` rows that name a user, and returns how many. */
  eraseOfUser(userId: string, how: AuditErasure, limit: number): Promise<number>;
  /** Removes at most `limit` rows older than a time, and returns how many. */
  deleteOlder(than: number, limit: number): Promise<number>;
}

/** Settings of a {@link BufferedAuditLog}. */
export interface BufferedAuditLogSettings {
  /** How many milliseconds events are kept; the cleanup removes older ones. @default without limit */
  readonly retention?: number;
  /**
   * The most events kept in memory while the database is slow or down; beyond that, events of floods are dropped first.
   * @default 10000
   */
  readonly buffer?: number;
}

interface WaitingRow<Waiting> {
  readonly row: Waiting;
  /** Dropped before others when memory is full. */
  readonly isOfFlood: boolean;
}

const DEFAULT_BUFFER = 10_000;
const BATCH = 500;
const EXPORTED_AT_ONCE = 1000;
const RETRY_AFTER = 1000;
const SHUTDOWN_TIMEOUT = 5000;

/**
 * Writes each event as a row of a table, with the fields of `toAuditEntry`, in any database.
 *
 * Events are written in batches, and no request waits for them. While the database is slow or down they wait in memory,
 * up to `buffer`. Beyond that, events that anybody can cause in any number (failed logins, rejected CSRF tokens, dead
 * cookies) are dropped first. Once the database works again, the log says how many were dropped. Shutdown waits a few
 * seconds for the rest.
 */
export abstract class BufferedAuditLog<Waiting, Row extends { readonly id: string }>
  extends AuditLog
  implements ExpiringRows, OnModuleDestroy, OnApplicationShutdown
{
  readonly #logger = new Logger('SessionAudit');
  readonly #table: AuditTable<Waiting, Row>;
  readonly #retention: number | undefined;
  readonly #waiting: WriteBehind<WaitingRow<Waiting>>;

  protected constructor(table: AuditTable<Waiting, Row>, { retention, buffer }: BufferedAuditLogSettings) {
    super();
    this.#table = table;
    this.#retention = retention;
    this.#waiting = new WriteBehind<WaitingRow<Waiting>>({
      write: (rows) => table.insert(rows.map(({ row }) => row)),
      mattersLess: ({ isOfFlood }) => isOfFlood,
      capacity: buffer ?? DEFAULT_BUFFER,
      batch: BATCH,
      retryAfter: RETRY_AFTER,
      onFailure: (error) => this.#logger.error('audit events cannot be written; they wait in memory', stackOf(error)),
      onDropped: (count) => this.#logger.error(`${count} audit events were dropped while they could not be written`),
    });
  }

  override record(event: SessionEvent): void {
    this.#waiting.add({ row: this.#table.encode(event), isOfFlood: isAggregated(event) });
  }

  /**
   * Returns the rows of a user of the realm, oldest first, including those that only a session ties to the user. Rows
   * that another node has not written yet are missing.
   */
  override async exportUser(userId: string): Promise<Row[]> {
    await this.#waiting.written();
    const exported: Row[] = [];
    for (let after = '0', more = true; more;) {
      const rows = await this.#table.findOfUser(userId, after, EXPORTED_AT_ONCE);
      exported.push(...rows);
      more = rows.length === EXPORTED_AT_ONCE;
      after = rows.at(-1)?.id ?? after;
    }
    return exported;
  }

  /** Needs the rights to `UPDATE` and `DELETE` rows. Rows that another node has not written yet are not erased. */
  override async eraseUser(userId: string, how: AuditErasure): Promise<number> {
    await this.#waiting.written();
    const ofSessions = await this.#untilDone((limit) => this.#table.eraseOfSessions(userId, how, limit));
    return ofSessions + (await this.#untilDone((limit) => this.#table.eraseOfUser(userId, how, limit)));
  }

  /** Removes at most `limit` rows older than `retention`, and returns how many. */
  async deleteExpired(now: number, limit: number): Promise<number> {
    return this.#retention === undefined ? 0 : this.#table.deleteOlder(now - this.#retention, limit);
  }

  // early, because an application may close its database in any later phase
  async onModuleDestroy(): Promise<void> {
    await this.#waiting.flush(SHUTDOWN_TIMEOUT);
  }

  // again, for requests that were under way: a module is destroyed before the modules that it imports
  async onApplicationShutdown(): Promise<void> {
    await this.#waiting.flush(SHUTDOWN_TIMEOUT);
  }

  async #untilDone(erase: (limit: number) => Promise<number>): Promise<number> {
    const { eraseStep } = this.#table;
    let erased = 0;
    for (let step = eraseStep; step === eraseStep;) {
      step = await erase(eraseStep);
      erased += step;
    }
    return erased;
  }
}
