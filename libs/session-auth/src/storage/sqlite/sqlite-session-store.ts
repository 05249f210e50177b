import { handleOf } from '../../crypto/session-token.js';
import type { Admission } from '../../session/concurrency-limit.js';
import { ifReadable } from '../../session/corrupt-record.js';
import { formatSessionCursor, parseSessionCursor } from '../../session/session-cursor.js';
import { laterRecord } from '../../session/record-version.js';
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
import { encodeChanges, jsonOrNull, placeOf } from '../postgres/session-row.js';
import { StoredKeys } from '../postgres/stored-keys.js';
import { generationClauses, type GenerationClauses } from './generation-clauses.js';
import { isOwn } from './own-rows.js';
import { admitSession } from './session-admission.js';
import {
  decodeSession,
  expiryOf,
  findSession,
  ROTATE_SESSION,
  SESSION_ROW,
  storedSession,
  TOUCH_SESSION,
  UPDATE_DATA,
} from './session-row.js';
import { deleteBySteps } from './row-sweeps.js';
import { SqliteDatabase, type SqliteStoreSettings } from './sqlite-database.js';
import type { Row, SqliteConnection, SqliteHandle, SqliteValue } from './sqlite-handle.js';
import { countLaterSessions, updateSessions } from './user-sessions.js';

/** A text after every handle, because no handle has this character. */
const BEHIND_ALL = '\u{10ffff}';

/**
 * Sessions in SQLite, for the processes of one machine.
 *
 * Every operation is atomic. A read that writes nothing is one statement. A write is a transaction that holds the write
 * lock from its first statement and ends within the same turn of the event loop. There is no link. Sizes, such as
 * `maxBytes`, are bytes of UTF-8.
 */
export class SqliteSessionStore extends SessionStore {
  readonly #database: SqliteDatabase;
  readonly #keys: StoredKeys;
  readonly #generations: GenerationClauses;
  readonly #findSession: string;

  /** @throws SessionAuthError `invalid_configuration` for anything but a handle of `better-sqlite3` or `node:sqlite` */
  constructor(
    private readonly handle: SqliteHandle,
    private readonly settings: SqliteStoreSettings = {},
  ) {
    super();
    this.#keys = new StoredKeys(settings.realm);
    this.#database = new SqliteDatabase(handle, settings);
    this.#generations = generationClauses(this.#keys, 'sessions');
    this.#findSession = findSession(this.#generations);
  }

  /**
   * Checks the database and that the table exists: called once at boot.
   *
   * @throws SessionAuthError `invalid_configuration` when `schema.sql` has not been run, or the database is not in WAL
   *   mode
   */
  async checkTables(): Promise<void> {
    await this.#database.checkTables(
      `SELECT ${SESSION_ROW} FROM session_auth_session WHERE ${this.#generations.isPresent} LIMIT 0`,
    );
  }

  /** Whether sessions are in the memory of this process, and end with it. */
  async isInMemory(): Promise<boolean> {
    return this.#database.isInMemory();
  }

  /** Where the records are: stores with the same place have the same records. */
  get place(): string {
    return this.#database.place;
  }

  override ofRealm(realm: string): SqliteSessionStore {
    return new SqliteSessionStore(this.handle, { ...this.settings, realm });
  }

  override async create(record: SessionRecord, admission: Admission, now: number): Promise<CreateOutcome> {
    const given = { admission, now, keys: this.#keys, generations: this.#generations };
    return this.#database.write((connection) => admitSession(connection, record, given));
  }

  override async find(digest: string, touch: Touch): Promise<FindOutcome> {
    const [row] = await this.#database.read(this.#findSession, this.#handleOf(digest));
    return (
      this.#untouched(row, digest, touch) ??
      this.#database.write((connection) => {
        // again: another process may have changed it
        const row = this.#rowOf(connection, digest);
        return this.#untouched(row, digest, touch) ?? this.#touched(connection, row!, touch);
      })
    );
  }

  override async update(digest: string, patch: SessionData, now: number, maxBytes: number): Promise<UpdateOutcome> {
    return this.#database.write<UpdateOutcome>((connection) => {
      const record = this.#liveOf(this.#rowOf(connection, digest), now);
      if (record === undefined || !isHonoured(standingOf(record, digest, now))) return { status: 'absent' };
      const data = mergedData(record.data, patch, maxBytes);
      if (data === undefined) return { status: 'too_large' };
      connection.run(UPDATE_DATA, data, this.#handleOf(digest));
      return { status: 'updated', data: decodeData(data) };
    });
  }

  override async rotate(digest: string, { revision, now, changes }: Rotation): Promise<RotateOutcome> {
    return this.#database.write<RotateOutcome>((connection) => {
      const record = this.#liveOf(this.#rowOf(connection, digest), now);
      if (record === undefined) return { status: 'absent' };
      if ((record.revision ?? 0) !== revision) return { status: 'changed', record };
      const values = encodeChanges(changes) as SqliteValue[];
      const [rotated] = connection.all(ROTATE_SESSION, ...values, revision + 1, this.#handleOf(digest));
      return { status: 'rotated', record: decodeSession(rotated!, this.#keys) };
    });
  }

  override async delete(digest: string, now: number): Promise<EndedSession | undefined> {
    return this.#delete('handle = ?', [this.#handleOf(digest)], now);
  }

  override async list(userId: string, { limit, cursor }: SessionPage, now: number): Promise<SessionList> {
    const place = parseSessionCursor(cursor);
    const rows = await this.#database.read(
      `SELECT ${SESSION_ROW} FROM session_auth_session
      WHERE user_id = ? AND expires_at > ? AND (created_at, handle) < (?, ?) AND ${this.#generations.isPresent}
      ORDER BY created_at DESC, handle DESC LIMIT ?`,
      this.#keys.encodeUser(userId),
      now,
      place?.createdAt ?? Number.MAX_SAFE_INTEGER,
      place === undefined ? BEHIND_ALL : this.#keys.encode(place.id),
      limit + 1,
    );
    const page = rows.slice(0, limit);
    // a row that cannot be read must not hide the user's other sessions
    const records = page
      .map((row) => ifReadable(() => decodeSession(row, this.#keys)))
      .filter((record) => record !== undefined);
    const unreadable = page.length - records.length;
    const last = rows.length > limit ? page.at(-1) : undefined;
    const next = last && placeOf(storedSession(last), this.#keys);
    return { records, next: next && formatSessionCursor(next), ...(unreadable > 0 && { unreadable }) };
  }

  override async deleteByHandle(userId: string, handle: string, now: number): Promise<EndedSession | undefined> {
    const values = [this.#keys.encode(handle), this.#keys.encodeUser(userId)];
    return this.#delete('handle = ? AND user_id = ?', values, now);
  }

  override async deleteByUser(
    userId: string,
    { except, limit }: UserSessionsToEnd,
    now: number,
  ): Promise<DeleteByUserOutcome> {
    const which = 'user_id = ? AND handle <> ?';
    const values = [this.#keys.encodeUser(userId), except === undefined ? '' : this.#keys.encode(except)];
    return this.#database.write(({ all }) => {
      const removed = all(
        `DELETE FROM session_auth_session
        WHERE rowid IN (SELECT rowid FROM session_auth_session WHERE ${which} LIMIT ?)
        RETURNING handle, expires_at, ${this.#generations.isPresent}`,
        ...values,
        limit,
      );
      const left = all(`SELECT 1 FROM session_auth_session WHERE ${which} LIMIT 1`, ...values);
      const live = removed.filter(([, expiresAt, isPresent]) => Number(expiresAt) > now && isPresent === 1);
      return {
        ended: live.map(([handle]) => ({ id: this.#keys.decode(String(handle)), userId })),
        more: left.length > 0,
      };
    });
  }

  override async deleteByRealm({ createdBefore }: RealmSessionsToEnd): Promise<void> {
    await this.#database.write((connection) => this.#generations.begin(connection, createdBefore));
  }

  override async updateByUser(
    userId: string,
    changes: { readonly roles?: readonly string[]; readonly email?: string },
    now: number,
  ): Promise<number> {
    const values = [jsonOrNull(changes.roles), textOrNull(changes.email), this.#keys.encodeUser(userId), now];
    return this.#database.write(({ all, run }) => {
      const [[later] = []] = all(countLaterSessions(this.#generations), ...values.slice(2));
      if (later !== 0) throw laterRecord('of a later version');
      return run(updateSessions(this.#generations), ...values);
    });
  }

  override async deleteExpired(now: number, limit: number): Promise<readonly EndedSession[]> {
    const removed = await deleteBySteps(limit, (step) =>
      this.#database.write(({ all }) =>
        all(
          `DELETE FROM session_auth_session WHERE rowid IN (SELECT rowid FROM session_auth_session
          WHERE expires_at <= ? AND ${isOwn(this.#keys, 'handle')} ORDER BY expires_at LIMIT ?)
          RETURNING handle, user_id, ${this.#generations.isPresent}`,
          now,
          step,
        ),
      ),
    );
    return removed.map(([handle, userId, isPresent]) => ({
      ...this.#ended(handle!, userId!),
      ...(isPresent !== 1 && { isReported: true }),
    }));
  }

  /** Returns the outcome of a find that writes nothing; undefined when a write is needed. */
  #untouched(row: Row | undefined, digest: string, { now, interval }: Touch): FindOutcome | undefined {
    if (row === undefined) return { status: 'absent' };
    if (expiryOf(row) <= now) return undefined;
    const record = decodeSession(row, this.#keys);
    const isDue = now - record.lastActivityAt >= interval && isHonoured(standingOf(record, digest, now));
    return isDue ? undefined : { status: 'live', record };
  }

  #touched({ all, run }: SqliteConnection, row: Row, touch: Touch): FindOutcome {
    const { now, idle } = touch;
    const [handle, , userId] = row;
    if (expiryOf(row) <= now) {
      run('DELETE FROM session_auth_session WHERE handle = ?', handle!);
      return { status: 'expired', ended: this.#ended(handle!, userId!) };
    }
    const { absoluteExpiresAt } = decodeSession(row, this.#keys);
    const { ip, userAgent } = touch.client ?? {};
    const expiresAt = Math.min(now + idle, absoluteExpiresAt);
    const [touched] = all(TOUCH_SESSION, now, expiresAt, textOrNull(ip), textOrNull(userAgent), handle!);
    return { status: 'live', record: decodeSession(touched!, this.#keys) };
  }

  async #delete(which: string, values: readonly string[], now: number): Promise<EndedSession | undefined> {
    return this.#database.write(({ all }) => {
      const [removed] = all(
        `DELETE FROM session_auth_session WHERE ${which}
        RETURNING handle, user_id, expires_at, ${this.#generations.isPresent}`,
        ...values,
      );
      if (removed === undefined || Number(removed[2]) <= now || removed[3] !== 1) return undefined;
      return this.#ended(removed[0]!, removed[1]!);
    });
  }

  #rowOf({ all }: SqliteConnection, digest: string): Row | undefined {
    return all(this.#findSession, this.#handleOf(digest))[0];
  }

  /** @throws SessionAuthError `corrupt_session_record` */
  #liveOf(row: Row | undefined, now: number): SessionRecord | undefined {
    return row !== undefined && expiryOf(row) > now ? decodeSession(row, this.#keys) : undefined;
  }

  #ended(handle: SqliteValue, userId: SqliteValue): EndedSession {
    return {
      id: this.#keys.decode(String(handle)),
      userId: userId === null ? undefined : this.#keys.decodeUser(String(userId)),
    };
  }

  #handleOf(digest: string): string {
    return this.#keys.encode(handleOf(digest));
  }
}
