import type { DataSource, QueryRunner } from 'typeorm';
import { SessionAuthError } from '../../errors/session-auth.error.js';
import type { PostgresStatement } from './postgres-statement.js';
import type { Row, SqlValue } from './session-row.js';

/** What is used of a connection of the `pg` driver. */
interface PostgresClient {
  query(query: {
    readonly text: string;
    readonly name?: string;
    readonly values?: readonly SqlValue[];
    readonly rowMode: 'array';
    readonly types: typeof TEXT_ONLY;
  }): Promise<{ readonly rows: Row[] }>;
}

// applications change the driver's parsers for everybody (bigint as BigInt, for one): ours are left out of that
const TEXT_ONLY = { getTypeParser: () => (text: string) => text };

// serialization failure, deadlock detected
const RETRYABLE = ['40001', '40P01'];

// undefined table, column, schema
const NOT_MIGRATED = ['42P01', '42703', '3F000'];

const BEGIN = 'BEGIN ISOLATION LEVEL READ COMMITTED';

/**
 * Runs statements on the connections of the application's DataSource: one connection at a time, given back at once,
 * never the one of a transaction that the application has open.
 *
 * Statements show up in the DataSource's log like any other, but without their parameters, which hold personal data.
 */
export class PostgresConnections {
  constructor(
    private readonly dataSource: DataSource,
    private readonly preparedStatements: boolean,
  ) {}

  /**
   * Runs a statement that needs nothing but the tables: asked once at boot.
   *
   * @throws SessionAuthError `invalid_configuration` when the migration has not been run
   */
  async checkTables(statement: PostgresStatement, values: readonly SqlValue[] = []): Promise<void> {
    try {
      await this.run(statement, values);
    } catch (cause) {
      if (!NOT_MIGRATED.includes(sqlStateOf(cause) ?? '')) throw cause;
      throw new SessionAuthError(
        'invalid_configuration',
        'typeOrmStorage: given a database without the tables of this version; allowed is one on which the migration ' +
          `CreateSessionAuthTables has been run (${(cause as Error).message})`,
        { cause },
      );
    }
  }

  /** One statement, which is a transaction of its own. */
  async run(statement: PostgresStatement, values: readonly SqlValue[]): Promise<Row[]> {
    return this.#retried(
      (runner) => this.#query(runner, statement.text, values, statement.name),
      (runner) => this.#inTransaction(runner, BEGIN, statement, values),
    );
  }

  /**
   * One statement behind the advisory lock of a number: whoever has the same number waits. The lock takes a statement
   * of its own, since what a statement sees is settled before it can wait for a lock.
   */
  async runLocked(lock: bigint, statement: PostgresStatement, values: readonly SqlValue[]): Promise<Row[]> {
    const attempt = (runner: QueryRunner): Promise<Row[]> =>
      this.#inTransaction(runner, `${BEGIN}; SELECT pg_advisory_xact_lock(${lock})`, statement, values);
    return this.#retried(attempt, attempt);
  }

  /**
   * Runs work while no other connection does under the same number; undefined when another does, and nothing runs.
   *
   * A connection is held for it, in a transaction of its own, which a pooler does not hand to somebody else. Should the
   * server end it before the work is done, the next one who asks may come in between: no more than that.
   */
  async exclusively<T>(lock: bigint, work: () => Promise<T>): Promise<T | undefined> {
    const runner = this.dataSource.createQueryRunner();
    try {
      await this.#query(runner, BEGIN);
      const [row] = await this.#query(runner, `SELECT pg_try_advisory_xact_lock(${lock})`);
      return row![0] === 't' ? await work() : undefined;
    } finally {
      await this.#query(runner, 'ROLLBACK').catch(() => undefined);
      await runner.release();
    }
  }

  /**
   * Under a stricter isolation, which a server or role can have as its default, a statement does not wait for a row and
   * go on with its new state, but fails: it is tried again under the one it is written for. Ours cannot deadlock among
   * themselves, but with statements of the application's own on these tables.
   */
  async #retried(
    first: (runner: QueryRunner) => Promise<Row[]>,
    again: (runner: QueryRunner) => Promise<Row[]>,
  ): Promise<Row[]> {
    const runner = this.dataSource.createQueryRunner();
    try {
      return await first(runner).catch((error: unknown) => {
        if (!RETRYABLE.includes(sqlStateOf(error) ?? '')) throw error;
        return again(runner);
      });
    } finally {
      await runner.release();
    }
  }

  async #inTransaction(
    runner: QueryRunner,
    begin: string,
    { text, name }: PostgresStatement,
    values: readonly SqlValue[],
  ): Promise<Row[]> {
    try {
      await this.#query(runner, begin);
      const rows = await this.#query(runner, text, values, name);
      await this.#query(runner, 'COMMIT');
      return rows;
    } catch (error) {
      // a connection that cannot even do this is broken, and the pool drops it
      await this.#query(runner, 'ROLLBACK').catch(() => undefined);
      throw error;
    }
  }

  async #query(runner: QueryRunner, text: string, values: readonly SqlValue[] = [], name?: string): Promise<Row[]> {
    const client = (await runner.connect()) as PostgresClient;
    const { logger, options } = this.dataSource;
    const startedAt = performance.now();
    logger.logQuery(text, undefined, runner);
    try {
      const { rows } = await client.query({
        text,
        ...(values.length > 0 && { values }),
        ...(name !== undefined && this.preparedStatements && { name }),
        rowMode: 'array',
        types: TEXT_ONLY,
      });
      const took = performance.now() - startedAt;
      const slow = options.maxQueryExecutionTime;
      if (slow && took > slow) logger.logQuerySlow(Math.round(took), text, undefined, runner);
      return rows;
    } catch (error) {
      logger.logQueryError(error as Error, text, undefined, runner);
      throw error;
    }
  }
}

/** SQLSTATE of what the server refused; undefined for other failures. */
export function sqlStateOf(error: unknown): string | undefined {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? code : undefined;
}
