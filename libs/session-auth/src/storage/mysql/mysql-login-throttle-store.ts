import {
  LoginThrottleStore,
  type FailureCount,
  type FailureKey,
  type NewFailure,
} from '../../throttle/login-throttle-store.js';
import { StoredKeys } from '../postgres/stored-keys.js';
import { deleteByKey } from './delete-by-key.js';
import { MysqlDatabase, type MysqlStoreSettings } from './mysql-database.js';
import { corePoolOf, type MysqlPool } from './mysql-pool.js';
import { numberOf, type Row, type StatementRunner } from './pooled-connection.js';
import { deleteExpiredRows } from './row-sweeps.js';
import { commaList, sql, type SqlText } from './sql-text.js';

const SEPARATOR = '/';

/** The character after the separator: all names of a subject lie between the two. */
const BEHIND_SEPARATOR = '0';

/** The length of the column, in bytes: without strict mode the server would cut a longer name, and mix up counts. */
const WIDTH = 255;

/**
 * Counts failed logins in MariaDB or MySQL, for all nodes together. A read is one statement. A call that writes several
 * counts takes them in the order of their names, so two such calls wait for each other without a deadlock.
 */
export class MysqlLoginThrottleStore extends LoginThrottleStore {
  readonly #database: MysqlDatabase;
  readonly #table: SqlText;
  readonly #keys: StoredKeys;

  /** @throws SessionAuthError `invalid_configuration` for anything but a pool of `mysql2` or `mysql2/promise` */
  constructor(
    private readonly pool: MysqlPool,
    private readonly settings: MysqlStoreSettings = {},
  ) {
    super();
    this.#keys = new StoredKeys(settings.realm);
    this.#database = new MysqlDatabase(corePoolOf(pool), settings);
    this.#table = this.#database.tables.throttle;
  }

  /**
   * Checks that the table exists: called once at boot.
   *
   * @throws SessionAuthError `invalid_configuration` when `schema.sql` has not been run
   */
  async checkTables(): Promise<void> {
    await this.#database.checkTables(sql`SELECT name, points, expires_at FROM ${this.#table} LIMIT 0`);
  }

  /** Where the records are: stores with the same place have the same records. */
  get place(): string {
    return this.#database.place;
  }

  override ofRealm(realm: string): MysqlLoginThrottleStore {
    return new MysqlLoginThrottleStore(this.pool, { ...this.settings, realm });
  }

  override async read(keys: readonly FailureKey[], now: number): Promise<readonly (FailureCount | undefined)[]> {
    const names = keys.map(this.#nameOf);
    const counts = byName(
      await this.#database.read(sql`SELECT name, points, expires_at FROM ${this.#table}
        WHERE name IN (${names}) AND expires_at > ${now}`),
    );
    return names.map((name) => counts.get(name));
  }

  override async add(failures: readonly NewFailure[], now: number): Promise<readonly FailureCount[]> {
    if (failures.length === 0) return [];
    const named = failures.map((failure) => ({ name: this.#nameOf(failure), ends: now + failure.window }));
    const rows = inOrder(named).map(({ name, ends }) => sql`(${name}, 1, ${ends})`);
    const names = named.map(({ name }) => name);
    const counts = await this.#database.transaction(async (transaction) => {
      // a column is read before it is assigned, because its value after that depends on the sql_mode
      await transaction.query(sql`INSERT INTO ${this.#table} (name, points, expires_at) VALUES ${commaList(rows)}
        ON DUPLICATE KEY UPDATE points = IF(expires_at <= ${now}, 1, points + 1),
          expires_at = IF(expires_at <= ${now}, VALUES(expires_at), expires_at)`);
      const written = await transaction.query(sql`SELECT name, points, expires_at FROM ${this.#table}
        WHERE name IN (${names})`);
      return byName(written.rows);
    });
    return names.map((name) => counts.get(name)!);
  }

  override async set(key: FailureKey, { count, until }: FailureCount): Promise<void> {
    await this.#database.write(sql`INSERT INTO ${this.#table} (name, points, expires_at)
      VALUES (${this.#nameOf(key)}, ${count}, ${until})
      ON DUPLICATE KEY UPDATE points = VALUES(points), expires_at = VALUES(expires_at)`);
  }

  override async delete(keys: readonly FailureKey[]): Promise<void> {
    const names = inOrder(keys.map((key) => ({ name: this.#nameOf(key) }))).map(({ name }) => Buffer.from(name));
    await this.#database.transaction((transaction: StatementRunner) =>
      deleteByKey(transaction, this.#table, 'name', names),
    );
  }

  override async list(subject: string, now: number): Promise<readonly (FailureKey & FailureCount)[]> {
    const start = this.#nameOf({ subject, counter: '' });
    const rows = await this.#database.read(sql`SELECT name, points, expires_at FROM ${this.#table}
      WHERE name >= ${start} AND name < ${start.slice(0, -1) + BEHIND_SEPARATOR} AND expires_at > ${now}`);
    return rows.map((row) => ({ subject, counter: String(row[0]).slice(start.length), ...decodeCount(row) }));
  }

  override async deleteExpired(now: number, limit: number): Promise<number> {
    const rows = { table: this.#table, key: 'name', keys: this.#keys };
    return deleteExpiredRows(this.#database, rows, now, limit);
  }

  readonly #nameOf = ({ subject, counter }: FailureKey): string => {
    const name = this.#keys.prefix + subject + SEPARATOR + counter;
    if (Buffer.byteLength(name) > WIDTH) throw new RangeError(`the name of a count is longer than ${WIDTH} bytes`);
    return name;
  };
}

function inOrder<T extends { readonly name: string }>(rows: readonly T[]): T[] {
  return [...rows].sort((a, b) => (a.name < b.name ? -1 : 1));
}

function byName(rows: readonly Row[]): ReadonlyMap<string, FailureCount> {
  return new Map(rows.map((row) => [String(row[0]), decodeCount(row)]));
}

function decodeCount([, points, expiresAt]: Row): FailureCount {
  return { count: numberOf(points!), until: numberOf(expiresAt!) };
}
