import { SessionAuthError } from '../../errors/session-auth.error.js';
import { unavailable } from '../../link/link-transport.js';
import type { ConnectionPool } from './postgres-pool.js';

/** A connection for this use only, not behind a pooler in transaction mode. */
export interface ListeningConnection {
  /** Runs a statement without parameters. */
  query(text: string): Promise<unknown>;
  close(): void;
}

/** Opens a connection that listens. */
export type OpenListening = (
  heard: (channel: string, payload: string) => void,
  closed: (error: unknown) => void,
) => Promise<ListeningConnection>;

/** The part of a listening connection of the `pg` driver that is used. */
interface ListeningClient {
  connect(): Promise<void>;
  query(text: string): Promise<unknown>;
  end(): Promise<void>;
  on(event: 'error' | 'end', listener: (error?: Error) => void): void;
  on(event: 'notification', listener: (message: { channel: string; payload?: string }) => void): void;
  /** Absent in the native driver. */
  readonly connection?: { readonly stream: { destroy(): void } };
}

type ListeningClientClass = new (options: object) => ListeningClient;

/** How many milliseconds a clean close may take. */
const GOODBYE = 500;

/**
 * Returns a function that opens a connection with the options of a pool. It does not count among the pool's
 * connections.
 *
 * @param url the address of the database, instead of the pool's
 */
export function listeningAsPool(poolOf: () => ConnectionPool, url: string | undefined): OpenListening {
  return (heard, closed) => {
    const pool = poolOf();
    // the pool hides the password from code that lists its options
    const { password } = pool.options;
    const options = { ...pool.options, password, ...(url !== undefined && { connectionString: url }) };
    return listen(new (pool.Client as ListeningClientClass)(options), heard, closed);
  };
}

/** Returns a function that opens a connection to an address with the package `pg`. */
export function listeningAtUrl(url: string): OpenListening {
  return async (heard, closed) => {
    const { Client } = await loadDriver();
    return listen(new Client({ connectionString: url }), heard, closed);
  };
}

/**
 * Loads the package `pg`, which is needed only without a pool of it.
 *
 * @throws SessionAuthError `invalid_configuration` when it is not installed
 */
export async function loadDriver(): Promise<{ readonly Client: ListeningClientClass }> {
  try {
    const { default: driver } = await import('pg');
    return driver as unknown as { readonly Client: ListeningClientClass };
  } catch (cause) {
    const message =
      'postgresStorage.link.url: given an address, but the package pg is missing, which is needed to listen; install pg';
    throw new SessionAuthError('invalid_configuration', message, { cause });
  }
}

async function listen(
  client: ListeningClient,
  heard: (channel: string, payload: string) => void,
  closed: (error: unknown) => void,
): Promise<ListeningConnection> {
  client.on('error', closed);
  client.on('end', () => closed(unavailable('PostgreSQL has closed the connection')));
  client.on('notification', ({ channel, payload = '' }) => heard(channel, payload));
  const close = (): void => {
    void client.end().catch(() => undefined);
    // a silent server does not confirm the close
    setTimeout(() => client.connection?.stream.destroy(), GOODBYE).unref();
  };
  try {
    await client.connect();
  } catch (error) {
    close();
    throw error;
  }
  return { query: (text) => client.query(text), close };
}
