import { handleOf } from '../../crypto/session-token.js';
import type { Admission } from '../../session/concurrency-limit.js';
import { ifReadable } from '../../session/corrupt-record.js';
import { formatSessionCursor, parseSessionCursor } from '../../session/session-cursor.js';
import type { SessionData, SessionRecord } from '../../session/session-record.js';
import {
  SessionStore,
  type CreateOutcome,
  type DeleteByUserOutcome,
  type EndedSession,
  type FindOutcome,
  type RealmSessionsToEnd,
  type RotateOutcome,
  type Rotation,
  type SessionList,
  type SessionPage,
  type Touch,
  type UpdateOutcome,
  type UserSessionsToEnd,
} from '../../session/session-store.js';
import { isHonoured, standingOf } from '../../session/session-tokens.js';
import { mergedData } from '../postgres/merged-data.js';
import { textOrNull } from '../postgres/postgres-text.js';
import { decodeData } from '../postgres/session-data.js';
import { decodeRow, expiryOf, placeOf } from '../postgres/session-row.js';
import { StoredKeys } from '../postgres/stored-keys.js';
import { generationClauses, type GenerationClauses } from './generation-clauses.js';
import { MysqlDatabase, type MysqlStoreSettings } from './mysql-database.js';
import { corePoolOf, type MysqlPool } from './mysql-pool.js';
import { addSession, admitSession } from './session-admission.js';
import { SessionChanges, type Decision } from './session-changes.js';
import {
  changedColumns,
  decodeSessionRow,
  insertSession,
  raisedVersion,
  SESSION_ROW,
  userKeyOf,
  withColumns,
} from './session-row.js';
import type { ColumnChanges, SessionRow } from './session-row.js';
import { SessionSweeps } from './session-sweeps.js';
import { sql, type SqlText } from './sql-text.js';
import { endSessionsOfUser, updateSessionsOfUser } from './user-sessions.js';
import { untilSettled } from '../postgres/until-settled.js';

/**
 * Sessions in MariaDB 10.6, MySQL 8.0.1 or later.
 *
 * Every operation is atomic. A read that writes nothing is one statement: finds, lists and logins without a limit.
 * Simultaneous finds share it. A change of one session is two statements. `create` for a user with a limit, a device or
 * a session to replace, `deleteByUser` and `updateByUser` are transactions that hold a lock of the user. There is no
 * link.
 *
 * Works under any isolation level and `sql_mode`, and with any options of the pool. Sizes, such as `maxBytes`, are
 * bytes of UTF-8.
 */
export class MysqlSessionStore extends SessionStore {
  readonly #database: MysqlDatabase;
  readonly #table: SqlText;
  readonly #changes: SessionChanges;
  readonly #sweeps: SessionSweeps;
  readonly #keys: StoredKeys;
  readonly #generations: GenerationClauses;

  /** @throws SessionAuthError `invalid_configuration` for anything but a pool of `mysql2` or `mysql2/promise` */
  constructor(
    private readonly pool: MysqlPool,
    private readonly settings: MysqlStoreSettings = {},
  ) {
    super();
    this.#keys = new StoredKeys(settings.realm);
    this.#database = new MysqlDatabase(corePoolOf(pool), settings);
    this.#table = this.#database.tables.session;
    this.#generations = generationClauses(this.#database.tables.generation, this.#keys, 'sessions');
    this.#changes = new SessionChanges(this.#database, this.#generations);
    this.#sweeps = new SessionSweeps(this.#database, this.#keys, this.#generations);
  }

  /**
   * Checks that the table exists: called once at boot.
   *
   * @throws SessionAuthError `invalid_configuration` when `schema.sql` has not been run
   */
  async checkTables(): Promise<void> {
    await this.#database.checkTables(sql`SELECT ${SESSION_ROW}, user_key FROM ${this.#table}
      WHERE ${this.#generations.isPresent} LIMIT 0`);
  }

  /** Where the records are: stores with the same place have the same records. */
  get place(): string {
    return this.#database.place;
  }

  override ofRealm(realm: string): MysqlSessionStore {
    return new MysqlSessionStore(this.pool, { ...this.settings, realm });
  }

  override async create(record: SessionRecord, admission: Admission, now: number): Promise<CreateOutcome> {
    const { userId, device } = record;
    if (userId === undefined || (admission.max === Infinity && device === undefined && !admission.replaces)) {
      const isAdded = await addSession(
        { query: async (statement) => ({ rows: [], affected: await this.#database.write(statement) }) },
        this.#table,
        insertSession(this.#table, record, this.#keys, this.#generations),
        { handle: this.#keys.encode(record.id), now, generations: this.#generations },
      );
      return isAdded ? { status: 'created', evicted: [], replaced: [] } : { status: 'exists', id: record.id };
    }
    const given = { admission, now, keys: this.#keys, generations: this.#generations };
    return untilSettled(() =>
      this.#database.lockedByUser(this.#userKey(userId), now, (transaction) =>
        admitSession(transaction, this.#table, { ...record, userId }, given),
      ),
    );
  }

  override async find(digest: string, touch: Touch): Promise<FindOutcome> {
    const { now, idle, interval } = touch;
    return this.#changes.change<FindOutcome>(this.#handle(digest), (row) => {
      if (row === undefined) return { outcome: { status: 'absent' } };
      if (expiryOf(row.stored) <= now) {
        return { outcome: { status: 'expired', ended: this.#endedOf(row) }, write: 'delete' };
      }
      const record = decodeRow(row.stored, this.#keys);
      if (now - record.lastActivityAt < interval || !isHonoured(standingOf(record, digest, now))) {
        return { outcome: { status: 'live', record } };
      }
      const { ip, userAgent } = touch.client ?? {};
      const expiresAt = Math.min(now + idle, record.absoluteExpiresAt);
      return this.#written(row, {
        last_activity_at: now,
        expires_at: expiresAt,
        sweep_at: Math.min(row.sweepAt, expiresAt),
        ...(ip !== undefined && { ip: textOrNull(ip)! }),
        ...(userAgent !== undefined && { user_agent: textOrNull(userAgent)! }),
      });
    });
  }

  override async update(digest: string, patch: SessionData, now: number, maxBytes: number): Promise<UpdateOutcome> {
    return this.#changes.change<UpdateOutcome>(this.#handle(digest), (row) => {
      const record = this.#liveOf(row, now);
      if (record === undefined || !isHonoured(standingOf(record, digest, now))) {
        return { outcome: { status: 'absent' } };
      }
      const data = mergedData(record.data, patch, maxBytes);
      if (data === undefined) return { outcome: { status: 'too_large' } };
      return {
        outcome: { status: 'updated', data: decodeData(data) },
        write: { data, record_version: raisedVersion(row!) },
      };
    });
  }

  override async rotate(digest: string, { revision, now, changes }: Rotation): Promise<RotateOutcome> {
    return this.#changes.change<RotateOutcome>(this.#handle(digest), (row) => {
      const record = this.#liveOf(row, now);
      if (record === undefined) return { outcome: { status: 'absent' } };
      if ((record.revision ?? 0) !== revision) return { outcome: { status: 'changed', record } };
      const columns = { ...changedColumns(row!, changes), revision: revision + 1 };
      const rotated = decodeRow(withColumns(row!, columns), this.#keys);
      return { outcome: { status: 'rotated', record: rotated }, write: columns };
    });
  }

  override async delete(digest: string, now: number): Promise<EndedSession | undefined> {
    return this.#delete(this.#handle(digest), now, () => true);
  }

  override async list(userId: string, { limit, cursor }: SessionPage, now: number): Promise<SessionList> {
    const place = parseSessionCursor(cursor);
    const behind =
      place === undefined
        ? sql``
        : sql` AND created_at <= ${place.createdAt}
          AND (created_at < ${place.createdAt} OR handle < ${this.#keys.encode(place.id)})`;
    const rows = await this.#database.read(sql`SELECT ${SESSION_ROW} FROM ${this.#table}
      WHERE user_key = ${this.#userKey(userId)} AND expires_at > ${now}${behind}
        AND ${this.#generations.isPresent}
      ORDER BY created_at DESC, handle DESC LIMIT ${limit + 1}`);
    const page = rows.slice(0, limit).map((row) => decodeSessionRow(row).stored);
    // a row that cannot be read must not hide the user's other sessions
    const records = page
      .map((row) => ifReadable(() => decodeRow(row, this.#keys)))
      .filter((record) => record !== undefined);
    const unreadable = page.length - records.length;
    const last = rows.length > limit ? page.at(-1) : undefined;
    const next = last && placeOf(last, this.#keys);
    return { records, next: next && formatSessionCursor(next), ...(unreadable > 0 && { unreadable }) };
  }

  override async deleteByHandle(userId: string, handle: string, now: number): Promise<EndedSession | undefined> {
    return this.#delete(this.#keys.encode(handle), now, (ended) => ended.userId === userId);
  }

  override async deleteByUser(
    userId: string,
    { except, limit }: UserSessionsToEnd,
    now: number,
  ): Promise<DeleteByUserOutcome> {
    const left = except === undefined ? '' : this.#keys.encode(except);
    const { handles, more } = await this.#database.lockedByUser(this.#userKey(userId), now, (transaction) =>
      endSessionsOfUser(transaction, this.#table, this.#userKey(userId), {
        except: left,
        limit,
        now,
        generations: this.#generations,
      }),
    );
    return { ended: handles.map((handle) => ({ id: this.#keys.decode(handle), userId })), more };
  }

  override async deleteByRealm({ createdBefore }: RealmSessionsToEnd): Promise<void> {
    await this.#database.write(this.#generations.begin(createdBefore));
  }

  override async updateByUser(
    userId: string,
    changes: { readonly roles?: readonly string[]; readonly email?: string },
    now: number,
  ): Promise<number> {
    const userKey = this.#userKey(userId);
    return this.#database.lockedByUser(userKey, now, (transaction) =>
      updateSessionsOfUser(transaction, this.#table, userKey, changes, { now, generations: this.#generations }),
    );
  }

  override async deleteExpired(now: number, limit: number): Promise<readonly EndedSession[]> {
    return this.#sweeps.deleteExpired(now, limit);
  }

  override withCleanupLock<T>(sweep: () => Promise<T>): Promise<T | undefined> {
    return this.#database.exclusively('cleanup', sweep);
  }

  #delete(handle: string, now: number, isMeant: (session: EndedSession) => boolean): Promise<EndedSession | undefined> {
    return this.#changes.change<EndedSession | undefined>(handle, (row) => {
      const ended = row && this.#endedOf(row);
      if (ended === undefined || !isMeant(ended)) return { outcome: undefined };
      return { outcome: expiryOf(row!.stored) > now ? ended : undefined, write: 'delete' };
    });
  }

  #written(row: SessionRow, write: ColumnChanges): Decision<FindOutcome> {
    return { outcome: { status: 'live', record: decodeRow(withColumns(row, write), this.#keys) }, write };
  }

  /** @throws SessionAuthError `corrupt_session_record` */
  #liveOf(row: SessionRow | undefined, now: number): SessionRecord | undefined {
    return row !== undefined && expiryOf(row.stored) > now ? decodeRow(row.stored, this.#keys) : undefined;
  }

  #endedOf({ stored: [handle, , userId] }: SessionRow): EndedSession {
    return { id: this.#keys.decode(handle), userId: userId === null ? undefined : this.#keys.decodeUser(userId) };
  }

  #handle(digest: string): string {
    return this.#keys.encode(handleOf(digest));
  }

  #userKey(userId: string): Buffer {
    return userKeyOf(userId, this.#keys);
  }
}
