import { SessionAuthError } from '../../errors/session-auth.error.js';
import { DEFAULT_REALM } from '../../realms/realm-name.js';
import { SECOND } from '../../time/units.js';
import { HandleTurns } from './handle-turns.js';
import { isNotMigrated, isReadOnly } from './sqlite-error.js';
import { connect, type Row, type SqliteConnection, type SqliteHandle, type SqliteValue } from './sqlite-handle.js';

/** Settings of every store in SQLite. */
export interface SqliteStoreSettings {
  /**
   * How many milliseconds an operation waits for another connection's lock, and for a transaction that the application
   * has open on the handle. @default 2000
   */
  readonly queryTimeout?: number;
  /** The realm whose rows the store works on. @default 'default' */
  readonly realm?: string;
}

/**
 * The version of the tables that the stores work on, as `schema.sql` records it. The next version must include these
 * tables.
 */
const TABLES_VERSION = 2;

const DEFAULT_TIMEOUT = 2 * SECOND;

/** The state of a handle that all stores on it share. */
interface SharedHandle {
  readonly connection: SqliteConnection;
  readonly turns: HandleTurns;
}

const SHARED = new WeakMap<SqliteHandle, SharedHandle>();

/**
 * Runs the statements of a store. A read runs by itself. A write is a transaction that begins and ends within one turn
 * of the event loop, so that it includes nothing of the application, and no lock is held while anything waits.
 */
export class SqliteDatabase {
  readonly #connection: SqliteConnection;
  readonly #turns: HandleTurns;
  readonly #timeout: number;

  /** @throws SessionAuthError `invalid_configuration` for any value but a handle of the two drivers */
  constructor(
    handle: SqliteHandle,
    private readonly settings: SqliteStoreSettings,
  ) {
    const { connection, turns } = SHARED.get(handle) ?? share(handle);
    this.#connection = connection;
    this.#turns = turns;
    this.#timeout = settings.queryTimeout ?? DEFAULT_TIMEOUT;
  }

  /** Where the records are: stores with the same place have the same records. */
  get place(): string {
    return `sqlite ${this.settings.realm ?? DEFAULT_REALM}`;
  }

  /**
   * Checks the database, and runs a statement that fails when a table or column is missing: called once at boot.
   *
   * @throws SessionAuthError `invalid_configuration` for a database that is read only or not in WAL mode, and when the
   *   tables of this version are missing
   */
  async checkTables(statement: string): Promise<void> {
    const [[mode] = []] = await this.read('PRAGMA journal_mode');
    if (mode !== 'wal' && mode !== 'memory') {
      throw refused(`a database in journal mode ${mode}`, "one in WAL mode ('PRAGMA journal_mode = WAL')");
    }
    try {
      const [[version] = []] = await this.read('SELECT max(version) FROM session_auth_version');
      if (Number(version) < TABLES_VERSION) throw notMigrated(`they are of version ${Number(version)}`);
      if (Number(version) > TABLES_VERSION + 1) {
        throw refused(
          `a database with tables of version ${Number(version)}, which this node is too old for`,
          `a database with tables of version ${TABLES_VERSION} or ${TABLES_VERSION + 1}`,
        );
      }
      await this.read(statement);
      await this.write(({ run }) => run('UPDATE session_auth_version SET version = version WHERE 0'));
    } catch (error) {
      if (isNotMigrated(error)) throw notMigrated(error.message, error);
      if (isReadOnly(error)) throw refused('a read-only database', 'a writable database', error);
      throw error;
    }
  }

  /** Returns whether the database is in the memory of this process. */
  async isInMemory(): Promise<boolean> {
    const [[file] = []] = await this.read("SELECT file FROM pragma_database_list WHERE name = 'main'");
    return !file;
  }

  /** Runs a statement that changes nothing. It sees only committed data. */
  async read(text: string, ...values: readonly SqliteValue[]): Promise<readonly Row[]> {
    return this.#turns.take(() => this.#connection.all(text, ...values), this.#timeout);
  }

  /**
   * Runs work in a transaction, and again after another connection blocked it. The work must keep nothing of a failed
   * attempt.
   */
  async write<T>(work: (connection: SqliteConnection) => T): Promise<T> {
    const connection = this.#connection;
    return this.#turns.take(() => {
      // takes the lock at once: a transaction that has read cannot always get it later
      connection.run('BEGIN IMMEDIATE');
      try {
        const outcome = work(connection);
        connection.run('COMMIT');
        return outcome;
      } catch (error) {
        // SQLite rolls back by itself after some errors
        if (connection.isInTransaction()) connection.run('ROLLBACK');
        throw error;
      }
    }, this.#timeout);
  }
}

function share(handle: SqliteHandle): SharedHandle {
  const connection = connect(handle);
  const shared = { connection, turns: new HandleTurns(connection) };
  SHARED.set(handle, shared);
  return shared;
}

function notMigrated(found: string, cause?: Error): SessionAuthError {
  return refused(
    `a database without the tables of this version (${found})`,
    'a database in which nestjs-session-auth/sqlite/schema.sql has been run, and upgrade.sql after an earlier version',
    cause,
  );
}

function refused(given: string, allowed: string, cause?: unknown): SessionAuthError {
  return new SessionAuthError(
    'invalid_configuration',
    `sqliteStorage.database: given ${given}; allowed is ${allowed}`,
    {
      cause,
    },
  );
}
