/**
 * Runs statements on the application's PostgreSQL, by whatever ORM or driver it has. `postgresStorage({ executor })`
 * keeps everything there by way of it.
 *
 * Statements have their parameters as `$1`, `$2`, …; one may be used several times. `questionMarks` makes them into `?`
 * for an ORM that wants these. Each column is text, so what a driver makes of numbers, times or JSON does not matter.
 *
 * Everything must go to the primary server, and must never join a transaction that the application has open: a session
 * changes at once, whatever becomes of that transaction.
 */
export interface SqlExecutor {
  /**
   * Runs one statement, on any connection. Outside of `transaction` it is a transaction of its own.
   *
   * An error of the server may be wrapped, but not be replaced: the stores look for its SQLSTATE in `code` and `cause`
   * and where the common ORMs hide it.
   *
   * @param values texts, numbers and nulls
   * @returns the rows as objects by column name; `rowCount` is not read
   */
  query(text: string, values: readonly unknown[]): Promise<SqlResult>;

  /**
   * Runs work in a transaction, with all its statements on one connection: committed when the work resolves, rolled
   * back when it rejects. The isolation level does not matter: the first statement sets it.
   *
   * A cleanup holds a transaction for as long as it takes, a minute at most: an ORM that limits transactions by itself
   * has to allow that.
   */
  transaction<T>(work: (transaction: SqlExecutor) => Promise<T>): Promise<T>;
}

/** What a statement returned. */
export interface SqlResult {
  readonly rows: readonly unknown[];
  readonly rowCount?: number | null;
}
