import { sql, type SQL } from 'drizzle-orm';
import type { NodePgDatabase } from 'drizzle-orm/node-postgres';
import type { SqlExecutor } from 'nestjs-session-auth/postgres';

/** Runs statements on the application's Drizzle. Where that is on a Pool of `pg`, `pool: db.$client` does as well. */
export function drizzleExecutor(db: Pick<NodePgDatabase, 'execute' | 'transaction'>): SqlExecutor {
  return {
    query: (text, values) => db.execute(toSql(text, values)),
    transaction: (work) => db.transaction((transaction) => work(drizzleExecutor(transaction))),
  };
}

/** Drizzle numbers its parameters by itself. */
function toSql(text: string, values: readonly unknown[]): SQL {
  const parts = text
    .split(/\$(\d+)/)
    .map((part, index) => (index % 2 === 0 ? sql.raw(part) : sql`${values[Number(part) - 1]}`));
  return sql.join(parts);
}
