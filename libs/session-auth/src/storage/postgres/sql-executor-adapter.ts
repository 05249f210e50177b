import { SessionAuthError } from '../../errors/session-auth.error.js';
import { MAX_IDLE } from './advisory-lock.js';
import type { Lease, PostgresExecutor, StatementRunner } from './postgres-executor.js';
import type { PostgresStatement, Row, SqlValue } from './postgres-statement.js';
import type { SqlExecutor } from './sql-executor.js';

/** The statements are written for it, and the application may have another default. */
const READ_COMMITTED: PostgresStatement = { text: 'SET TRANSACTION ISOLATION LEVEL READ COMMITTED', columns: [] };

/**
 * Runs the statements of the stores with an executor of the application.
 *
 * A statement that has begun cannot be cancelled from here. None begins after the time of its operation, and within a
 * transaction the server knows how much time is left.
 */
export class SqlExecutorAdapter implements PostgresExecutor {
  constructor(private readonly executor: SqlExecutor) {}

  lease<T>(operation: (lease: Lease) => Promise<T>, timeout: number): Promise<T> {
    return operation(new ExecutorLease(this.executor, performance.now() + timeout));
  }
}

class ExecutorLease implements Lease {
  constructor(
    private readonly executor: SqlExecutor,
    private readonly deadline: number,
  ) {}

  transaction<T>(lock: bigint | undefined, work: (transaction: StatementRunner) => Promise<T>): Promise<T> {
    return this.executor.transaction(async (executor) => {
      const transaction = new ExecutorLease(executor, this.deadline);
      await transaction.query(READ_COMMITTED);
      if (lock !== undefined) await transaction.query(taking(lock, this.#left()));
      return work(transaction);
    });
  }

  async query({ text, columns }: PostgresStatement, values: readonly SqlValue[] = []): Promise<Row[]> {
    this.#left();
    // stores call it once more after a conflict, with the same values
    const result = await this.executor.query(text, [...values]).catch(rethrowInnermost);
    if (columns.length === 0) return [];
    if (!Array.isArray((result as Partial<typeof result> | undefined)?.rows))
      throw unusable('a result without an array of rows');
    return result.rows.map((row) => columns.map((column) => textOf(row, column)));
  }

  /** Returns how many milliseconds are left. At the end of them the caller learns that the operation failed. */
  #left(): number {
    const left = Math.ceil(this.deadline - performance.now());
    if (left <= 0) throw new Error('the executor did not start the statement in time');
    return left;
  }
}

/**
 * The messages of some wrappers, such as Drizzle's, include the parameters. These are personal data, and must not be
 * logged.
 */
function rethrowInnermost(error: unknown): never {
  let innermost = error;
  while (innermost instanceof Error && innermost.cause instanceof Error) innermost = innermost.cause;
  throw innermost;
}

/**
 * Takes a lock, after limiting how long it and the following statements may wait. The settings apply to the
 * transaction.
 */
function taking(lock: bigint, left: number): PostgresStatement {
  const settings = [['idle_in_transaction_session_timeout', MAX_IDLE]];
  if (left < Infinity) settings.push(['lock_timeout', left], ['statement_timeout', left]);
  const set = settings.map(([name, value], index) => `set_config('${name}', '${value}', true) AS s${index}`);
  return { text: `SELECT ${set.join(', ')}, pg_advisory_xact_lock(${lock})::text AS taken`, columns: [] };
}

/** Returns the text of a column, even if a layer between the server and this code has parsed it. */
function textOf(row: unknown, column: string): string | null {
  if (typeof row !== 'object' || row === null || !(column in row)) throw unusable(`a row without '${column}'`);
  const value = (row as Record<string, unknown>)[column];
  if (value === null || value === undefined) return null;
  switch (typeof value) {
    case 'string':
      return value;
    case 'number':
    case 'bigint':
    case 'boolean':
      return String(value);
    default:
      // text that looks like JSON
      return JSON.stringify(value);
  }
}

function unusable(given: string): SessionAuthError {
  return new SessionAuthError(
    'invalid_configuration',
    `postgresStorage.executor: given an executor whose query returns ${given}; allowed is { rows }, objects by column name`,
  );
}
