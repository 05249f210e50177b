import type { PostgresStatement, Row, SqlValue } from './postgres-statement.js';

/**
 * Runs the statements of the stores on connections that the application owns. The stores depend on no other part of a
 * driver or an ORM.
 *
 * An executor sends parameters separately from the text and returns rows as text, in the order of `columns`. If
 * connections can keep prepared statements, it prepares a statement under its name. It never joins a transaction that
 * the application has open.
 */
export interface PostgresExecutor {
  /**
   * Lends a connection to an operation, and takes it back when the operation settles. An executor whose driver hides
   * connections may run each query on another one, but must run all statements of a transaction on the same one.
   *
   * @param timeout milliseconds for the wait for a connection and all statements of the operation; `Infinity` for no
   *   limit. A statement without a result in time rejects, and its connection does not go back to the pool.
   */
  lease<T>(operation: (lease: Lease) => Promise<T>, timeout: number): Promise<T>;
}

/** A connection that is lent to one operation. */
export interface Lease extends StatementRunner {
  /**
   * Runs work in a transaction under READ COMMITTED: commits when the work resolves, rolls back when it rejects.
   *
   * @param lock the number of an advisory lock that the transaction takes first, if any. It is a separate statement, in
   *   the round trip of `BEGIN` if the driver allows it.
   */
  transaction<T>(lock: bigint | undefined, work: (transaction: StatementRunner) => Promise<T>): Promise<T>;
}

/** Runs one statement after another. */
export interface StatementRunner {
  /** Outside of `transaction`, a statement is its own transaction. */
  query(statement: PostgresStatement, values: readonly SqlValue[]): Promise<Row[]>;
}
