import type { Knex } from 'knex';
import { questionMarks, type SqlExecutor, type SqlResult } from 'nestjs-session-auth/postgres';

/** Runs statements on the application's Knex. */
export function knexExecutor(knex: Knex): SqlExecutor {
  return {
    query: async (text, values) => {
      const sent = questionMarks(text, values);
      return (await knex.raw(sent.text, sent.values as Knex.RawBinding[])) as SqlResult;
    },
    transaction: (work) => knex.transaction((transaction) => work(knexExecutor(transaction))),
  };
}
