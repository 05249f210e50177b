import type { DataSource, QueryRunner } from 'typeorm';
import { SessionAuthError } from '../../errors/session-auth.error.js';
import { guardNewConnections } from './new-connections.js';
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
    readonly query_timeout?: number;
  }): Promise<{ readonly rows: Row[] }>;
  end(): Promise<void>;
}

/** Settings of {@link PostgresConnections}: see those of the stores. */
export interface PostgresConnectionOptions {
  readonly preparedStatements?: boolean;
  readonly queryTimeout?: number;
}

// applications change the driver's parsers for everybody (bigint as BigInt, for one): ours are left out of that
const TEXT_ONLY = { getTypeParser: () => (text: string) => text };

// serialization failure, deadlock detected
const RETRYABLE = ['40001', '40P01'];

// undefined table, column, schema
const NOT_MIGRATED = ['42P01', '42703', '3F000'];

const BEGIN = 'BEGIN ISOLATION LEVEL READ COMMITTED';

/** Longer than between two statements of ours: a node that vanishes must not hold a user's lock for as long as TCP does. */
const MAX_IDLE = 10_000;

const SWEEP_TIMEOUT = 60_000;

/**
 * Runs statements on the connections of the application's DataSource: one connection at a time, given back at once,
 * never the one of a transaction that the application has open.
 *
 * Statements show up in the DataSource's log like any other, but without their parameters, which hold personal data.
 */
export class PostgresConnections {
  readonly #isPrepared: boolean;
  readonly #timeout: number | undefined;

  constructor(
    private readonly dataSource: DataSource,
    { preparedStatements = true, queryTimeout }: PostgresConnectionOptions,
  ) {
    this.#isPrepared = preparedStatements;
    this.#timeout = queryTimeout;
  }

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
    return this.#run(statement, values, this.#timeout);
  }

  /** One statement that nobody waits for: it may take its time. */
  async sweep(statement: PostgresStatement, values: readonly SqlValue[]): Promise<Row[]> {
    return this.#run(statement, values, SWEEP_TIMEOUT);
  }

  /**
   * One statement behind the advisory lock of a number: whoever has the same number waits. The lock takes a statement
   * of its own, since what a statement sees is settled before it can wait for a lock.
   */
  async runLocked(lock: bigint, statement: PostgresStatement, values: readonly SqlValue[]): Promise<Row[]> {
    const begin = `${BEGIN}; SET LOCAL idle_in_transaction_session_timeout = ${MAX_IDLE}; SELECT pg_advisory_xact_lock(${lock})`;
    const attempt = (line: Line): Promise<Row[]> => this.#inTransaction(line, begin, statement, values);
    return this.#retried(this.#timeout, attempt, attempt);
  }

  /**
   * Runs work while no other connection does under the same number; undefined when another does, and nothing runs.
   *
   * A connection is held for it, in a transaction of its own, which a pooler does not hand to somebody else. Should the
   * server end it before the work is done, the next one who asks may come in between: no more than that.
   */
  async exclusively<T>(lock: bigint, work: () => Promise<T>): Promise<T | undefined> {
    const runner = this.#runner();
    const line = this.#line(runner, SWEEP_TIMEOUT);
    try {
      await this.#query(line, BEGIN);
      const [row] = await this.#query(line, `SELECT pg_try_advisory_xact_lock(${lock})`);
      return row![0] === 't' ? await work() : undefined;
    } finally {
      await this.#query(this.#line(runner, SWEEP_TIMEOUT), 'ROLLBACK').catch(() => undefined);
      await runner.release();
    }
  }

  async #run(statement: PostgresStatement, values: readonly SqlValue[], timeout: number | undefined): Promise<Row[]> {
    return this.#retried(
      timeout,
      (line) => this.#query(line, statement.text, values, statement.name),
      (line) => this.#inTransaction(line, BEGIN, statement, values),
    );
  }

  #runner(): QueryRunner {
    guardNewConnections(this.dataSource);
    return this.dataSource.createQueryRunner();
  }

  #line(runner: QueryRunner, timeout = Infinity): Line {
    return { runner, until: performance.now() + timeout };
  }

  /**
   * Under a stricter isolation, which a server or role can have as its default, a statement does not wait for a row and
   * go on with its new state, but fails: it is tried again under the one it is written for. Ours cannot deadlock among
   * themselves, but with statements of the application's own on these tables.
   */
  async #retried(
    timeout: number | undefined,
    first: (line: Line) => Promise<Row[]>,
    again: (line: Line) => Promise<Row[]>,
  ): Promise<Row[]> {
    const runner = this.#runner();
    const line = this.#line(runner, timeout);
    try {
      return await first(line).catch((error: unknown) => {
        if (!RETRYABLE.includes(sqlStateOf(error) ?? '')) throw error;
        return again(line);
      });
    } finally {
      await runner.release();
    }
  }

  async #inTransaction(
    line: Line,
    begin: string,
    { text, name }: PostgresStatement,
    values: readonly SqlValue[],
  ): Promise<Row[]> {
    try {
      await this.#query(line, begin);
      const rows = await this.#query(line, text, values, name);
      await this.#query(line, 'COMMIT');
      return rows;
    } catch (error) {
      // a connection that cannot even do this is broken, and the pool drops it
      await this.#query(this.#line(line.runner, this.#timeout), 'ROLLBACK').catch(() => undefined);
      throw error;
    }
  }

  async #query({ runner, until }: Line, text: string, values: readonly SqlValue[] = [], name?: string): Promise<Row[]> {
    const client = (await runner.connect()) as PostgresClient;
    const { logger, options } = this.dataSource;
    // whoever asked has been told that it failed: it must not happen after all, long afterwards
    const left = Math.ceil(until - performance.now());
    if (left <= 0) throw new Error('no connection of the pool was free in time');
    const startedAt = performance.now();
    logger.logQuery(text, undefined, runner);
    try {
      const { rows } = await client.query({
        text,
        ...(values.length > 0 && { values }),
        ...(name !== undefined && this.#isPrepared && { name }),
        ...(left < Infinity && { query_timeout: left }),
        rowMode: 'array',
        types: TEXT_ONLY,
      });
      const took = performance.now() - startedAt;
      const slow = options.maxQueryExecutionTime;
      if (slow && took > slow) logger.logQuerySlow(Math.round(took), text, undefined, runner);
      return rows;
    } catch (error) {
      logger.logQueryError(error as Error, text, undefined, runner);
      // not the server's word: the connection is dead or holds an answer that nobody reads, so the pool must not keep it
      if (sqlStateOf(error) === undefined) client.end().catch(() => undefined);
      throw error;
    }
  }
}

/** A connection for one operation, and the time that is over at `until`, of `performance.now()`. */
interface Line {
  readonly runner: QueryRunner;
  readonly until: number;
}

/** SQLSTATE of what the server refused; undefined for other failures, among them those of the network. */
export function sqlStateOf(error: unknown): string | undefined {
  // errors of the operating system have a `code` as well, but no severity
  if (!(error instanceof Error && 'severity' in error && 'code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}
