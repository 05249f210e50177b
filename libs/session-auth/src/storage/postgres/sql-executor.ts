/**
 * Runs statements on the application's PostgreSQL, through any ORM or driver. `postgresStorage({ executor })` keeps
 * everything there.
 *
 * Statements have their parameters as `$1`, `$2`, …; one may be used several times. `questionMarks` turns them into `?`
 * for an ORM that requires these. Each column is text, so it does not matter how a driver parses numbers, times or
 * JSON.
 *
 * Everything must go to the primary server, and must never join a transaction that the application has open: a change
 * to a session holds even if that transaction fails.
 */
export interface SqlExecutor {
  /**
   * Runs one statement, on any connection. Outside of `transaction` it is its own transaction.
   *
   * An error of the server may be wrapped, but must not be replaced: the stores look for its SQLSTATE in `code` and
   * `cause` and in the fields of common ORMs.
   *
   * @param values strings, numbers and nulls
   * @returns the rows as objects by column name; `rowCount` is not read
   */
  query(text: string, values: readonly unknown[]): Promise<SqlResult>;

  /**
   * Runs work in a transaction, with all its statements on one connection: commits when the work resolves, rolls back
   * when it rejects. The isolation level does not matter, because the first statement sets it.
   *
   * A cleanup holds a transaction for up to a minute: an ORM that limits the time of transactions must allow that.
   */
  transaction<T>(work: (transaction: SqlExecutor) => Promise<T>): Promise<T>;
}

/** The result of a statement. */
export interface SqlResult {
  readonly rows: readonly unknown[];
  readonly rowCount?: number | null;
}
