import { Logger } from '@nestjs/common';
import { SessionAuthError } from '../../errors/session-auth.error.js';
import type { ConnectionPool, PooledClient } from './postgres-pool.js';

const pools = new WeakMap<ConnectionPool, PooledConnections>();

/**
 * What is known of the connections of a pool, which the application uses as well. It may leave one behind with a
 * transaction open or with other settings than a new connection has.
 */
export class PooledConnections {
  readonly #logger = new Logger('SessionAuth');
  /** How often each connection that was opened since we look has been handed out. */
  readonly #handedOut = new WeakMap<PooledClient, number>();
  readonly #misencoded = new WeakSet<PooledClient>();
  /** The transaction status of each connection as the server last told it, for a driver that does not keep it. */
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
    // An idle connection that the server ends is an event that ends the process where nobody listens. The pool has
    // dropped that connection, and opens another one when it is asked.
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
   * Notes that a connection did not know a name that it was given before, or knew one that it was not given: the
   * application runs `DISCARD ALL`, or a pooler hands transactions to changing connections.
   */
  stopPreparing(): void {
    if (!this.#canPrepare) return;
    this.#canPrepare = false;
    this.#logger.warn(
      'PostgreSQL loses prepared statements between two uses of a connection (DISCARD ALL, or a pooler in transaction ' +
        'mode): they are not prepared any more. Set preparedStatements: false to say so from the start',
    );
  }

  /**
   * Whether a connection that the pool has handed out can be used: no transaction is open on it, nothing runs on it, and
   * it speaks UTF-8.
   *
   * @throws SessionAuthError `invalid_configuration` for a driver that cannot tell
   */
  isUsable(client: PooledClient): boolean {
    if (client.getTransactionStatus === undefined && client.connection === undefined) {
      throw new SessionAuthError(
        'invalid_configuration',
        'storage: given a pool whose connections do not report their transaction status; ' +
          'allowed is a Pool of pg 8.5.1 or later, or a native one (pg-native) of pg 8.21 or later',
      );
    }
    // it was there before we were: who knows who has used it
    if (!this.#handedOut.has(client)) this.#watch(client, 2);
    return this.isIdle(client) && client.readyForQuery !== false && !this.#misencoded.has(client);
  }

  /**
   * Whether a connection is known to be outside of a transaction. Before version 8.21, the driver keeps no status: that of
   * a connection which was opened before this object was made is unknown.
   */
  isIdle(client: PooledClient): boolean {
    return (client.getTransactionStatus?.() ?? this.#statuses.get(client)) === 'I';
  }

  /** Whether nobody has used a connection before who could have left something behind. */
  isNew(client: PooledClient): boolean {
    return this.#handedOut.get(client) === 1;
  }

  #watch(client: PooledClient, handedOut: number): void {
    /*
     * Keeps the process alive when the server ends a connection at the moment it is established. The pool stops
     * listening for errors of a connection that it hands out, and nobody else listens before a promise later. When the
     * server's welcome and its goodbye (a shutdown, `DROP DATABASE … WITH (FORCE)`) arrive together, the driver emits
     * both in between, and an `error` event without a listener is an uncaught exception. The failure itself is not
     * lost: the first statement on such a connection fails.
     */
    client.on('error', () => undefined);
    this.#handedOut.set(client, handedOut);
    client.connection?.on('readyForQuery', ({ status }) => this.#statuses.set(client, status));
    client.connection?.on('parameterStatus', ({ parameterName, parameterValue }) => {
      if (parameterName !== 'client_encoding') return;
      // the driver reads and writes UTF-8, whatever the server was told
      if (parameterValue === 'UTF8') this.#misencoded.delete(client);
      else this.#misencoded.add(client);
    });
  }
}
