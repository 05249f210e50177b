import { READ_STEP, type FindStatements } from './find-statements.js';
import type { PostgresDatabase } from './postgres-database.js';
import type { Row } from './postgres-statement.js';
import { TurnBatch } from './turn-batch.js';

/**
 * Removes rows of expired sessions. Rows that are found within one turn of the event loop share a statement: many open
 * sockets may have sessions that became idle at the same moment.
 */
export class ExpiredSessions {
  readonly #removals = new TurnBatch<Removal>(READ_STEP, (removals) => void this.#removeMany(removals));

  constructor(
    private readonly database: PostgresDatabase<Pick<FindStatements, 'deleteIfExpired' | 'deleteManyIfExpired'>>,
  ) {}

  /**
   * Returns the removed session; undefined when another call has removed it, or somebody has used it.
   *
   * @param waits false: also returns undefined while another call is removing it. A statement that removes several must
   *   not wait for a lock while it holds others.
   */
  async remove(handle: string, now: number, { waits }: { readonly waits: boolean }): Promise<Row | undefined> {
    if (waits) return (await this.database.run((sql) => sql.deleteIfExpired, [handle, now]))[0];
    return new Promise((resolve, reject) => this.#removals.add({ handle, now, resolve, reject }));
  }

  async #removeMany(removals: readonly Removal[]): Promise<void> {
    const handles = Array.from({ length: READ_STEP }, (_, index) => removals[index]?.handle ?? null);
    // no session is removed before it has expired for its caller
    const now = Math.min(...removals.map((removal) => removal.now));
    try {
      const rows = await this.database.run((sql) => sql.deleteManyIfExpired, [now, ...handles]);
      const removed = new Map(rows.map((row) => [row[0], row]));
      for (const { handle, resolve } of removals) {
        resolve(removed.get(handle));
        // one caller reports the end
        removed.delete(handle);
      }
    } catch (error) {
      for (const { reject } of removals) reject(error);
    }
  }
}

interface Removal {
  readonly handle: string;
  readonly now: number;
  readonly resolve: (row: Row | undefined) => void;
  readonly reject: (error: unknown) => void;
}
