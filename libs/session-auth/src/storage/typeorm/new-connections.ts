import type { DataSource } from 'typeorm';

/** What is used of the pool of the `pg` driver. */
interface PostgresPool {
  on(event: 'connect', listener: (client: { on(event: 'error', listener: () => void): void }) => void): void;
}

const guarded = new WeakSet<PostgresPool>();

/**
 * Keeps a server that ends a connection in the moment it comes up from ending the process.
 *
 * The pool stops listening for errors of a connection that it hands out, and TypeORM begins to a promise later. Where
 * the server's welcome and its goodbye (a shutdown, `DROP DATABASE … WITH (FORCE)`) arrive in one piece, the driver
 * emits both in between, and an `error` event that nobody listens for is an uncaught exception. The failure itself is
 * not lost: the first statement on such a connection fails.
 */
export function guardNewConnections(dataSource: DataSource): void {
  // a DataSource that is initialised again has another pool
  const { master: pool } = dataSource.driver as { readonly master?: PostgresPool };
  if (pool === undefined || guarded.has(pool)) return;
  guarded.add(pool);
  pool.on('connect', (client) => client.on('error', () => undefined));
}
