import {
  LoginThrottleStore,
  type FailureCount,
  type FailureKey,
  type NewFailure,
} from '../../throttle/login-throttle-store.js';
import { PostgresDatabase } from './postgres-database.js';
import type { PostgresAccess } from './postgres-access.js';
import { accessOf, type PostgresSource, type PostgresStoreOptions } from './postgres-source.js';
import { encodeArray, type Row } from './postgres-statement.js';
import { StoredKeys } from './stored-keys.js';
import { throttleStatements, type ThrottleStatements } from './throttle-statements.js';
import { THROTTLE_TABLE } from './throttle-tables.js';
import { DEFAULT_REALM } from '../../realms/realm-name.js';

/** Counts failed logins in PostgreSQL, like the sessions: for all nodes together, each call one statement. */
export class PostgresLoginThrottleStore extends LoginThrottleStore {
  readonly #access: PostgresAccess;
  readonly #database: PostgresDatabase<ThrottleStatements>;
  /** The prefix of the names of counts. */
  readonly #prefix: string;

  /**
   * @param source the application's pool or executor, opened and closed by it
   * @throws SessionAuthError `invalid_configuration` for anything else, and for an invalid schema name
   */
  constructor(
    source: PostgresSource | PostgresAccess,
    private readonly settings: PostgresStoreOptions = {},
  ) {
    super();
    this.#access = accessOf(source, settings);
    const keys = new StoredKeys(settings.realm);
    this.#prefix = keys.prefix;
    this.#database = new PostgresDatabase(this.#access, settings, THROTTLE_TABLE, (table) =>
      throttleStatements(table, keys),
    );
  }

  /**
   * Checks that the table exists: called once at boot.
   *
   * @throws SessionAuthError `invalid_configuration` when it is missing, or of an earlier version
   */
  async checkTables(): Promise<void> {
    await this.#database.checkTables((sql) => sql.read, [encodeArray([]), 0]);
  }

  /** Where the records are: stores with the same place have the same records. */
  get place(): string {
    return `postgres ${this.settings.realm ?? DEFAULT_REALM}`;
  }

  override ofRealm(realm: string): PostgresLoginThrottleStore {
    return new PostgresLoginThrottleStore(this.#access, { ...this.settings, realm });
  }

  override async read(keys: readonly FailureKey[], now: number): Promise<readonly (FailureCount | undefined)[]> {
    const names = keys.map(this.#nameOf);
    const counts = byName(await this.#database.run((sql) => sql.read, [encodeArray(names), now]));
    return names.map((name) => counts.get(name));
  }

  override async add(failures: readonly NewFailure[], now: number): Promise<readonly FailureCount[]> {
    const names = failures.map(this.#nameOf);
    const ends = failures.map(({ window }) => String(now + window));
    const counts = byName(await this.#database.run((sql) => sql.add, [encodeArray(names), now, encodeArray(ends)]));
    return names.map((name) => counts.get(name)!);
  }

  override async set(key: FailureKey, { count, until }: FailureCount): Promise<void> {
    await this.#database.run((sql) => sql.set, [this.#nameOf(key), count, until]);
  }

  override async delete(keys: readonly FailureKey[]): Promise<void> {
    await this.#database.run((sql) => sql.delete, [encodeArray(keys.map(this.#nameOf))]);
  }

  override async list(subject: string, now: number): Promise<readonly (FailureKey & FailureCount)[]> {
    const start = this.#nameOf({ subject, counter: '' });
    const rows = await this.#database.run((sql) => sql.list, [start, start.slice(0, -1) + BEHIND_SEPARATOR, now]);
    return rows.map((row) => ({ subject, counter: row[0]!.slice(start.length), ...decodeCount(row) }));
  }

  override async deleteExpired(now: number, limit: number): Promise<number> {
    const [row] = await this.#database.sweep((sql) => sql.deleteExpired, [now, limit]);
    return Number(row![0]);
  }

  readonly #nameOf = ({ subject, counter }: FailureKey): string => this.#prefix + subject + SEPARATOR + counter;
}

const SEPARATOR = '/';

/** The character after the separator: all names of a subject lie between the two. */
const BEHIND_SEPARATOR = '0';

function byName(rows: readonly Row[]): ReadonlyMap<string, FailureCount> {
  return new Map(rows.map((row) => [row[0]!, decodeCount(row)]));
}

function decodeCount([, points, expiresAt]: Row): FailureCount {
  return { count: Number(points), until: Number(expiresAt) };
}
