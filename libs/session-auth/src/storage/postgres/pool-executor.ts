import { MAX_IDLE } from './advisory-lock.js';
import type { Lease, PostgresExecutor, StatementRunner } from './postgres-executor.js';
import type { PostgresStatement, Row, SqlValue } from './postgres-statement.js';
import type { ConnectionPool, PooledClient } from './postgres-pool.js';
import { PooledConnections } from './pooled-connections.js';
import { isLostName, isOdd, isTimeout, sqlStateOf } from './sql-state.js';

// an application may set parsers for the whole driver (bigint as BigInt, for example), which must not apply here
const TEXT_ONLY = { getTypeParser: () => (text: string) => text };

/** Finds a setting that differs from its value when the connection was opened. */
const CHANGED_TIMEOUTS = `SELECT FROM pg_catalog.pg_settings WHERE setting <> reset_val AND name LIKE '%\\_timeout'`;

/** Milliseconds for that query. */
const PATIENCE = 1000;

/** Receives the statements that run. They contain no parameters, which hold personal data. */
export interface StatementObserver {
  sending(text: string): void;
  /** @param took milliseconds */
  answered(text: string, took: number): void;
  failed(text: string, error: unknown): void;
}

/** The settings of a {@link PoolExecutor}. */
export interface PoolExecutorSettings {
  /** Whether connections keep statements prepared. @default true */
  readonly preparedStatements?: boolean;
  readonly observer?: StatementObserver;
}

/**
 * Runs statements on connections of the application's pool. Each operation takes one connection, and returns it at
 * once.
 *
 * The application uses the same connections. If it has left one in a transaction or with changed settings, that
 * connection is closed, and the operation runs on another one. A failed operation has changed nothing.
 */
export class PoolExecutor implements PostgresExecutor {
  /** @param poolOf returns the present pool: its owner may have replaced it */
  constructor(
    private readonly poolOf: () => ConnectionPool,
    private readonly settings: PoolExecutorSettings = {},
  ) {}

  async lease<T>(operation: (lease: Lease) => Promise<T>, timeout: number): Promise<T> {
    const pool = this.poolOf();
    const deadline = performance.now() + timeout;
    // terminates: each round closes a connection of the pool, or is the one that stops the use of prepared statements
    for (;;) {
      const lease = new PoolLease(pool, PooledConnections.of(pool), this.settings, timeout, deadline);
      try {
        return await operation(lease);
      } catch (error) {
        if (!lease.isToRepeat) throw error;
      } finally {
        lease.release();
      }
    }
  }
}

/** A connection of a pool. The first statement takes it from the pool. */
class PoolLease implements Lease {
  #client: PooledClient | undefined;
  #isToRepeat = false;

  constructor(
    private readonly pool: ConnectionPool,
    private readonly connections: PooledConnections,
    private readonly settings: PoolExecutorSettings,
    private readonly timeout: number,
    private deadline: number,
  ) {}

  /** Whether the operation failed because of the state of its connection, and should run again on another one. */
  get isToRepeat(): boolean {
    return this.#isToRepeat;
  }

  /** Returns the connection. The pool drops one that has ended. */
  release(): void {
    this.#client?.release();
  }

  async transaction<T>(lock: bigint | undefined, work: (transaction: StatementRunner) => Promise<T>): Promise<T> {
    try {
      await this.query({ text: beginning(lock), columns: [] });
      const outcome = await work(this);
      await this.query({ text: 'COMMIT', columns: [] });
      return outcome;
    } catch (error) {
      // the rollback has its own time limit
      this.deadline = performance.now() + this.timeout;
      // if this fails, the connection is broken and the pool drops it
      await this.query({ text: 'ROLLBACK', columns: [] }).catch(() => undefined);
      throw error;
    }
  }

  async query({ text, name }: PostgresStatement, values: readonly SqlValue[] = []): Promise<Row[]> {
    const client = await this.#connect();
    const { observer, preparedStatements = true } = this.settings;
    const startedAt = performance.now();
    // the caller has learned by now that the operation failed, so it must not take place afterwards
    const left = Math.ceil(this.deadline - startedAt);
    if (left <= 0) throw new Error('no connection of the pool was free in time');
    const isNamed = name !== undefined && preparedStatements && this.connections.canPrepare;
    observer?.sending(text);
    try {
      const { rows } = await client.query({
        text,
        ...(values.length > 0 && { values }),
        ...(isNamed && { name }),
        ...(left < Infinity && { query_timeout: left }),
        rowMode: 'array',
        types: TEXT_ONLY,
      });
      observer?.answered(text, performance.now() - startedAt);
      return rows;
    } catch (error) {
      observer?.failed(text, error);
      await this.#judge(client, error, isNamed);
      throw error;
    }
  }

  async #connect(): Promise<PooledClient> {
    if (this.#client !== undefined) return this.#client;
    const client = await this.pool.connect();
    this.#client = client;
    if (!this.connections.isUsable(client)) {
      this.#replace(client);
      throw new Error('the application has left a connection of the pool in a transaction, or with a query running');
    }
    return client;
  }

  /** Decides, after a statement has failed, whether the connection is kept and the operation repeated. */
  async #judge(client: PooledClient, error: unknown, wasNamed: boolean): Promise<void> {
    // no response of the server: the connection is dead, or a response is still to come, so the pool must not keep it
    if (sqlStateOf(error) === undefined) return void client.end().catch(() => undefined);
    if (wasNamed && isLostName(error)) {
      this.connections.stopPreparing();
      this.#isToRepeat = true;
      return;
    }
    // an error on a new connection is genuine
    if (this.connections.isNew(client)) return;
    if (isOdd(error) || (isTimeout(error) && (await this.#hasChangedTimeouts(client)))) this.#replace(client);
  }

  #replace(client: PooledClient): void {
    this.#isToRepeat = true;
    // this rolls back its open transaction
    client.end().catch(() => undefined);
  }

  /** A statement that took too long says nothing about its connection, unless other code has changed its timeouts. */
  async #hasChangedTimeouts(client: PooledClient): Promise<boolean> {
    const ask = (text: string): Promise<{ readonly rows: Row[] }> =>
      client.query({ text, query_timeout: PATIENCE, rowMode: 'array', types: TEXT_ONLY });
    try {
      if (!this.connections.isIdle(client)) await ask('ROLLBACK');
      return (await ask(CHANGED_TIMEOUTS)).rows.length > 0;
    } catch {
      return true;
    }
  }
}

/** Returns the statements that begin a transaction, with a lock if given, in one round trip. */
function beginning(lock: bigint | undefined): string {
  const begin = 'BEGIN ISOLATION LEVEL READ COMMITTED';
  if (lock === undefined) return begin;
  return `${begin}; SET LOCAL idle_in_transaction_session_timeout = ${MAX_IDLE}; SELECT pg_advisory_xact_lock(${lock})`;
}
