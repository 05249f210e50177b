import { READ_STEP, type FindStatements } from './find-statements.js';
import type { PostgresDatabase } from './postgres-database.js';
import { sqlStateOf } from './sql-state.js';
import { TurnBatch } from './turn-batch.js';

/**
 * Reads rows of sessions, and changes nothing. Reads within one turn of the event loop share a statement: under load
 * the round trip costs more than the row, here and in the server.
 */
export class SessionReads {
  readonly #reads = new TurnBatch<Read>(READ_STEP, (reads) => void this.#readMany(reads));

  constructor(private readonly database: PostgresDatabase<Pick<FindStatements, 'read' | 'readMany'>>) {}

  /** Returns the row of a session's handle as the text of a JSON array; undefined if missing. */
  find(handle: string): Promise<string | undefined> {
    return new Promise((resolve, reject) => this.#reads.add({ handle, resolve, reject }));
  }

  async #readMany(reads: readonly Read[]): Promise<void> {
    if (reads.length === 1) return this.#readOne(reads[0]!);
    const handles = Array.from({ length: READ_STEP }, (_, index) => reads[index]?.handle ?? null);
    try {
      const rows = await this.database.run((sql) => sql.readMany, handles);
      const found = new Map(rows.map(([handle, row]) => [handle, row]));
      for (const { handle, resolve } of reads) resolve(found.get(handle) ?? undefined);
    } catch (error) {
      // a row that the server cannot read must fail only its own read
      if (sqlStateOf(error) !== undefined) for (const read of reads) void this.#readOne(read);
      else for (const { reject } of reads) reject(error);
    }
  }

  async #readOne({ handle, resolve, reject }: Read): Promise<void> {
    try {
      const [row] = await this.database.run((sql) => sql.read, [handle]);
      resolve(row?.[0] ?? undefined);
    } catch (error) {
      reject(error);
    }
  }
}

interface Read {
  readonly handle: string;
  readonly resolve: (row: string | undefined) => void;
  readonly reject: (error: unknown) => void;
}
