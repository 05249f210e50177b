/** A store of rows that expire, besides sessions: remember-me tokens, audit rows, counts. */
export interface ExpiringRows {
  /** Removes at most `limit` expired rows and returns how many were removed. */
  deleteExpired(now: number, limit: number): Promise<number>;
}

/** The token of the application's {@link ExpiringRows}, by the name that a report uses. */
export const EXPIRING_ROWS = Symbol('nestjs-session-auth expiring rows');

/** Returns the parts that keep expiring rows. Others, such as a store in Redis, do not have the method. */
export function expiringRows(parts: Readonly<Record<string, object>>): Record<string, ExpiringRows> {
  const expiring = Object.entries(parts).filter(
    ([, part]) => typeof (part as Partial<ExpiringRows>).deleteExpired === 'function',
  );
  return Object.fromEntries(expiring) as Record<string, ExpiringRows>;
}
