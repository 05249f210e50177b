import type { Transaction } from '@mikro-orm/core';
import type { AbstractSqlConnection } from '@mikro-orm/postgresql';
import { questionMarks, type SqlExecutor } from 'nestjs-session-auth/postgres';

/** Runs statements on a connection of the application's MikroORM: `mikroOrmExecutor(orm.em.getConnection())`. */
export function mikroOrmExecutor(connection: AbstractSqlConnection, transaction?: Transaction): SqlExecutor {
  return {
    query: async (text, values) => {
      const sent = questionMarks(text, values);
      return { rows: await connection.execute<object[]>(sent.text, sent.values, 'all', transaction) };
    },
    transaction: (work) => connection.transactional((opened) => work(mikroOrmExecutor(connection, opened))),
  };
}
