import type { DataSource, QueryRunner } from 'typeorm';
import type { Lease, PostgresExecutor, StatementRunner } from '../postgres/postgres-executor.js';
import type { PostgresStatement, Row, SqlValue } from '../postgres/postgres-statement.js';
import { sqlStateOf } from '../postgres/sql-state.js';
import { guardNewConnections } from './new-connections.js';

/** The part of a connection of the `pg` driver that is used here. */
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

// an application may set parsers for the whole driver (bigint as BigInt, for one): they must not reach our rows
const TEXT_ONLY = { getTypeParser: () => (text: string) => text };

/**
 * Runs statements on connections of the application's DataSource: each operation on one, which it gives back at once.
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
    guardNewConnections(this.dataSource);
    const runner = this.dataSource.createQueryRunner();
    try {
      return await operation(new TypeOrmLease(this.dataSource, runner, this.isPrepared, timeout));
    } finally {
      await runner.release();
    }
  }
}

/** The connection of a query runner. The first statement takes it from the pool. */
class TypeOrmLease implements Lease {
  #deadline: number;

  constructor(
    private readonly dataSource: DataSource,
    private readonly runner: QueryRunner,
    private readonly isPrepared: boolean,
    private readonly timeout: number,
  ) {
    this.#deadline = performance.now() + timeout;
  }

  async transaction<T>(opening: readonly string[], work: (transaction: StatementRunner) => Promise<T>): Promise<T> {
    try {
      await this.query({ text: ['BEGIN ISOLATION LEVEL READ COMMITTED', ...opening].join('; ') });
      const outcome = await work(this);
      await this.query({ text: 'COMMIT' });
      return outcome;
    } catch (error) {
      // the rollback gets time of its own
      this.#deadline = performance.now() + this.timeout;
      // when this fails, the connection is broken and the pool drops it
      await this.query({ text: 'ROLLBACK' }).catch(() => undefined);
      throw error;
    }
  }

  async query({ text, name }: PostgresStatement, values: readonly SqlValue[] = []): Promise<Row[]> {
    const client = (await this.runner.connect()) as PostgresClient;
    const { logger, options } = this.dataSource;
    const startedAt = performance.now();
    // the caller has been told by now that the operation failed: it must not take place afterwards
    const left = Math.ceil(this.#deadline - startedAt);
    if (left <= 0) throw new Error('no connection of the pool was free in time');
    logger.logQuery(text, undefined, this.runner);
    try {
      const { rows } = await client.query({
        text,
        ...(values.length > 0 && { values }),
        ...(name !== undefined && this.isPrepared && { name }),
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
      // no answer of the server: the connection is dead, or an answer is still to come, so the pool must not keep it
      if (sqlStateOf(error) === undefined) client.end().catch(() => undefined);
      throw error;
    }
  }
}
