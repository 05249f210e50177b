import { isInTransaction, isReadOnly, isServerError } from './mysql-error.js';
import type { Command, Packet, PoolConnection } from './mysql-pool.js';
import { sql, type SqlText } from './sql-text.js';

/** A row as bytes, in the order of its columns. The application's settings for types do not apply. */
export type Row = readonly (Buffer | null)[];

/** Returns a number that the server sent as text; 0 for NULL. */
export function numberOf(bytes: Buffer | null): number {
  return bytes === null ? 0 : Number(bytes.toString('latin1'));
}

/** Returns whether a condition holds, which the server sent as 0 or 1. */
export function isTrue(bytes: Buffer | null): boolean {
  return numberOf(bytes) !== 0;
}

/** The server's result of a statement. */
export interface Result {
  readonly rows: readonly Row[];
  /** How many rows were written. */
  readonly affected: number;
}

/** Runs one statement after another. */
export interface StatementRunner {
  query(statement: SqlText): Promise<Result>;
}

/** Applies to the next transaction only, even if it is a single statement. Refused inside an open transaction. */
const READ_COMMITTED = sql`SET TRANSACTION ISOLATION LEVEL READ COMMITTED`;

/** The server's flag, after each statement, that a transaction is open. */
const IN_TRANSACTION = 1;

/** The longest time that a timer can be set for, in milliseconds. */
const MAX_TIMER = 2 ** 31 - 1;

/** Other code has left a connection in a transaction: statements that ran on it are rolled back when it is closed. */
export class LeftInTransaction extends Error {
  constructor() {
    super('the application has left a connection of the pool in a transaction, or without autocommit');
  }
}

/** A connection of the application's pool that is lent to one operation. */
export class PooledConnection implements StatementRunner {
  #isInOurs = false;
  #isSpoiled = false;

  /** @param deadline when the operation must be done, on the clock of `performance.now()`; `Infinity` for no limit */
  constructor(
    private readonly connection: PoolConnection,
    private readonly deadline: number,
  ) {}

  /**
   * Runs a statement. Outside of `transaction` it is its own transaction.
   *
   * @throws LeftInTransaction when another transaction was open
   */
  async query(statement: SqlText): Promise<Result> {
    const left = Math.ceil(this.deadline - performance.now());
    // the caller has learned by now that the operation failed, so it must not take place afterwards
    if (left <= 0) throw new Error('the operation ran out of time');
    try {
      const { status, ...result } = await send(this.connection, statement.text, left);
      if (!this.#isInOurs && (status & IN_TRANSACTION) !== 0) throw new LeftInTransaction();
      return result;
    } catch (error) {
      if (isInTransaction(error)) {
        this.#isSpoiled = true;
        throw new LeftInTransaction();
      }
      // no response of the server: the connection is dead, or a response is still to come
      if (!isServerError(error) || isReadOnly(error)) this.#isSpoiled = true;
      throw error;
    }
  }

  /** Runs a statement that reads, on a connection that would otherwise see uncommitted data of others. */
  async queryCommitted(statement: SqlText): Promise<Result> {
    await this.query(READ_COMMITTED);
    return this.query(statement);
  }

  /**
   * Runs work in a transaction under READ COMMITTED, replacing the connection's isolation level. Commits when the work
   * resolves, rolls back when it rejects.
   */
  async transaction<T>(work: (transaction: StatementRunner) => Promise<T>): Promise<T> {
    try {
      await this.query(READ_COMMITTED);
      this.#isInOurs = true;
      await this.query(sql`START TRANSACTION READ WRITE`);
      const outcome = await work(this);
      await this.query(sql`COMMIT`);
      return outcome;
    } catch (error) {
      throw await this.#rolledBack(error);
    } finally {
      this.#isInOurs = false;
    }
  }

  /** Returns the connection to the pool, or closes it when it must not be used again. */
  giveBack(): void {
    if (this.#isSpoiled) this.connection.destroy();
    else this.connection.release();
  }

  async #rolledBack(error: unknown): Promise<unknown> {
    // if this fails, closing the connection rolls back
    if (!this.#isSpoiled) await this.query(sql`ROLLBACK`).catch(() => (this.#isSpoiled = true));
    return error;
  }
}

function send(
  connection: PoolConnection,
  text: string,
  timeout: number,
): Promise<Result & { readonly status: number }> {
  return new Promise((resolve, reject) => {
    let status = 0;
    const command = connection.query(
      // rows are arrays of bytes, overriding the options of the pool
      {
        sql: text,
        rowsAsArray: true,
        typeCast: typeof connection.config.typeCast === 'function' ? asBytes : false,
        nestTables: false,
        ...(timeout < MAX_TIMER && { timeout }),
      },
      (error, result) => {
        if (error) return reject(withoutStatement(error));
        if (Array.isArray(result)) return resolve({ rows: result as Row[], affected: 0, status });
        const { affectedRows, serverStatus } = result as { affectedRows: number; serverStatus?: number };
        resolve({ rows: [], affected: affectedRows, status: serverStatus ?? 0 });
      },
    );
    watchStatus(command, (flags) => (status = flags));
  });
}

/**
 * Overrides a function among the options of the pool, which `false` does not. Otherwise `false` is much cheaper: the
 * driver makes three functions for each column of each result if there is a function.
 */
function asBytes(field: { buffer(): Buffer | null }): Buffer | null {
  return field.buffer();
}

/** The driver puts the statement into the error, and so into logs. It contains personal data. */
function withoutStatement(error: Error & { sql?: string }): Error {
  delete error.sql;
  return error;
}

/**
 * Reads the server's status flags after the rows of a result. The driver reads these flags but exposes them for writes
 * only. A read in a transaction that the application has left open would return the state of its beginning: a session
 * that has ended since.
 */
function watchStatus(command: Command, tell: (flags: number) => void): void {
  const execute = command.execute.bind(command);
  command.execute = (packet: Packet | undefined, connection: unknown) => {
    if (packet?.isEOF() === true) tell(packet.eofStatusFlags() ?? 0);
    return execute(packet, connection);
  };
}
