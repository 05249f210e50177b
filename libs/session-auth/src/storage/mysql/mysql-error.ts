/** An error of the server, as the driver rejects with it. */
interface ServerError extends Error {
  readonly errno: number;
  readonly sqlState: string;
}

// ER_LOCK_DEADLOCK, ER_LOCK_WAIT_TIMEOUT, ER_CHECKREAD (MariaDB, innodb_snapshot_isolation)
const CONFLICTS: readonly number[] = [1213, 1205, 1020];

// ER_NO_SUCH_TABLE, ER_BAD_FIELD_ERROR, ER_BAD_DB_ERROR, ER_NO_DB_ERROR
const NOT_MIGRATED: readonly number[] = [1146, 1054, 1049, 1046];

// ER_CANT_CHANGE_TX_CHARACTERISTICS
const IN_TRANSACTION = 1568;

const DUPLICATE = 1062;

/*
 * ER_OPTION_PREVENTS_STATEMENT, ER_CANT_EXECUTE_IN_READ_ONLY_TRANSACTION, ER_READ_ONLY_MODE: the server became a
 * replica in a failover, or other code has made the connection read only.
 */
const READ_ONLY: readonly number[] = [1290, 1792, 1836];

function errnoOf(error: unknown): number | undefined {
  return isServerError(error) ? error.errno : undefined;
}

/** Whether the error comes from the server, which means that the connection works. */
export function isServerError(error: unknown): error is ServerError {
  // errors of the operating system have an `errno` as well, but no `sqlState`
  return error instanceof Error && 'sqlState' in error && 'errno' in error && typeof error.errno === 'number';
}

/** Whether a statement failed because of another transaction: it may succeed when it is tried again. */
export function isConflict(error: unknown): boolean {
  return CONFLICTS.includes(errnoOf(error) ?? 0);
}

/** Whether a row that was to be inserted has the key of another one. */
export function isDuplicate(error: unknown): boolean {
  return errnoOf(error) === DUPLICATE;
}

/** Whether the server does not know a table, column or database. */
export function isNotMigrated(error: unknown): error is Error {
  return NOT_MIGRATED.includes(errnoOf(error) ?? 0);
}

/** Whether other code has left the connection in a transaction. */
export function isInTransaction(error: unknown): boolean {
  return errnoOf(error) === IN_TRANSACTION;
}

/** Whether the connection is read only. */
export function isReadOnly(error: unknown): boolean {
  return READ_ONLY.includes(errnoOf(error) ?? 0);
}
