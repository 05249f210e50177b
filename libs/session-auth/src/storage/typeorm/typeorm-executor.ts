import type { DataSource, QueryRunner } from 'typeorm';
import type { Lease, PostgresExecutor, StatementRunner } from '../postgres/postgres-executor.js';
import type { PostgresStatement, Row, SqlValue } from '../postgres/postgres-statement.js';
import { isLostName, isOdd, isTimeout, sqlStateOf } from '../postgres/sql-state.js';
import { PooledConnections, type PostgresClient } from './pooled-connections.js';

// an application may set parsers for the whole driver (bigint as BigInt, for one): they must not reach our rows
const TEXT_ONLY = { getTypeParser: () => (text: string) => text };

/** A setting that is not what it was when the connection was opened. */
const CHANGED_TIMEOUTS = `SELECT FROM pg_catalog.pg_settings WHERE setting <> reset_val AND name LIKE '%\\_timeout'`;

/** Milliseconds for that question. */
const PATIENCE = 1000;

/**
 * Runs statements on connections of the application's DataSource: each operation on one, which it gives back at once.
 *
 * The application uses the same connections. One that it has left in a transaction, or otherwise than new ones are, is
 * closed, and the operation runs on another one: an operation that fails has changed nothing.
 *
 * The DataSource's logger gets the statements, but not their parameters, which hold personal data.
 */
export class TypeOrmExecutor implements PostgresExecutor {
  /** @param isPrepared whether connections keep statements prepared */
  constructor(
    private readonly dataSource: DataSource,
    private readonly isPrepared: boolean,
  ) {}

  async lease<T>(operation: (lease: Lease) => Promise<T>, timeout: number): Promise<T> {
    const connections = PooledConnections.of(this.dataSource);
    const deadline = performance.now() + timeout;
    // ends: each turn closes a connection of the pool, or is the one after which nothing is prepared any more
    for (;;) {
      const runner = this.dataSource.createQueryRunner();
      const lease = new TypeOrmLease(this.dataSource, runner, connections, this.isPrepared, timeout, deadline);
      try {
        return await operation(lease);
      } catch (error) {
        if (!lease.isToRepeat) throw error;
      } finally {
        await runner.release();
      }
    }
  }
}

/** The connection of a query runner. The first statement takes it from the pool. */
class TypeOrmLease implements Lease {
  #client: PostgresClient | undefined;
  #isToRepeat = false;

  constructor(
    private readonly dataSource: DataSource,
    private readonly runner: QueryRunner,
    private readonly connections: PooledConnections,
    private readonly isPrepared: boolean,
    private readonly timeout: number,
    private deadline: number,
  ) {}

  /** Whether the operation failed because of the connection that it got, and is to run again on another one. */
  get isToRepeat(): boolean {
    return this.#isToRepeat;
  }

  async transaction<T>(opening: readonly string[], work: (transaction: StatementRunner) => Promise<T>): Promise<T> {
    try {
      await this.query({ text: ['BEGIN ISOLATION LEVEL READ COMMITTED', ...opening].join('; ') });
      const outcome = await work(this);
      await this.query({ text: 'COMMIT' });
      return outcome;
    } catch (error) {
      // the rollback gets time of its own
      this.deadline = performance.now() + this.timeout;
      // when this fails, the connection is broken and the pool drops it
      await this.query({ text: 'ROLLBACK' }).catch(() => undefined);
      throw error;
    }
  }

  async query({ text, name }: PostgresStatement, values: readonly SqlValue[] = []): Promise<Row[]> {
    const client = await this.#connect();
    const { logger, options } = this.dataSource;
    const startedAt = performance.now();
    // the caller has been told by now that the operation failed: it must not take place afterwards
    const left = Math.ceil(this.deadline - startedAt);
    if (left <= 0) throw new Error('no connection of the pool was free in time');
    const isNamed = name !== undefined && this.isPrepared && this.connections.canPrepare;
    logger.logQuery(text, undefined, this.runner);
    try {
      const { rows } = await client.query({
        text,
        ...(values.length > 0 && { values }),
        ...(isNamed && { name }),
        ...(left < Infinity && { query_timeout: left }),
        rowMode: 'array',
        types: TEXT_ONLY,
      });
      const took = performance.now() - startedAt;
      const slow = options.maxQueryExecutionTime;
      if (slow && took > slow) logger.logQuerySlow(Math.round(took), text, undefined, this.runner);
      return rows;
    } catch (error) {
      logger.logQueryError(error as Error, text, undefined, this.runner);
      await this.#judge(client, error, isNamed);
      throw error;
    }
  }

  async #connect(): Promise<PostgresClient> {
    if (this.#client !== undefined) return this.#client;
    const client = (await this.runner.connect()) as PostgresClient;
    if (!this.connections.isUsable(client)) {
      this.#replace(client);
      throw new Error('the application has left a connection of the pool in a transaction, or with a query running');
    }
    this.#client = client;
    return client;
  }

  /** Decides, after a statement has failed, what becomes of the connection, and whether the operation is repeated. */
  async #judge(client: PostgresClient, error: unknown, wasNamed: boolean): Promise<void> {
    // no answer of the server: the connection is dead, or an answer is still to come, so the pool must not keep it
    if (sqlStateOf(error) === undefined) return void client.end().catch(() => undefined);
    if (wasNamed && isLostName(error)) {
      this.connections.stopPreparing();
      this.#isToRepeat = true;
      return;
    }
    // what a new connection answers is so
    if (this.connections.isNew(client)) return;
    if (isOdd(error) || (isTimeout(error) && (await hasChangedTimeouts(client)))) this.#replace(client);
  }

  #replace(client: PostgresClient): void {
    this.#isToRepeat = true;
    // which rolls back what is open on it
    client.end().catch(() => undefined);
  }
}

/** A statement that took too long tells nothing of its connection, unless somebody has set its time there. */
async function hasChangedTimeouts(client: PostgresClient): Promise<boolean> {
  const ask = (text: string): Promise<{ readonly rows: Row[] }> =>
    client.query({ text, query_timeout: PATIENCE, rowMode: 'array', types: TEXT_ONLY });
  try {
    if (client.getTransactionStatus?.() !== 'I') await ask('ROLLBACK');
    return (await ask(CHANGED_TIMEOUTS)).rows.length > 0;
  } catch {
    return true;
  }
}
