import {
  LoginThrottleStore,
  type FailureCount,
  type FailureKey,
  type NewFailure,
} from '../../throttle/login-throttle-store.js';
import { StoredKeys } from '../postgres/stored-keys.js';
import { deleteExpiredRows } from './row-sweeps.js';
import { SqliteDatabase, type SqliteStoreSettings } from './sqlite-database.js';
import type { Row, SqliteHandle } from './sqlite-handle.js';

const SEPARATOR = '/';

/** The character after the separator: all names of a subject lie between the two. */
const BEHIND_SEPARATOR = '0';

const COUNT_FAILURE = `INSERT INTO session_auth_throttle (name, points, expires_at) VALUES (?, 1, ?)
  ON CONFLICT (name) DO UPDATE SET
    points = CASE WHEN expires_at <= ? THEN 1 ELSE points + 1 END,
    expires_at = CASE WHEN expires_at <= ? THEN excluded.expires_at ELSE expires_at END
  RETURNING name, points, expires_at`;

/** Counts failed logins in SQLite, for all processes together. A read is one statement. */
export class SqliteLoginThrottleStore extends LoginThrottleStore {
  readonly #database: SqliteDatabase;
  readonly #keys: StoredKeys;

  /** @throws SessionAuthError `invalid_configuration` for anything but a handle of `better-sqlite3` or `node:sqlite` */
  constructor(
    private readonly handle: SqliteHandle,
    private readonly settings: SqliteStoreSettings = {},
  ) {
    super();
    this.#keys = new StoredKeys(settings.realm);
    this.#database = new SqliteDatabase(handle, settings);
  }

  /**
   * Checks the database and that the table exists: called once at boot.
   *
   * @throws SessionAuthError `invalid_configuration` when `schema.sql` has not been run, or the database is not in WAL
   *   mode
   */
  async checkTables(): Promise<void> {
    await this.#database.checkTables('SELECT name, points, expires_at FROM session_auth_throttle LIMIT 0');
  }

  /** Where the records are: stores with the same place have the same records. */
  get place(): string {
    return this.#database.place;
  }

  override ofRealm(realm: string): SqliteLoginThrottleStore {
    return new SqliteLoginThrottleStore(this.handle, { ...this.settings, realm });
  }

  override async read(keys: readonly FailureKey[], now: number): Promise<readonly (FailureCount | undefined)[]> {
    const names = keys.map(this.#nameOf);
    const rows = await this.#database.read(
      `SELECT name, points, expires_at FROM session_auth_throttle
      WHERE name IN (SELECT value FROM json_each(?)) AND expires_at > ?`,
      JSON.stringify(names),
      now,
    );
    const counts = new Map(rows.map((row) => [String(row[0]), decodeCount(row)]));
    return names.map((name) => counts.get(name));
  }

  override async add(failures: readonly NewFailure[], now: number): Promise<readonly FailureCount[]> {
    if (failures.length === 0) return [];
    return this.#database.write(({ all }) =>
      failures.map((failure) => {
        const [row] = all(COUNT_FAILURE, this.#nameOf(failure), now + failure.window, now, now);
        return decodeCount(row!);
      }),
    );
  }

  override async set(key: FailureKey, { count, until }: FailureCount): Promise<void> {
    await this.#database.write(({ run }) =>
      run(
        'INSERT OR REPLACE INTO session_auth_throttle (name, points, expires_at) VALUES (?, ?, ?)',
        this.#nameOf(key),
        count,
        until,
      ),
    );
  }

  override async delete(keys: readonly FailureKey[]): Promise<void> {
    if (keys.length === 0) return;
    await this.#database.write(({ run }) => {
      for (const key of keys) run('DELETE FROM session_auth_throttle WHERE name = ?', this.#nameOf(key));
    });
  }

  override async list(subject: string, now: number): Promise<readonly (FailureKey & FailureCount)[]> {
    const start = this.#nameOf({ subject, counter: '' });
    const rows = await this.#database.read(
      'SELECT name, points, expires_at FROM session_auth_throttle WHERE name >= ? AND name < ? AND expires_at > ?',
      start,
      start.slice(0, -1) + BEHIND_SEPARATOR,
      now,
    );
    return rows.map((row) => ({ subject, counter: String(row[0]).slice(start.length), ...decodeCount(row) }));
  }

  override async deleteExpired(now: number, limit: number): Promise<number> {
    const rows = { table: 'session_auth_throttle', key: 'name', keys: this.#keys };
    return deleteExpiredRows(this.#database, rows, now, limit);
  }

  readonly #nameOf = ({ subject, counter }: FailureKey): string => this.#keys.prefix + subject + SEPARATOR + counter;
}

function decodeCount([, points, expiresAt]: Row): FailureCount {
  return { count: Number(points), until: Number(expiresAt) };
}
