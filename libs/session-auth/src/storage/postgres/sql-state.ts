// serialization failure, deadlock detected
const CONFLICTS: readonly string[] = ['40001', '40P01'];

// undefined table, column, schema
const NOT_MIGRATED: readonly string[] = ['42P01', '42703', '3F000'];

// no such prepared statement, and one of that name already
const LOST_NAMES: readonly string[] = ['26000', '42P05'];

// canceled by statement_timeout, by lock_timeout
const TIMEOUTS: readonly string[] = ['57014', '55P03'];

/*
 * Codes that the library's constant statements get only on a connection with unexpected settings: syntax errors,
 * unknown names and missing rights (another role or search_path), invalid transaction states (a read-only default), a
 * prepared plan that no longer fits, text in another encoding.
 */
const ODD = /^(?:42|25|0A|22021$|22P05$)/;

/*
 * The classes of PostgreSQL's codes. Similar texts are other codes: those of the operating system, such as EPIPE, and
 * Prisma's own, such as P2010.
 */
const SQL_STATE = /^(?:[0-57][0-9A-Z]|F0|HV|P0|XX)[0-9A-Z]{3}$/;

/** The fields that hold the code, and those that hold the wrapped error, in drivers and ORMs. */
const CODES = ['code', 'originalCode', 'sqlState'] as const;
const WRAPPED = ['cause', 'driverError', 'original', 'meta', 'driverAdapterError'] as const;

/** The most wrappers around one error. */
const MAX_DEPTH = 6;

/**
 * Returns the SQLSTATE of a server error, in the forms of several drivers and ORMs; undefined for any other failure,
 * such as one of the network.
 */
export function sqlStateOf(error: unknown, depth = MAX_DEPTH): string | undefined {
  if (typeof error !== 'object' || error === null || depth === 0) return undefined;
  const fields = error as Readonly<Record<string, unknown>>;
  const codes = CODES.map((name) => fields[name]);
  const code = codes.find((value) => typeof value === 'string' && SQL_STATE.test(value));
  if (code !== undefined) return code as string;
  for (const name of WRAPPED) {
    const found = sqlStateOf(fields[name], depth - 1);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Whether a statement failed because of another transaction: it may succeed when it is tried again. */
export function isConflict(error: unknown): boolean {
  return CONFLICTS.includes(sqlStateOf(error) ?? '');
}

/** Whether a connection has lost a prepared statement, or has one from elsewhere. */
export function isLostName(error: unknown): boolean {
  return LOST_NAMES.includes(sqlStateOf(error) ?? '');
}

/** Whether a statement took longer than a setting of its connection allows. */
export function isTimeout(error: unknown): boolean {
  return TIMEOUTS.includes(sqlStateOf(error) ?? '');
}

/** Whether a statement can have failed because other code changed its connection's settings. */
export function isOdd(error: unknown): boolean {
  return ODD.test(sqlStateOf(error) ?? '');
}

/** Whether the server does not know a table, column or schema. */
export function isNotMigrated(error: unknown): error is Error {
  return NOT_MIGRATED.includes(sqlStateOf(error) ?? '');
}
