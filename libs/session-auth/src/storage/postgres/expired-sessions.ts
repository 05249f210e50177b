import { READ_STEP, type FindStatements } from './find-statements.js';
import type { PostgresDatabase } from './postgres-database.js';
import type { Row } from './postgres-statement.js';
import { TurnBatch } from './turn-batch.js';

/**
 * Removes rows of sessions whose time is over. Those that are found within one turn of the event loop share a statement:
 * many sockets may be open whose sessions have been idle since the same moment.
 */
export class ExpiredSessions {
  readonly #removals = new TurnBatch<Removal>(READ_STEP, (removals) => void this.#removeMany(removals));

  constructor(
    private readonly database: PostgresDatabase<Pick<FindStatements, 'deleteIfExpired' | 'deleteManyIfExpired'>>,
  ) {}

  /**
   * Returns what was removed of a session; undefined when another one has removed it, or has used it.
   *
   * @param waits false: also undefined while another one is about to do so. A statement that removes several must not
   *   wait for a lock while it holds others.
   */
  async remove(handle: string, now: number, { waits }: { readonly waits: boolean }): Promise<Row | undefined> {
    if (waits) return (await this.database.run((sql) => sql.deleteIfExpired, [handle, now]))[0];
    return new Promise((resolve, reject) => this.#removals.add({ handle, now, resolve, reject }));
  }

  async #removeMany(removals: readonly Removal[]): Promise<void> {
    const handles = Array.from({ length: READ_STEP }, (_, index) => removals[index]?.handle ?? null);
    // nobody's session is removed before its time is over for whoever asked
    const now = Math.min(...removals.map((removal) => removal.now));
    try {
      const rows = await this.database.run((sql) => sql.deleteManyIfExpired, [now, ...handles]);
      const removed = new Map(rows.map((row) => [row[0], row]));
      for (const { handle, resolve } of removals) {
        resolve(removed.get(handle));
        // the end is one caller's to tell
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
