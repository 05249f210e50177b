import { setTimeout as pause } from 'node:timers/promises';
import { isBusy, isIterating } from './sqlite-error.js';
import type { SqliteConnection } from './sqlite-handle.js';

/** The most milliseconds that are added to the pause between two attempts. */
const LONGEST_PAUSE = 20;

/** Why an attempt has not begun, or has been undone. */
class Blocked extends Error {}

/**
 * Runs work on a handle, each piece within one turn of the event loop: nothing of the application gets between its
 * statements, although the application uses the handle as well.
 *
 * Work waits, and blocks no event loop, while a transaction of the application is open on the handle, and while another
 * connection holds the database's lock. What waits begins in the order in which it came, once one attempt succeeds.
 */
export class HandleTurns {
  #pause: Promise<void> | undefined;
  #failed = 0;

  constructor(private readonly connection: SqliteConnection) {}

  /**
   * Runs work, again after it was blocked. Then it must have changed nothing.
   *
   * @param timeout how many milliseconds it may wait: when it rejects for that reason, nothing has taken place
   */
  async take<T>(work: () => T, timeout: number): Promise<T> {
    const deadline = performance.now() + timeout;
    for (let last: Blocked | undefined; ;) {
      while (this.#pause !== undefined) await this.#pause;
      if (performance.now() > deadline) {
        throw new Error(`the database was not free within ${timeout} ms: ${last?.message ?? 'others came first'}`, {
          cause: last?.cause,
        });
      }
      try {
        const outcome = this.#attempt(work);
        this.#failed = 0;
        return outcome;
      } catch (error) {
        if (!(error instanceof Blocked)) throw error;
        last = error;
        this.#hold();
      }
    }
  }

  /** One attempt after the next, however many wait. */
  #hold(): void {
    this.#failed += 1;
    const most = Math.min(this.#failed, LONGEST_PAUSE);
    this.#pause = pause(1 + Math.random() * most).then(() => {
      this.#pause = undefined;
    });
  }

  #attempt<T>(work: () => T): T {
    const { connection } = this;
    // what is read in it would be what was true when it began: a session that has ended since
    if (connection.isInTransaction()) throw new Blocked('the application has a transaction open on the handle');
    try {
      return this.#withoutBusyTimeout(work);
    } catch (error) {
      if (isBusy(error)) throw new Blocked('another connection holds the lock', { cause: error });
      if (isIterating(error))
        throw new Blocked('the application has an iterate() open on the handle', { cause: error });
      throw error;
    }
  }

  /** SQLite waits for a lock by sleeping, and so would all of the process; `better-sqlite3` lets it do so for 5 s. */
  #withoutBusyTimeout<T>(work: () => T): T {
    const { connection } = this;
    const [[timeout] = []] = connection.all('SELECT timeout FROM pragma_busy_timeout');
    if (!timeout) return work();
    connection.exec('PRAGMA busy_timeout = 0');
    try {
      return work();
    } finally {
      connection.exec(`PRAGMA busy_timeout = ${timeout}`);
    }
  }
}
