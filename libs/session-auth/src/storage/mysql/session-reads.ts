import { TurnBatch } from '../postgres/turn-batch.js';
import type { GenerationClauses } from './generation-clauses.js';
import type { MysqlDatabase } from './mysql-database.js';
import { decodeSessionRow, SESSION_ROW, type SessionRow } from './session-row.js';
import { sql, type SqlText } from './sql-text.js';

/** The most sessions that one statement reads. */
const READ_STEP = 16;

/**
 * Reads rows of sessions, and changes nothing. Reads within one turn of the event loop share a statement: under load
 * the round trip costs more than the row, here and in the server.
 */
export class SessionReads {
  readonly #table: SqlText;
  readonly #reads = new TurnBatch<Read>(READ_STEP, (reads) => void this.#readMany(reads));

  constructor(
    private readonly database: MysqlDatabase,
    private readonly generations: Pick<GenerationClauses, 'isPresent'>,
  ) {
    this.#table = database.tables.session;
  }

  /** Returns the row of a session's handle; undefined if missing, or if it has ended with its realm. */
  find(handle: string): Promise<SessionRow | undefined> {
    return new Promise((resolve, reject) => this.#reads.add({ handle, resolve, reject }));
  }

  async #readMany(reads: readonly Read[]): Promise<void> {
    try {
      const rows = await this.database.read(sql`SELECT ${SESSION_ROW} FROM ${this.#table}
        WHERE handle IN (${reads.map(({ handle }) => handle)}) AND ${this.generations.isPresent}`);
      const found = new Map(rows.map((row) => [row[0]!.toString(), row]));
      for (const { handle, resolve } of reads) {
        const row = found.get(handle);
        // decoded for each read, so that no two share an object
        resolve(row && decodeSessionRow(row));
      }
    } catch (error) {
      for (const { reject } of reads) reject(error);
    }
  }
}

interface Read {
  readonly handle: string;
  readonly resolve: (row: SessionRow | undefined) => void;
  readonly reject: (error: unknown) => void;
}
