import type { DataSource } from 'typeorm';

/** The part of the `pg` driver's pool that is used here. */
interface PostgresPool {
  on(event: 'connect', listener: (client: { on(event: 'error', listener: () => void): void }) => void): void;
}

const guarded = new WeakSet<PostgresPool>();

/**
 * Keeps the process alive when the server ends a connection at the moment it is established.
 *
 * The pool stops listening for errors of a connection that it hands out, and TypeORM starts to listen a promise later.
 * When the server's welcome and its goodbye (a shutdown, `DROP DATABASE … WITH (FORCE)`) arrive together, the driver
 * emits both in between, and an `error` event without a listener is an uncaught exception. The failure itself is not
 * lost: the first statement on such a connection fails.
 */
export function guardNewConnections(dataSource: DataSource): void {
  // a DataSource that is initialised again has another pool
  const { master: pool } = dataSource.driver as { readonly master?: PostgresPool };
  if (pool === undefined || guarded.has(pool)) return;
  guarded.add(pool);
  pool.on('connect', (client) => client.on('error', () => undefined));
}
