import type { StatementRunner } from './pooled-connection.js';
import { columnList, sql, SqlText } from './sql-text.js';

/** The most rows that one statement names. */
const STEP = 100;

/**
 * Deletes rows by their primary keys, and returns how many there were.
 *
 * The keys are a table that the rows are joined to. `WHERE … IN (…)` would scan a small table completely, even with an
 * index hint, and wait for locked rows of others.
 */
export async function deleteByKey(
  transaction: StatementRunner,
  table: SqlText,
  column: string,
  keys: readonly (Buffer | number)[],
): Promise<number> {
  let deleted = 0;
  for (let at = 0; at < keys.length; at += STEP) {
    const given = keys.slice(at, at + STEP).map((key) => sql`SELECT ${key} AS given_key`.text);
    const { affected } = await transaction.query(sql`DELETE t FROM (${new SqlText(given.join(' UNION ALL '))}) AS given
      STRAIGHT_JOIN ${table} AS t FORCE INDEX (PRIMARY) ON t.${columnList([column])} = given.given_key`);
    deleted += affected;
  }
  return deleted;
}
