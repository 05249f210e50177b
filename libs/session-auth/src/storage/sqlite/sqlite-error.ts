const SQLITE_BUSY = 5;

/** Whether another connection holds a lock: the statement may succeed later. */
export function isBusy(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const { code, errcode } = error as { readonly code?: unknown; readonly errcode?: unknown };
  // both drivers have extended codes, such as SQLITE_BUSY_SNAPSHOT
  if (typeof errcode === 'number') return (errcode & 0xff) === SQLITE_BUSY;
  return typeof code === 'string' && code.startsWith('SQLITE_BUSY');
}

/** Whether `better-sqlite3` refuses to write while the application reads rows of an open `iterate()`. */
export function isIterating(error: unknown): boolean {
  return error instanceof Error && error.message.includes('connection is busy executing a query');
}

/** Whether the database lacks a table or column. */
export function isNotMigrated(error: unknown): error is Error {
  return error instanceof Error && /^no such (table|column):/.test(error.message);
}

/** Whether the handle is read only. */
export function isReadOnly(error: unknown): boolean {
  return error instanceof Error && error.message.includes('readonly database');
}
