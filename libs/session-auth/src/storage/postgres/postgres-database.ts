import { SessionAuthError } from '../../errors/session-auth.error.js';
import type { PostgresAccess } from './postgres-access.js';
import type { Lease, PostgresExecutor } from './postgres-executor.js';
import type { PostgresStatement, Row, SqlValue } from './postgres-statement.js';
import { isConflict, isNotMigrated } from './sql-state.js';
import { qualifiedName } from './sql-identifier.js';
import { findTablesVersion, TABLES_VERSION } from './version-table.js';

/** Settings of every store in PostgreSQL. */
export interface PostgresStoreSettings {
  /** The schema of the tables, the same on all nodes. @default the first match in the `search_path` of a connection */
  readonly schema?: string;
  /**
   * How many milliseconds an operation waits for a connection and its results. A connection of a pool without a result
   * in time is removed from the pool, which opens another. Sweeps and the audit log may take longer. @default
   * `storeTimeout` of the module; no limit for a store that the application constructs
   */
  readonly queryTimeout?: number;
  /** The realm whose rows the store works on. @default 'default' */
  readonly realm?: string;
}

const SWEEP_TIMEOUT = 60_000;

/** The schema in which a connection finds a table, ignoring temporary tables. */
const FIND_SCHEMA: PostgresStatement = {
  text: `
SELECT found.schema::text AS schema FROM unnest(current_schemas(false)) WITH ORDINALITY AS found (schema, place)
  JOIN pg_catalog.pg_namespace n ON n.nspname = found.schema
  JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = $1::text
ORDER BY found.place LIMIT 1`,
  columns: ['schema'],
};

/** Picks one of a store's statements. */
type Pick<Sql> = (sql: Sql) => PostgresStatement;

/**
 * Runs the statements of a store: with a deadline, once more after a conflict, behind a lock.
 *
 * Tables are named with their schema, which is looked up once. So another `search_path` on a connection, or a temporary
 * table, does not redirect the statements.
 */
export class PostgresDatabase<Sql> {
  readonly #timeout: number;
  readonly #executor: PostgresExecutor;
  #sql: Sql | undefined;
  #schema: string | undefined;

  /** @param statementsOf the statements for the table with a qualified name, in a schema */
  constructor(
    private readonly access: PostgresAccess,
    { schema, queryTimeout = Infinity }: PostgresStoreSettings,
    private readonly table: string,
    private readonly statementsOf: (table: string, schema: string | undefined) => Sql,
  ) {
    this.#executor = access.executor;
    this.#timeout = queryTimeout;
    this.#schema = schema;
    if (schema !== undefined) this.#sql = statementsOf(qualifiedName(schema, table), schema);
  }

  /**
   * Runs a statement that fails when a table or column is missing, and checks the version of the tables: called once at
   * boot.
   *
   * @throws SessionAuthError `invalid_configuration` when the tables of this version are missing, and for tables more
   *   than one version ahead
   */
  async checkTables(pick: Pick<Sql>, values: readonly SqlValue[] = []): Promise<void> {
    let version: number;
    try {
      await this.run(pick, values);
      const found = { text: findTablesVersion(this.#schema), columns: ['version'] };
      const [row] = await this.#run(found, [], this.#timeout);
      version = Number(row![0] ?? 0);
    } catch (cause) {
      throw isNotMigrated(cause) ? this.#notMigrated(cause.message, cause) : cause;
    }
    if (version < TABLES_VERSION) throw this.#notMigrated(`they are of version ${version}`);
    if (version <= TABLES_VERSION + 1) return;
    throw new SessionAuthError(
      'invalid_configuration',
      `${this.access.wording.storage}: given tables of version ${version}, which this node is too old for; allowed is ` +
        `version ${TABLES_VERSION} or ${TABLES_VERSION + 1}`,
    );
  }

  #notMigrated(found: string, cause?: Error): SessionAuthError {
    const { storage, remedy } = this.access.wording;
    return new SessionAuthError(
      'invalid_configuration',
      `${storage}: given a database without the tables of this version; allowed is a database on which ${remedy} (${found})`,
      { cause },
    );
  }

  /** Returns the statements, once the table's schema is known. */
  async statements(): Promise<Sql> {
    return this.#sql ?? (await this.#qualified());
  }

  /** Runs one statement, in its own transaction. */
  async run(pick: Pick<Sql>, values: readonly SqlValue[]): Promise<Row[]> {
    return this.#run(pick(this.#sql ?? (await this.#qualified())), values, this.#timeout);
  }

  /** Runs one statement that no request waits for: it may take a minute. */
  async sweep(pick: Pick<Sql>, values: readonly SqlValue[]): Promise<Row[]> {
    return this.#run(pick(this.#sql ?? (await this.#qualified())), values, SWEEP_TIMEOUT);
  }

  /**
   * Runs one statement behind the advisory lock of a number: operations with the same number wait for each other. The
   * lock is a separate statement, because a statement sees the data as of its beginning, before it waited for a lock.
   */
  async runLocked(lock: bigint, pick: Pick<Sql>, values: readonly SqlValue[]): Promise<Row[]> {
    const statement = pick(this.#sql ?? (await this.#qualified()));
    const attempt = (lease: Lease): Promise<Row[]> => inTransaction(lease, lock, statement, values);
    return this.#executor.lease((lease) => retried(lease, attempt, attempt), this.#timeout);
  }

  /**
   * Runs work behind the advisory lock of a number. Returns undefined, and runs nothing, while another connection holds
   * that lock.
   *
   * An open transaction holds the lock, so that a pooler does not give its connection to others. If the server ends
   * that connection before the work is done, another caller may start; this does no other harm.
   */
  async exclusively<T>(lock: bigint, work: () => Promise<T>): Promise<T | undefined> {
    let outcome: { readonly of: T } | undefined;
    try {
      await this.#executor.lease(
        (lease) =>
          lease.transaction(undefined, async (transaction) => {
            const text = `SELECT pg_try_advisory_xact_lock(${lock})::text AS taken`;
            const [row] = await transaction.query({ text, columns: ['taken'] }, []);
            if (row![0] === 'true') outcome = { of: await work() };
          }),
        SWEEP_TIMEOUT,
      );
    } catch (error) {
      // the work is done, even if the transaction that held the lock has failed
      if (outcome === undefined) throw error;
    }
    return outcome?.of;
  }

  /**
   * Returns the statements with the table's schema. If the table is missing, returns them without a schema: they will
   * fail and say so.
   */
  async #qualified(): Promise<Sql> {
    const [row] = await this.#run(FIND_SCHEMA, [this.table], this.#timeout);
    if (row === undefined) return this.statementsOf(qualifiedName(undefined, this.table), undefined);
    this.#schema = row[0]!;
    this.#sql = this.statementsOf(qualifiedName(row[0]!, this.table), row[0]!);
    return this.#sql;
  }

  #run(statement: PostgresStatement, values: readonly SqlValue[], timeout: number): Promise<Row[]> {
    return this.#executor.lease(
      (lease) =>
        retried(
          lease,
          () => lease.query(statement, values),
          () => inTransaction(lease, undefined, statement, values),
        ),
      timeout,
    );
  }
}

/**
 * Runs an operation, and once more after a conflict.
 *
 * A server or role can have a stricter default isolation than READ COMMITTED. There, a statement that has waited for a
 * row fails instead of continuing with the row's new state. `again` runs it under READ COMMITTED, for which it is
 * written. Statements of this library do not deadlock among themselves, but may with the application's.
 */
async function retried<T>(
  lease: Lease,
  first: (lease: Lease) => Promise<T>,
  again: (lease: Lease) => Promise<T>,
): Promise<T> {
  try {
    return await first(lease);
  } catch (error) {
    if (!isConflict(error)) throw error;
    return again(lease);
  }
}

function inTransaction(
  lease: Lease,
  lock: bigint | undefined,
  statement: PostgresStatement,
  values: readonly SqlValue[],
): Promise<Row[]> {
  return lease.transaction(lock, (transaction) => transaction.query(statement, values));
}
