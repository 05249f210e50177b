// serialization failure, deadlock detected
const CONFLICTS: readonly string[] = ['40001', '40P01'];

// undefined table, column, schema
const NOT_MIGRATED: readonly string[] = ['42P01', '42703', '3F000'];

/** Returns the SQLSTATE of an error of the server; undefined for any other failure, such as one of the network. */
export function sqlStateOf(error: unknown): string | undefined {
  // errors of the operating system have a `code` as well, but no severity
  if (!(error instanceof Error && 'severity' in error && 'code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

/** Whether a statement failed because of another transaction: it may succeed when it is tried again. */
export function isConflict(error: unknown): boolean {
  return CONFLICTS.includes(sqlStateOf(error) ?? '');
}

/** Whether the server does not know a table, column or schema. */
export function isNotMigrated(error: unknown): error is Error {
  return NOT_MIGRATED.includes(sqlStateOf(error) ?? '');
}
