import { sessionsOf } from '../../remember-me/remember-me-succession.js';
import {
  RememberMeTokenStore,
  type RememberMeReplacement,
  type RememberMeReplaceOutcome,
  type RememberMeTokenRecord,
} from '../../remember-me/remember-me-token-store.js';
import { StoredKeys } from '../postgres/stored-keys.js';
import { generationClauses, type GenerationClauses } from './generation-clauses.js';
import {
  CHANGE_TOKEN,
  decodeToken,
  encodeToken,
  encodeTokenChanges,
  insertToken,
  tokenRow,
} from './remember-me-row.js';
import { deleteExpiredRows } from './row-sweeps.js';
import { SqliteDatabase, type SqliteStoreSettings } from './sqlite-database.js';
import type { SqliteConnection, SqliteHandle } from './sqlite-handle.js';

/** Remember-me tokens in SQLite. A read is one statement; a write is a transaction within one turn. */
export class SqliteRememberMeTokenStore extends RememberMeTokenStore {
  readonly #database: SqliteDatabase;
  readonly #keys: StoredKeys;
  readonly #generations: GenerationClauses;
  readonly #row: string;
  readonly #findToken: string;

  /** @throws SessionAuthError `invalid_configuration` for anything but a handle of `better-sqlite3` or `node:sqlite` */
  constructor(
    private readonly handle: SqliteHandle,
    private readonly settings: SqliteStoreSettings = {},
  ) {
    super();
    this.#keys = new StoredKeys(settings.realm);
    this.#database = new SqliteDatabase(handle, settings);
    this.#generations = generationClauses(this.#keys, 'devices');
    this.#row = tokenRow(this.#generations);
    this.#findToken = `SELECT ${this.#row} FROM session_auth_remember_me WHERE selector = ?`;
  }

  /**
   * Checks the database and that the table exists: called once at boot.
   *
   * @throws SessionAuthError `invalid_configuration` when `schema.sql` has not been run, or the database is not in WAL
   *   mode
   */
  async checkTables(): Promise<void> {
    await this.#database.checkTables(`SELECT ${this.#row} FROM session_auth_remember_me LIMIT 0`);
  }

  /** Where the records are: stores with the same place have the same records. */
  get place(): string {
    return this.#database.place;
  }

  override ofRealm(realm: string): SqliteRememberMeTokenStore {
    return new SqliteRememberMeTokenStore(this.handle, { ...this.settings, realm });
  }

  override async create(record: RememberMeTokenRecord, maxPerUser: number, now: number): Promise<void> {
    const user = this.#keys.encodeUser(record.userId);
    await this.#database.write(({ run }) => {
      run(
        `DELETE FROM session_auth_remember_me WHERE user_id = ? AND rowid NOT IN (
          SELECT rowid FROM session_auth_remember_me WHERE user_id = ? AND expires_at > ? AND ${this.#generations.isPresent}
          ORDER BY created_at DESC, handle DESC LIMIT ?)`,
        user,
        user,
        now,
        maxPerUser - 1,
      );
      run(insertToken(this.#generations), ...encodeToken(record, this.#keys));
    });
  }

  override async find(selector: string, now: number): Promise<RememberMeTokenRecord | undefined> {
    const [row] = await this.#database.read(this.#findToken, this.#keys.encode(selector));
    const record = row && decodeToken(row, this.#keys);
    return record && record.expiresAt > now ? record : undefined;
  }

  override async replace(
    selector: string,
    { revision, now, changes }: RememberMeReplacement,
  ): Promise<RememberMeReplaceOutcome> {
    return this.#database.write<RememberMeReplaceOutcome>((connection) => {
      const record = this.#recordOf(connection, selector);
      if (record === undefined || record.expiresAt <= now) return { status: 'absent' };
      if (record.revision !== revision) return { status: 'changed', record };
      const [row] = connection.all(CHANGE_TOKEN, ...encodeTokenChanges(changes), this.#keys.encode(selector));
      return { status: 'replaced', record: decodeToken(row!, this.#keys) };
    });
  }

  override async delete(selector: string, now: number, revision?: number): Promise<RememberMeTokenRecord | undefined> {
    return this.#database.write((connection) => {
      const record = this.#recordOf(connection, selector, Infinity);
      if (record === undefined || (revision !== undefined && record.revision !== revision)) return undefined;
      this.#remove(connection, record);
      return record.expiresAt > now ? record : undefined;
    });
  }

  override async deleteById(userId: string, id: string, now: number): Promise<boolean> {
    return (await this.#removeOfUser(userId, now, (record) => record.id === id)) > 0;
  }

  override async deleteBySession(userId: string, sessionId: string, now: number): Promise<number> {
    return this.#removeOfUser(userId, now, (record) => sessionsOf(record).includes(sessionId));
  }

  override async deleteByUser(userId: string, exceptSessionId: string | undefined, now: number): Promise<number> {
    return this.#removeOfUser(
      userId,
      now,
      (record) => exceptSessionId === undefined || !sessionsOf(record).includes(exceptSessionId),
    );
  }

  override async deleteByRealm({ createdBefore }: { readonly createdBefore?: number }): Promise<void> {
    await this.#database.write((connection) => this.#generations.begin(connection, createdBefore));
  }

  override async list(userId: string, now: number): Promise<readonly RememberMeTokenRecord[]> {
    const rows = await this.#database.read(this.#tokensOfUser(), this.#keys.encodeUser(userId));
    const records = rows.map((row) => decodeToken(row, this.#keys));
    return records.filter(({ expiresAt }) => expiresAt > now);
  }

  override async deleteExpired(now: number, limit: number): Promise<number> {
    const rows = { table: 'session_auth_remember_me', key: 'selector', keys: this.#keys };
    return deleteExpiredRows(this.#database, rows, now, limit);
  }

  #tokensOfUser(): string {
    return `SELECT ${this.#row} FROM session_auth_remember_me WHERE user_id = ? ORDER BY created_at DESC, handle DESC`;
  }

  /** Removes records of a user, including expired ones, and returns how many live ones there were. */
  async #removeOfUser(
    userId: string,
    now: number,
    isMeant: (record: RememberMeTokenRecord) => boolean,
  ): Promise<number> {
    return this.#database.write((connection) => {
      const rows = connection.all(this.#tokensOfUser(), this.#keys.encodeUser(userId));
      const meant = rows.map((row) => decodeToken(row, this.#keys, Infinity)).filter(isMeant);
      for (const record of meant) this.#remove(connection, record);
      return meant.filter(({ expiresAt }) => expiresAt > now).length;
    });
  }

  /** @param latest the latest version that the record may have */
  #recordOf({ all }: SqliteConnection, selector: string, latest?: number): RememberMeTokenRecord | undefined {
    const [row] = all(this.#findToken, this.#keys.encode(selector));
    return row && decodeToken(row, this.#keys, latest);
  }

  #remove({ run }: SqliteConnection, { selector }: RememberMeTokenRecord): void {
    run('DELETE FROM session_auth_remember_me WHERE selector = ?', this.#keys.encode(selector));
  }
}
