import { hash } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { SessionAuthError } from '../../errors/session-auth.error.js';
import { DEFAULT_REALM } from '../../realms/realm-name.js';
import { deleteByKey } from './delete-by-key.js';
import { isConflict, isNotMigrated } from './mysql-error.js';
import type { CorePool, PoolConnection } from './mysql-pool.js';
import { LeftInTransaction, numberOf, PooledConnection, type Row, type StatementRunner } from './pooled-connection.js';
import { serverFacts, type ServerFacts } from './server-facts.js';
import { sql, type SqlText } from './sql-text.js';
import { TABLES_VERSION, tablesOf, type MysqlTables } from './mysql-tables.js';

/** Settings of every store in MariaDB or MySQL. */
export interface MysqlStoreSettings {
  /** How many milliseconds an operation waits for a connection and its results. @default no limit */
  readonly queryTimeout?: number;
  /** The realm whose rows the store works on. @default 'default' */
  readonly realm?: string;
}

const SWEEP_TIMEOUT = 60_000;

/** How often an operation runs when other transactions conflict with it. */
const MAX_ATTEMPTS = 10;

/** The longest pause before another attempt, in milliseconds, times the number of the attempt. */
const BACKOFF = 4;

/** How many connections of a pool may have been left in a transaction. */
const MAX_LEFT = 50;

/** Later than any use of a lock. */
const FOREVER = 9e15;

/**
 * Runs the statements of a store: with a deadline, again after a deadlock, behind a lock.
 *
 * How operations stay atomic under every isolation level, without deadlocks among themselves:
 *
 * - An operation that counts sessions of a user, or changes several, is a transaction that first takes the lock of the
 *   user: a row of a table of locks, by its primary key. Otherwise a login would have to lock the place of the user's
 *   next session. InnoDB has gap locks for that, but two logins can hold one at once, and then neither can insert.
 * - Such a transaction is READ COMMITTED: it locks rows and no gaps, and each of its statements sees what was committed
 *   before that statement, not before the wait for a lock.
 * - It finds rows with a statement that locks nothing, and locks and writes them by their primary keys, in key order. A
 *   statement that locks rows by another index locks the index entry before the row, and one that deletes the row by
 *   its primary key locks them in the opposite order.
 * - A change of one row is a read, a decision in Node, and a write that succeeds only if the row's version is
 *   unchanged.
 * - A sweep never waits for a lock: SKIP LOCKED.
 */
export class MysqlDatabase {
  readonly tables: MysqlTables;
  readonly #timeout: number;

  constructor(
    private readonly pool: CorePool,
    private readonly settings: MysqlStoreSettings,
  ) {
    this.#timeout = settings.queryTimeout ?? Infinity;
    this.tables = tablesOf(pool.config.connectionConfig.database);
  }

  /** Where the records are: stores with the same place have the same records. */
  get place(): string {
    return `mysql ${this.settings.realm ?? DEFAULT_REALM}`;
  }

  /**
   * Checks the server, and runs a statement that fails when a table or column is missing: called once at boot.
   *
   * @throws SessionAuthError `invalid_configuration` for a server that is too old, when the tables of this version are
   *   missing, and for tables more than one version ahead
   */
  async checkTables(statement: SqlText): Promise<void> {
    const { problem } = await this.#lend((connection) => this.#facts(connection), this.#timeout);
    if (problem !== undefined) throw new SessionAuthError('invalid_configuration', `mysqlStorage.pool: ${problem}`);
    const [found] = await this.#checked(sql`SELECT MAX(version) FROM ${this.tables.version}`);
    const version = numberOf(found?.[0] ?? null);
    if (version < TABLES_VERSION) throw notMigrated(`they are of version ${version}`);
    if (version > TABLES_VERSION + 1) {
      throw new SessionAuthError(
        'invalid_configuration',
        `mysqlStorage: given tables of version ${version}, which this node is too old for; allowed is version ` +
          `${TABLES_VERSION} or ${TABLES_VERSION + 1}`,
      );
    }
    await this.#checked(statement);
  }

  /** Runs a statement that changes nothing. It sees only committed data. */
  async read(statement: SqlText): Promise<readonly Row[]> {
    return this.#lend(async (connection) => {
      const { readsUncommitted } = await this.#facts(connection);
      const { rows } = readsUncommitted
        ? await connection.queryCommitted(statement)
        : await connection.query(statement);
      return rows;
    }, this.#timeout);
  }

  /** Runs a statement that writes, in its own transaction, and returns how many rows it has written. */
  async write(statement: SqlText, timeout = this.#timeout): Promise<number> {
    return this.#lend(
      async (connection) => (await untilNoConflict(() => connection.query(statement))).affected,
      timeout,
    );
  }

  /**
   * Runs work in a transaction, and again after a conflict with another one. The work must keep nothing of a failed
   * attempt.
   */
  async transaction<T>(work: (transaction: StatementRunner) => Promise<T>, timeout = this.#timeout): Promise<T> {
    return this.#lend((connection) => untilNoConflict(() => connection.transaction(work)), timeout);
  }

  /** Runs work in a transaction that holds the lock of a user: operations on one user wait for each other. */
  async lockedByUser<T>(userKey: Buffer, now: number, work: (transaction: StatementRunner) => Promise<T>): Promise<T> {
    const { userLock } = this.tables;
    return this.transaction(async (transaction) => {
      // always a change: in a cluster with several writing nodes, changes of two nodes conflict when they are committed
      await transaction.query(sql`INSERT INTO ${userLock} (user_key, used_at) VALUES (${userKey}, ${now})
        ON DUPLICATE KEY UPDATE used_at = GREATEST(used_at + 1, ${now})`);
      return work(transaction);
    });
  }

  /** Runs a transaction that no request waits for: it may take a minute. */
  async sweep<T>(work: (transaction: StatementRunner) => Promise<T>): Promise<T> {
    return this.transaction(work, SWEEP_TIMEOUT);
  }

  /** Runs one statement that writes and that no request waits for. */
  async sweepStatement(statement: SqlText): Promise<number> {
    return this.write(statement, SWEEP_TIMEOUT);
  }

  /** Removes at most `limit` locks that were last used before a time. */
  async sweepLocks(before: number, limit: number): Promise<number> {
    const { userLock } = this.tables;
    const due = await this.read(
      sql`SELECT user_key FROM ${userLock} WHERE used_at < ${before} ORDER BY used_at LIMIT ${limit}`,
    );
    if (due.length === 0) return 0;
    return this.sweep(async (transaction) => {
      const keys = due.map(([key]) => key!);
      const { rows } = await transaction.query(sql`SELECT user_key FROM ${userLock} FORCE INDEX (PRIMARY)
        WHERE user_key IN (${keys}) AND used_at < ${before} ORDER BY user_key FOR UPDATE SKIP LOCKED`);
      if (rows.length === 0) return 0;
      const held = rows.map(([key]) => key!);
      return deleteByKey(transaction, userLock, 'user_key', held);
    });
  }

  /**
   * Runs work while no other connection runs work of this name. Returns undefined, and runs nothing, while another one
   * does.
   *
   * If the server ends the connection that holds the lock before the work is done, another caller may start; this does
   * no other harm.
   */
  async exclusively<T>(name: string, work: () => Promise<T>): Promise<T | undefined> {
    const { userLock } = this.tables;
    const key = hash('sha256', `\0${name} ${this.settings.realm ?? DEFAULT_REALM}`, 'buffer');
    const known = await this.read(sql`SELECT 1 FROM ${userLock} WHERE user_key = ${key}`);
    if (known.length === 0) {
      await this.write(sql`INSERT IGNORE INTO ${userLock} (user_key, used_at) VALUES (${key}, ${FOREVER})`);
    }
    let outcome: { readonly of: T } | undefined;
    try {
      await this.#lend(
        (connection) =>
          connection.transaction(async (transaction) => {
            const { rows } = await transaction.query(
              sql`SELECT 1 FROM ${userLock} WHERE user_key = ${key} FOR UPDATE SKIP LOCKED`,
            );
            if (rows.length > 0) outcome = { of: await work() };
          }),
        Infinity,
      );
    } catch (error) {
      // the work is done, even if the transaction that held the lock has failed
      if (outcome === undefined) throw error;
    }
    return outcome?.of;
  }

  async #checked(statement: SqlText): Promise<readonly Row[]> {
    try {
      return await this.read(statement);
    } catch (error) {
      throw isNotMigrated(error) ? notMigrated(error.message, error) : error;
    }
  }

  #facts(connection: PooledConnection): Promise<ServerFacts> {
    return serverFacts(this.pool, connection);
  }

  /**
   * Lends a connection to an operation. A statement on a connection that was left in a transaction is rolled back with
   * it.
   */
  async #lend<T>(operation: (connection: PooledConnection) => Promise<T>, timeout: number): Promise<T> {
    const deadline = performance.now() + timeout;
    for (let attempt = 1; ; attempt++) {
      const connection = new PooledConnection(await acquire(this.pool, deadline), deadline);
      try {
        return await operation(connection);
      } catch (error) {
        if (!(error instanceof LeftInTransaction) || attempt === MAX_LEFT) throw error;
      } finally {
        connection.giveBack();
      }
    }
  }
}

function notMigrated(found: string, cause?: Error): SessionAuthError {
  return new SessionAuthError(
    'invalid_configuration',
    'mysqlStorage: given a database without the tables of this version; allowed is a database in which ' +
      'nestjs-session-auth/mysql/schema.sql has been run, and upgrade.sql after an earlier version, or with ' +
      `TypeORM CreateSessionAuthTables and UpgradeSessionAuthTables (${found})`,
    { cause },
  );
}

async function untilNoConflict<T>(attempt: () => Promise<T>): Promise<T> {
  for (let attempts = 1; ; attempts++) {
    try {
      return await attempt();
    } catch (error) {
      if (!isConflict(error) || attempts === MAX_ATTEMPTS) throw error;
      await pause(Math.random() * BACKOFF * attempts);
    }
  }
}

/** Takes a connection from the pool. One that comes too late is returned. */
function acquire(pool: CorePool, deadline: number): Promise<PoolConnection> {
  return new Promise((resolve, reject) => {
    let isOver = false;
    const giveUp = (): void => {
      isOver = true;
      reject(new Error('no connection of the pool was free in time'));
    };
    const left = deadline - performance.now();
    const timer = left < Infinity ? setTimeout(giveUp, Math.max(left, 0)) : undefined;
    pool.getConnection((error, connection) => {
      clearTimeout(timer);
      if (error) reject(error);
      else if (isOver) connection.release();
      else resolve(connection);
    });
  });
}
