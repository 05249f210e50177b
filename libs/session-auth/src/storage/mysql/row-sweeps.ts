import type { StoredKeys } from '../postgres/stored-keys.js';
import { deleteByKey } from './delete-by-key.js';
import type { MysqlDatabase } from './mysql-database.js';
import { isOwn } from './own-rows.js';
import { columnList, sql, type SqlText } from './sql-text.js';

/** A table of rows with an `expires_at`. */
interface ExpiringTable {
  readonly table: SqlText;
  /** The column of its primary key. */
  readonly key: string;
  readonly keys: StoredKeys;
}

/** How many more rows a sweep reads than it may remove: other sweeps may hold the first ones. */
const MORE = 500;

/** Removes at most `limit` expired rows of the realm that nobody has locked, and returns how many. */
export async function deleteExpiredRows(
  database: MysqlDatabase,
  { table, key, keys }: ExpiringTable,
  now: number,
  limit: number,
): Promise<number> {
  const name = columnList([key]);
  const due = await database.read(sql`SELECT ${name} FROM ${table}
    WHERE expires_at <= ${now} AND ${isOwn(keys, key)} ORDER BY expires_at LIMIT ${limit + MORE}`);
  if (due.length === 0) return 0;
  return database.sweep(async (transaction) => {
    const { rows } = await transaction.query(sql`SELECT ${name} FROM ${table} FORCE INDEX (PRIMARY)
      WHERE ${name} IN (${due.map(([each]) => each!)}) AND expires_at <= ${now} ORDER BY ${name}
      LIMIT ${limit} FOR UPDATE SKIP LOCKED`);
    if (rows.length === 0) return 0;
    const held = rows.map(([each]) => each!);
    return deleteByKey(transaction, table, key, held);
  });
}
