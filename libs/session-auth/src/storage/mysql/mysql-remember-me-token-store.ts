import { sessionsOf } from '../../remember-me/remember-me-succession.js';
import {
  RememberMeTokenStore,
  type RememberMeReplacement,
  type RememberMeReplaceOutcome,
  type RememberMeTokenRecord,
} from '../../remember-me/remember-me-token-store.js';
import { StoredKeys } from '../postgres/stored-keys.js';
import { untilSettled } from '../postgres/until-settled.js';
import { deleteByKey } from './delete-by-key.js';
import { generationClauses, type GenerationClauses } from './generation-clauses.js';
import { MysqlDatabase, type MysqlStoreSettings } from './mysql-database.js';
import { corePoolOf, type MysqlPool } from './mysql-pool.js';
import type { StatementRunner } from './pooled-connection.js';
import { decodeToken, insertToken, tokenAssignments, tokenRow, withChanges } from './remember-me-row.js';
import { deleteExpiredRows } from './row-sweeps.js';
import { userKeyOf } from './session-row.js';
import { sql, type SqlText } from './sql-text.js';

/**
 * Remember-me tokens in MariaDB or MySQL. A read is one statement. A change of one record is a read, and a write that
 * succeeds only if the record's revision is unchanged. A call that may write several records of a user holds the lock
 * of the user.
 */
export class MysqlRememberMeTokenStore extends RememberMeTokenStore {
  readonly #database: MysqlDatabase;
  readonly #table: SqlText;
  readonly #keys: StoredKeys;
  readonly #generations: GenerationClauses;
  readonly #row: SqlText;

  /** @throws SessionAuthError `invalid_configuration` for anything but a pool of `mysql2` or `mysql2/promise` */
  constructor(
    private readonly pool: MysqlPool,
    private readonly settings: MysqlStoreSettings = {},
  ) {
    super();
    this.#keys = new StoredKeys(settings.realm);
    this.#database = new MysqlDatabase(corePoolOf(pool), settings);
    this.#table = this.#database.tables.rememberMe;
    this.#generations = generationClauses(this.#database.tables.generation, this.#keys, 'devices');
    this.#row = tokenRow(this.#generations);
  }

  /**
   * Checks that the table exists: called once at boot.
   *
   * @throws SessionAuthError `invalid_configuration` when `schema.sql` has not been run
   */
  async checkTables(): Promise<void> {
    await this.#database.checkTables(sql`SELECT ${this.#row}, user_key FROM ${this.#table} LIMIT 0`);
  }

  /** Where the records are: stores with the same place have the same records. */
  get place(): string {
    return this.#database.place;
  }

  override ofRealm(realm: string): MysqlRememberMeTokenStore {
    return new MysqlRememberMeTokenStore(this.pool, { ...this.settings, realm });
  }

  override async create(record: RememberMeTokenRecord, maxPerUser: number, now: number): Promise<void> {
    await this.#database.lockedByUser(this.#userKey(record.userId), now, async (transaction) => {
      const records = await this.#hold(transaction, record.userId);
      const kept = records.filter(({ expiresAt }) => expiresAt > now).slice(0, maxPerUser - 1);
      await this.#remove(
        transaction,
        records.filter((each) => !kept.includes(each)),
      );
      const owner = { userKey: this.#userKey(record.userId), keys: this.#keys, generations: this.#generations };
      await transaction.query(insertToken(this.#table, record, owner));
    });
  }

  override async find(selector: string, now: number): Promise<RememberMeTokenRecord | undefined> {
    const record = await this.#read(selector);
    return record && record.expiresAt > now ? record : undefined;
  }

  override async replace(
    selector: string,
    { revision, now, changes }: RememberMeReplacement,
  ): Promise<RememberMeReplaceOutcome> {
    return untilSettled<RememberMeReplaceOutcome>(async () => {
      const record = await this.find(selector, now);
      if (record === undefined) return { status: 'absent' };
      if (record.revision !== revision) return { status: 'changed', record };
      const written = await this.#database.write(sql`UPDATE ${this.#table}
        SET ${tokenAssignments(changes)} WHERE ${this.#isAt(selector, revision)}`);
      if (written === 0) return undefined;
      return { status: 'replaced', record: withChanges(record, changes) };
    });
  }

  override async delete(selector: string, now: number, revision?: number): Promise<RememberMeTokenRecord | undefined> {
    const settled = await untilSettled(async () => {
      const record = await this.#read(selector, Infinity);
      if (record === undefined || (revision !== undefined && record.revision !== revision))
        return { removed: undefined };
      const written = await this.#database.write(
        sql`DELETE FROM ${this.#table} WHERE ${this.#isAt(selector, record.revision ?? 0)}`,
      );
      return written === 0 ? undefined : { removed: record };
    });
    const { removed } = settled;
    return removed && removed.expiresAt > now ? removed : undefined;
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
    await this.#database.write(this.#generations.begin(createdBefore));
  }

  override async list(userId: string, now: number): Promise<readonly RememberMeTokenRecord[]> {
    const rows = await this.#database.read(sql`SELECT ${this.#row} FROM ${this.#table}
      WHERE user_key = ${this.#userKey(userId)} AND expires_at > ${now} AND ${this.#generations.isPresent}
      ORDER BY created_at DESC, handle DESC`);
    return rows.map((row) => decodeToken(row, this.#keys));
  }

  override async deleteExpired(now: number, limit: number): Promise<number> {
    const rows = { table: this.#table, key: 'selector', keys: this.#keys };
    return deleteExpiredRows(this.#database, rows, now, limit);
  }

  /** @param latest the latest version that the record may have */
  async #read(selector: string, latest?: number): Promise<RememberMeTokenRecord | undefined> {
    const [row] = await this.#database.read(
      sql`SELECT ${this.#row} FROM ${this.#table} WHERE selector = ${this.#keys.encode(selector)}`,
    );
    return row && decodeToken(row, this.#keys, latest);
  }

  /** Removes records of a user, and returns how many live ones there were. */
  async #removeOfUser(
    userId: string,
    now: number,
    isMeant: (record: RememberMeTokenRecord) => boolean,
  ): Promise<number> {
    return this.#database.lockedByUser(this.#userKey(userId), now, async (transaction) => {
      const meant = (await this.#hold(transaction, userId)).filter(isMeant);
      await this.#remove(transaction, meant);
      return meant.filter(({ expiresAt }) => expiresAt > now).length;
    });
  }

  /** Locks all records of a user, of any version, and returns them, newest first. */
  async #hold(transaction: StatementRunner, userId: string): Promise<readonly RememberMeTokenRecord[]> {
    const found = await transaction.query(
      sql`SELECT selector FROM ${this.#table} WHERE user_key = ${this.#userKey(userId)}`,
    );
    if (found.rows.length === 0) return [];
    const { rows } = await transaction.query(sql`SELECT ${this.#row} FROM ${this.#table} FORCE INDEX (PRIMARY)
      WHERE selector IN (${found.rows.map(([selector]) => selector!)}) ORDER BY selector FOR UPDATE`);
    const records = rows.map((row) => decodeToken(row, this.#keys, Infinity));
    return records.sort((a, b) => b.createdAt - a.createdAt || (a.id < b.id ? 1 : -1));
  }

  async #remove(transaction: StatementRunner, records: readonly RememberMeTokenRecord[]): Promise<void> {
    if (records.length === 0) return;
    const selectors = records.map(({ selector }) => Buffer.from(this.#keys.encode(selector)));
    await deleteByKey(transaction, this.#table, 'selector', selectors);
  }

  #isAt(selector: string, revision: number): SqlText {
    return sql`selector = ${this.#keys.encode(selector)} AND revision = ${revision}`;
  }

  #userKey(userId: string): Buffer {
    return userKeyOf(userId, this.#keys);
  }
}
