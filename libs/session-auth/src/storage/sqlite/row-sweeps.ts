import { setImmediate as turn } from 'node:timers/promises';
import type { StoredKeys } from '../postgres/stored-keys.js';
import { isOwn } from './own-rows.js';
import type { SqliteDatabase } from './sqlite-database.js';
import type { Row } from './sqlite-handle.js';

/** The most rows that a sweep removes in one turn of the event loop. */
const STEP = 200;

/**
 * Removes at most `limit` rows, and returns the results of `remove`.
 *
 * @param remove removes at most the given number of rows, and returns one value for each
 */
export async function deleteBySteps(
  limit: number,
  remove: (step: number) => Promise<readonly Row[]>,
): Promise<readonly Row[]> {
  const removed: Row[] = [];
  for (let more = true; more && removed.length < limit;) {
    const step = Math.min(limit - removed.length, STEP);
    const rows = await remove(step);
    removed.push(...rows);
    more = rows.length === step;
    await turn();
  }
  return removed;
}

/** Removes at most `limit` expired rows of the realm, and returns how many. */
export async function deleteExpiredRows(
  database: SqliteDatabase,
  { table, key, keys }: { readonly table: string; readonly key: string; readonly keys: StoredKeys },
  now: number,
  limit: number,
): Promise<number> {
  const text = `DELETE FROM ${table} WHERE ${key} IN (SELECT ${key} FROM ${table}
    WHERE expires_at <= ? AND ${isOwn(keys, key)} ORDER BY expires_at LIMIT ?) RETURNING 1`;
  const removed = await deleteBySteps(limit, (step) => database.write(({ all }) => all(text, now, step)));
  return removed.length;
}
