import { CompiledQuery, type Kysely } from 'kysely';
import type { SqlExecutor } from 'nestjs-session-auth/postgres';

/** Runs statements on the application's Kysely. */
export function kyselyExecutor<Database>(db: Kysely<Database>): SqlExecutor {
  return {
    query: (text, values) => db.executeQuery(CompiledQuery.raw(text, [...values])),
    transaction: (work) => db.transaction().execute((transaction) => work(kyselyExecutor(transaction))),
  };
}
