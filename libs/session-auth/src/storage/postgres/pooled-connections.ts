import { Logger } from '@nestjs/common';
import { SessionAuthError } from '../../errors/session-auth.error.js';
import type { ConnectionPool, PooledClient } from './postgres-pool.js';

const pools = new WeakMap<ConnectionPool, PooledConnections>();

/**
 * The state of a pool's connections, which the application uses as well. It may leave a connection with an open
 * transaction, or with other settings than a new connection has.
 */
export class PooledConnections {
  readonly #logger = new Logger('SessionAuth');
  /** How often each connection that was opened since watching began has been taken from the pool. */
  readonly #handedOut = new WeakMap<PooledClient, number>();
  readonly #misencoded = new WeakSet<PooledClient>();
  /** The transaction status that the server last sent on each connection, for drivers that do not keep it. */
  readonly #statuses = new WeakMap<PooledClient, string>();
  #canPrepare = true;

  private constructor(pool: ConnectionPool) {
    pool.on('connect', (client) => {
      this.#watch(client, 0);
      this.#statuses.set(client, 'I');
    });
    pool.on('acquire', (client) => {
      const before = this.#handedOut.get(client);
      if (before !== undefined) this.#handedOut.set(client, before + 1);
    });
    // When the server ends an idle connection, the pool emits `error`, which ends the process without a listener. The
    // pool has dropped that connection, and opens another one on demand.
    pool.on('error', () => undefined);
  }

  static of(pool: ConnectionPool): PooledConnections {
    const known = pools.get(pool);
    if (known !== undefined) return known;
    const connections = new PooledConnections(pool);
    pools.set(pool, connections);
    return connections;
  }

  /** Whether statements may be prepared under names. */
  get canPrepare(): boolean {
    return this.#canPrepare;
  }

  /**
   * Records that a connection had lost a prepared statement, or had one from elsewhere: the application runs
   * `DISCARD ALL`, or a pooler assigns transactions to changing connections.
   */
  stopPreparing(): void {
    if (!this.#canPrepare) return;
    this.#canPrepare = false;
    this.#logger.warn(
      'PostgreSQL loses prepared statements between two uses of a connection (DISCARD ALL, or a pooler in transaction ' +
        'mode), so statements are no longer prepared. Set preparedStatements: false to avoid this warning',
    );
  }

  /**
   * Whether a connection from the pool can be used: it has no open transaction, runs no query, and uses UTF-8.
   *
   * @throws SessionAuthError `invalid_configuration` for a driver that cannot say
   */
  isUsable(client: PooledClient): boolean {
    if (client.getTransactionStatus === undefined && client.connection === undefined) {
      throw new SessionAuthError(
        'invalid_configuration',
        'storage: given a pool whose connections do not report their transaction status; ' +
          'allowed is a Pool of pg 8.5.1 or later, or a native one (pg-native) of pg 8.21 or later',
      );
    }
    // it is older than the watch, so other code may have used it
    if (!this.#handedOut.has(client)) this.#watch(client, 2);
    return this.isIdle(client) && client.readyForQuery !== false && !this.#misencoded.has(client);
  }

  /**
   * Whether a connection is known to have no open transaction. Before version 8.21 the driver does not keep the status,
   * so that of a connection which is older than this object is unknown.
   */
  isIdle(client: PooledClient): boolean {
    return (client.getTransactionStatus?.() ?? this.#statuses.get(client)) === 'I';
  }

  /** Whether no other code has used the connection before. */
  isNew(client: PooledClient): boolean {
    return this.#handedOut.get(client) === 1;
  }

  #watch(client: PooledClient, handedOut: number): void {
    /*
     * Keeps the process alive when the server ends a connection while it is being established. The pool stops listening
     * for errors of a connection that it hands out, and nobody else listens until a promise later. When the server's
     * welcome and its goodbye (a shutdown, `DROP DATABASE … WITH (FORCE)`) arrive together, the driver emits both in
     * between, and an `error` event without a listener is an uncaught exception. The failure itself is not lost: the
     * first statement on such a connection fails.
     */
    client.on('error', () => undefined);
    this.#handedOut.set(client, handedOut);
    client.connection?.on('readyForQuery', ({ status }) => this.#statuses.set(client, status));
    client.connection?.on('parameterStatus', ({ parameterName, parameterValue }) => {
      if (parameterName !== 'client_encoding') return;
      // the driver always reads and writes UTF-8, even if the server was told otherwise
      if (parameterValue === 'UTF8') this.#misencoded.delete(client);
      else this.#misencoded.add(client);
    });
  }
}
