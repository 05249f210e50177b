import type { OpenListening } from './listening-connection.js';
import type { PostgresExecutor } from './postgres-executor.js';

/** How stores get to a PostgreSQL. */
export class PostgresAccess {
  constructor(
    readonly executor: PostgresExecutor,
    readonly wording: {
      /** How error messages name the storage. */
      readonly storage: string;
      /** What has been done where the tables are those of this version. */
      readonly remedy: string;
    },
    /** What of the application it goes by: stores with the same one share a listening connection. */
    readonly owner: object,
    /**
     * Returns what opens a connection that listens.
     *
     * @param url the address of the database, where it is not the one of the executor
     * @throws SessionAuthError `invalid_configuration` when it is not known how to connect
     */
    readonly listeningAt: (url: string | undefined) => OpenListening,
  ) {}
}
