import type { OpenListening } from './listening-connection.js';
import type { PostgresExecutor } from './postgres-executor.js';

/** How stores reach a PostgreSQL. */
export class PostgresAccess {
  constructor(
    readonly executor: PostgresExecutor,
    readonly wording: {
      /** The name of the storage in error messages. */
      readonly storage: string;
      /** How to bring the tables to this version, for error messages. */
      readonly remedy: string;
    },
    /** The object of the application behind it: stores with the same owner share a listening connection. */
    readonly owner: object,
    /**
     * Returns a function that opens a listening connection.
     *
     * @param url the address of the database, if it differs from the executor's
     * @throws SessionAuthError `invalid_configuration` when the address is not known
     */
    readonly listeningAt: (url: string | undefined) => OpenListening,
  ) {}
}
