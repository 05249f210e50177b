import type { Pool } from 'mysql2/promise';

/** What went over the connections of a pool. */
export interface WatchedPool {
  /** The text of each statement. */
  readonly sent: string[];
  /** What the server refused, also where the store tried again. */
  readonly refused: (Error & { readonly errno?: number })[];
}

type Query = (options: { sql: string }, done: (error: Error | null, result: unknown) => void) => unknown;

/** Notes what a pool's connections, which it opens from now on, are asked and what is refused. */
export function watchPool(pool: Pool): WatchedPool {
  const watched: WatchedPool = { sent: [], refused: [] };
  pool.on('connection', (given) => {
    // the driver hands out its own connection here
    const connection = given as unknown as { query: Query };
    const query = connection.query.bind(connection);
    connection.query = (options, done) => {
      if (typeof options !== 'object') return query(options, done);
      watched.sent.push(options.sql);
      return query(options, (error, result) => {
        if (error) watched.refused.push(error);
        done(error, result);
      });
    };
  });
  return watched;
}
