import type { PostgresStatement, Row, SqlValue } from './postgres-statement.js';

/**
 * Runs the statements of the stores on connections that the application owns. This is all that the stores know of a
 * driver or an ORM.
 *
 * An executor sends parameters apart from the text, returns rows as text, and prepares a statement under its name
 * where connections can keep it. It never joins a transaction that the application has open.
 */
export interface PostgresExecutor {
  /**
   * Lends a connection to an operation and takes it back when the operation settles. An executor whose driver hands out
   * no connections may run each query of the lease on any connection, but a transaction on one.
   *
   * @param timeout milliseconds for the whole lease: the wait for a connection and the statements. A statement that is
   *   over this time fails and leaves no connection behind that still waits for its answer. `Infinity`: no limit
   */
  lease<T>(operation: (lease: Lease) => Promise<T>, timeout: number): Promise<T>;
}

/** A connection that is lent to one operation. */
export interface Lease extends StatementRunner {
  /**
   * Runs work in a transaction under READ COMMITTED: committed when the work resolves, rolled back when it rejects.
   *
   * @param opening statements without parameters that run first, in the round trip of `BEGIN` where the driver allows it
   */
  transaction<T>(opening: readonly string[], work: (transaction: StatementRunner) => Promise<T>): Promise<T>;
}

/** Runs one statement after another. */
export interface StatementRunner {
  /** Outside of `transaction`, a statement is a transaction of its own. */
  query(statement: PostgresStatement, values: readonly SqlValue[]): Promise<Row[]>;
}
