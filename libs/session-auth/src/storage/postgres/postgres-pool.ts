import type { Row, SqlValue } from './postgres-statement.js';

/**
 * The part of a pool of the `pg` driver (`new Pool(…)`) that the stores use. The application opens and closes it.
 *
 * An idle connection that the server ends does not end the process: the stores listen for the pool's `error` event.
 */
export interface PostgresPool {
  /** How many connections there are now. */
  readonly totalCount: number;
  readonly options: object;
  connect(): Promise<{ release(): void }>;
  on(event: 'error', listener: (error: Error) => void): unknown;
}

/** The part of a pool that is used beyond its published type. */
export interface ConnectionPool {
  readonly Client: new (options: object) => unknown;
  readonly options: { readonly password?: unknown };
  connect(): Promise<PooledClient>;
  on(event: 'acquire' | 'connect', listener: (client: PooledClient) => void): void;
  on(event: 'error', listener: () => void): void;
}

/** The part of a connection of the `pg` driver that is used here. */
export interface PooledClient {
  query(query: {
    readonly text: string;
    readonly name?: string;
    readonly values?: readonly SqlValue[];
    readonly rowMode: 'array';
    readonly types: { readonly getTypeParser: () => (text: string) => string };
    readonly query_timeout?: number;
  }): Promise<{ readonly rows: Row[] }>;
  end(): Promise<void>;
  release(): void;
  on(event: 'error', listener: () => void): void;
  /** Since version 8.21: `I` outside of a transaction. */
  getTransactionStatus?(): string | null;
  /** False while a query runs; undefined in the native driver. */
  readonly readyForQuery?: boolean;
  /** Absent in the native driver. */
  readonly connection?: ProtocolMessages;
}

/** What the server sends on a connection. */
export interface ProtocolMessages {
  on(event: 'parameterStatus', listener: (message: ParameterStatus) => void): void;
  /** The end of each statement. Its `status` is `I` outside of a transaction. */
  on(event: 'readyForQuery', listener: (message: { readonly status: string }) => void): void;
}

/** The server's message that a setting has changed. */
export interface ParameterStatus {
  readonly parameterName: string;
  readonly parameterValue: string;
}
