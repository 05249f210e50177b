/** Something besides sessions that keeps rows which expire: remember-me tokens, audit rows, counts. */
export interface ExpiringRows {
  /** Removes at most `limit` expired rows and returns how many were removed. */
  deleteExpired(now: number, limit: number): Promise<number>;
}

/** Where the {@link ExpiringRows} of an application are injected from, by the name that a report gives them. */
export const EXPIRING_ROWS = Symbol('nestjs-session-auth expiring rows');

/** Those of the given parts that keep rows which expire: one that does not, such as a store in Redis, has no such method. */
export function expiringRows(parts: Readonly<Record<string, object>>): Record<string, ExpiringRows> {
  const expiring = Object.entries(parts).filter(
    ([, part]) => typeof (part as Partial<ExpiringRows>).deleteExpired === 'function',
  );
  return Object.fromEntries(expiring) as Record<string, ExpiringRows>;
}
