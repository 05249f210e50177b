import { setTimeout as pause } from 'node:timers/promises';
import { isBusy, isIterating } from './sqlite-error.js';
import type { SqliteConnection } from './sqlite-handle.js';

/** The most milliseconds that are added to the pause between two attempts. */
const LONGEST_PAUSE = 20;

/** An attempt has not begun, or has been undone. */
class Blocked extends Error {}

/**
 * Runs each piece of work on a handle within one turn of the event loop, so that nothing of the application runs
 * between its statements, although the application uses the same handle.
 *
 * Work waits, without blocking the event loop, while a transaction of the application is open on the handle, and while
 * another connection holds the database's lock. Waiting work starts in order of arrival, once one attempt succeeds.
 */
export class HandleTurns {
  #pause: Promise<void> | undefined;
  #failed = 0;

  constructor(private readonly connection: SqliteConnection) {}

  /**
   * Runs work, and again after it was blocked. A blocked attempt must have changed nothing.
   *
   * @param timeout how many milliseconds it may wait: when it rejects for that reason, nothing has taken place
   */
  async take<T>(work: () => T, timeout: number): Promise<T> {
    const deadline = performance.now() + timeout;
    for (let last: Blocked | undefined; ;) {
      while (this.#pause !== undefined) await this.#pause;
      if (performance.now() > deadline) {
        throw new Error(
          `the database was not free within ${timeout} ms: ${last?.message ?? 'other operations came first'}`,
          {
            cause: last?.cause,
          },
        );
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

  /** Makes one attempt after the other, for all waiting work together. */
  #hold(): void {
    this.#failed += 1;
    const most = Math.min(this.#failed, LONGEST_PAUSE);
    this.#pause = pause(1 + Math.random() * most).then(() => {
      this.#pause = undefined;
    });
  }

  #attempt<T>(work: () => T): T {
    const { connection } = this;
    // a read inside it would see the state of its beginning: a session that has ended since
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

  /**
   * SQLite waits for a lock by sleeping, which would block the whole process; `better-sqlite3` allows 5 s by default.
   */
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
