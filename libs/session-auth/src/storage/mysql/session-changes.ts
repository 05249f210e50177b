import type { GenerationClauses } from './generation-clauses.js';
import type { MysqlDatabase } from './mysql-database.js';
import { assignments, decodeSessionRow, SESSION_ROW, type ColumnChanges, type SessionRow } from './session-row.js';
import { sql, type SqlText } from './sql-text.js';
import type { StatementRunner } from './pooled-connection.js';
import { SessionReads } from './session-reads.js';

/** What to write to a session, and the result of the operation afterwards. */
export interface Decision<T> {
  readonly outcome: T;
  /** @default the session stays unchanged */
  readonly write?: ColumnChanges | 'delete';
}

/** How often a change is computed on a row that is not locked. */
const UNLOCKED_ATTEMPTS = 3;

/**
 * Reads and changes one session at a time.
 *
 * A change is a read, a decision in Node, and a write that succeeds only if the row's version is unchanged: two
 * statements, each in its own transaction, so that no lock is held between them. If several collide, one succeeds and
 * the others start again. After several attempts, a change locks the row first.
 */
export class SessionChanges {
  readonly #table: SqlText;
  readonly #reads: SessionReads;

  constructor(
    private readonly database: MysqlDatabase,
    private readonly generations: Pick<GenerationClauses, 'isPresent'>,
  ) {
    this.#table = database.tables.session;
    this.#reads = new SessionReads(database, generations);
  }

  /** @param decide is called again when the row has changed meanwhile; undefined: there is no row */
  async change<T>(handle: string, decide: (row: SessionRow | undefined) => Decision<T>): Promise<T> {
    for (let attempts = 0; attempts < UNLOCKED_ATTEMPTS; attempts++) {
      const row = await this.#reads.find(handle);
      const { outcome, write } = decide(row);
      if (row === undefined || write === undefined) return outcome;
      if ((await this.database.write(this.#write(handle, row, write))) > 0) return outcome;
    }
    return this.database.transaction(async (transaction) => {
      const row = await this.#lockedRow(transaction, handle);
      const { outcome, write } = decide(row);
      if (row !== undefined && write !== undefined) await transaction.query(this.#write(handle, row, write));
      return outcome;
    });
  }

  async #lockedRow(transaction: StatementRunner, handle: string): Promise<SessionRow | undefined> {
    const { rows } = await transaction.query(
      sql`SELECT ${SESSION_ROW} FROM ${this.#table}
        WHERE handle = ${handle} AND ${this.generations.isPresent} FOR UPDATE`,
    );
    return rows[0] && decodeSessionRow(rows[0]);
  }

  #write(handle: string, { version }: SessionRow, write: ColumnChanges | 'delete'): SqlText {
    const isSame = sql`handle = ${handle} AND version = ${version}`;
    if (write === 'delete') return sql`DELETE FROM ${this.#table} WHERE ${isSame}`;
    return sql`UPDATE ${this.#table} SET ${assignments(write)}, version = version + 1 WHERE ${isSame}`;
  }
}
