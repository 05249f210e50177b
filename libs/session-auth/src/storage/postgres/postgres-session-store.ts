import { handleOf } from '../../crypto/session-token.js';
import type { SessionEndReason } from '../../events/session-event.js';
import { HubSessionLink } from '../../link/hub-session-link.js';
import type { LinkHub } from '../../link/link-hub.js';
import { changesWhatIsTold } from '../../link/told-changes.js';
import { DEFAULT_REALM } from '../../realms/realm-name.js';
import type { Admission } from '../../session/concurrency-limit.js';
import { corruptRecord, ifReadable } from '../../session/corrupt-record.js';
import { formatSessionCursor, parseSessionCursor } from '../../session/session-cursor.js';
import { laterRecord } from '../../session/record-version.js';
import type { SessionData, SessionRecord } from '../../session/session-record.js';
import type { SessionLink } from '../../session/session-link.js';
import { isHonoured, standingOf } from '../../session/session-tokens.js';
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
import { advisoryLock, lockNamespace } from './advisory-lock.js';
import { createStatements, type CreateStatements } from './create-statements.js';
import { beginGeneration, generationClauses } from './generation-clauses.js';
import { linkClauses } from './link-clauses.js';
import { ExpiredSessions } from './expired-sessions.js';
import { findStatements, type FindStatements } from './find-statements.js';
import { PostgresDatabase } from './postgres-database.js';
import type { PostgresAccess } from './postgres-access.js';
import { linkHubOf, type PostgresLinked } from './postgres-link.js';
import { accessOf, type PostgresSource, type PostgresStoreOptions } from './postgres-source.js';
import { encodeArray, type PostgresStatement, type Row, type SqlValue } from './postgres-statement.js';
import { encodeText, textOrNull } from './postgres-text.js';
import { decodeAdmission, encodeAdmission } from './session-admission.js';
import { decodeData, encodePatch } from './session-data.js';
import { SessionReads } from './session-reads.js';
import { decodeRow, encodeChanges, encodeRow, expiryOf, jsonOrNull, parseRow, placeOf } from './session-row.js';
import { sessionStatements, type SessionStatements } from './session-statements.js';
import { SESSION_TABLE } from './session-tables.js';
import { StoredKeys } from './stored-keys.js';
import { sweepStatements, type SweepStatements } from './sweep-statements.js';
import { untilSettled } from './until-settled.js';
import { UPDATE_STEP, userSessionStatements, type UserSessionStatements } from './user-session-statements.js';

type Statements = CreateStatements & FindStatements & SessionStatements & UserSessionStatements & SweepStatements;

/**
 * Sessions in PostgreSQL 12 or later.
 *
 * Every operation is atomic. It is one statement on one connection, with these exceptions:
 *
 * - `create` for a user with a limit, a device or a session to replace, `deleteByUser` and `updateByUser` are
 *   transactions of three round trips that hold a lock of the user. `updateByUser` takes one for each thousand
 *   sessions.
 * - `find` takes a second statement when it must write. Simultaneous finds share their first statement, and the one
 *   that removes expired sessions.
 * - `update` with another token than the present one, and `rotate` of a session that has changed, take a second or
 *   third.
 * - `deleteExpired` takes a statement for each five hundred sessions.
 *
 * Works under any default isolation level. Sizes, such as `maxBytes`, are bytes of UTF-8.
 */
export class PostgresSessionStore extends SessionStore {
  readonly #access: PostgresAccess;
  readonly #hub: LinkHub | undefined;
  readonly #database: PostgresDatabase<Statements>;
  readonly #reads: SessionReads;
  readonly #expired: ExpiredSessions;
  readonly #lockNamespace: string;
  readonly #keys: StoredKeys;

  /**
   * @param source the application's pool or executor, which the application opens and closes
   * @throws SessionAuthError `invalid_configuration` for any other value, for an invalid schema name, and for a link of
   *   an executor without a url
   */
  constructor(
    source: PostgresSource | PostgresAccess,
    private readonly settings: PostgresStoreOptions & PostgresLinked = {},
  ) {
    super();
    this.#access = accessOf(source, settings);
    this.#hub = linkHubOf(this.#access, settings, settings);
    this.#keys = new StoredKeys(settings.realm);
    this.#database = new PostgresDatabase(this.#access, settings, SESSION_TABLE, (session, schema) => {
      const generations = generationClauses(schema, this.#keys, 'sessions');
      const link = linkClauses(session, this.#hub !== undefined, generations, this.#keys);
      return {
        ...createStatements(session, link, generations),
        ...findStatements(session, link, generations),
        ...sessionStatements(session, link, generations),
        ...userSessionStatements(session, link, generations),
        ...sweepStatements(session, this.#keys, link, generations),
      };
    });
    this.#reads = new SessionReads(this.#database);
    this.#expired = new ExpiredSessions(this.#database);
    this.#lockNamespace = lockNamespace(SESSION_TABLE, settings);
  }

  /**
   * Checks that the table exists: called once at boot.
   *
   * @throws SessionAuthError `invalid_configuration` when it is missing, or of an earlier version
   */
  async checkTables(): Promise<void> {
    await this.#database.checkTables((sql) => sql.check);
  }

  /** Where the records are: stores with the same place have the same records. */
  get place(): string {
    return `postgres ${this.settings.realm ?? DEFAULT_REALM}`;
  }

  override ofRealm(realm: string): PostgresSessionStore {
    return new PostgresSessionStore(this.#access, { ...this.settings, realm });
  }

  override link(): SessionLink | undefined {
    return this.#hub && new HubSessionLink(this.#hub, this.settings.realm ?? DEFAULT_REALM);
  }

  override async create(record: SessionRecord, admission: Admission, now: number): Promise<CreateOutcome> {
    const { userId, device } = record;
    const values = [...encodeRow(record, this.#keys), now];
    if (userId === undefined || (admission.max === Infinity && device === undefined && !admission.replaces)) {
      const rows = await this.#database.run((sql) => sql.insert, values);
      return rows.length > 0 ? { status: 'created', evicted: [], replaced: [] } : { status: 'exists', id: record.id };
    }
    values.push(...encodeAdmission(admission, this.#keys));
    return untilSettled(async () => {
      const rows = await this.#runLocked(userId, (sql) => sql.admit, values);
      return decodeAdmission(rows, userId, this.#keys);
    });
  }

  override async find(digest: string, touch: Touch): Promise<FindOutcome> {
    const { now, idle, interval } = touch;
    const handle = this.#keys.encode(handleOf(digest));
    let attempts = 0;
    return untilSettled(async () => {
      attempts += 1;
      const found = await this.#reads.find(handle);
      if (found === undefined) return { status: 'absent' };
      const row = parseRow(found);
      if (expiryOf(row) <= now) {
        const removed = await this.#expired.remove(handle, now, { waits: attempts > 1 });
        return removed && { status: 'expired', ended: this.#endedOf(removed) };
      }
      const record = decodeRow(row, this.#keys);
      if (now - record.lastActivityAt < interval || !isHonoured(standingOf(record, digest, now))) {
        return { status: 'live', record };
      }
      const { ip, userAgent } = touch.client ?? {};
      const values = [handle, record.revision ?? 0, now, idle, interval, textOrNull(ip), textOrNull(userAgent)];
      const [touched] = await this.#database.run((sql) => sql.touch, values);
      return touched && { status: 'live', record: decodeRow(parseRow(touched[0]!), this.#keys) };
    });
  }

  override async update(
    digest: string,
    patch: SessionData,
    now: number,
    maxBytes: number,
    isTold = false,
  ): Promise<UpdateOutcome> {
    const { starts, lines } = encodePatch(patch);
    const most = Math.min(maxBytes, Number.MAX_SAFE_INTEGER);
    const handle = this.#keys.encode(handleOf(digest));
    let revision: number | null = null;
    return untilSettled(async () => {
      const values = [handle, encodeText(digest), revision, now, most, encodeArray(starts), encodeArray(lines)];
      const [row] = await this.#database.run((sql) => (isTold ? sql.updateAndTell : sql.update), values);
      switch (row?.[0]) {
        case 'updated':
          return { status: 'updated', data: decodeData(row[1]!) };
        case 'too_large':
          return { status: 'too_large' };
        case 'corrupt':
          throw corruptRecord();
      }
      const record = await this.#readLive(handle, now);
      if (record === undefined || !isHonoured(standingOf(record, digest, now))) return { status: 'absent' };
      revision = record.revision ?? 0;
      return undefined;
    });
  }

  override async rotate(digest: string, { revision, now, changes, isTold }: Rotation): Promise<RotateOutcome> {
    const handle = this.#keys.encode(handleOf(digest));
    const values = [handle, revision, now, ...encodeChanges(changes)];
    const tells = this.#hub !== undefined && (isTold ?? changesWhatIsTold(changes));
    return untilSettled(async () => {
      const [rotated] = await this.#database.run((sql) => (tells ? sql.rotateAndTell : sql.rotate), values);
      if (rotated !== undefined) return { status: 'rotated', record: decodeRow(parseRow(rotated[0]!), this.#keys) };
      const record = await this.#readLive(handle, now);
      if (record === undefined) return { status: 'absent' };
      return (record.revision ?? 0) === revision ? undefined : { status: 'changed', record };
    });
  }

  override async delete(digest: string, now: number, reason?: SessionEndReason): Promise<EndedSession | undefined> {
    const values = this.#withReason([this.#keys.encode(handleOf(digest)), now], reason);
    const [removed] = await this.#database.run((sql) => sql.delete, values);
    return removed?.[2] === 'true' ? this.#endedOf(removed) : undefined;
  }

  override async list(userId: string, { limit, cursor }: SessionPage, now: number): Promise<SessionList> {
    const place = parseSessionCursor(cursor);
    const values = [this.#keys.encodeUser(userId), now, limit + 1];
    const rows =
      place === undefined
        ? await this.#database.run((sql) => sql.list, values)
        : await this.#database.run((sql) => sql.listBehind, [...values, place.createdAt, this.#keys.encode(place.id)]);
    const page = rows.slice(0, limit).map(([row]) => parseRow(row!));
    // a row that cannot be read must not hide the user's other sessions
    const records = page
      .map((row) => ifReadable(() => decodeRow(row, this.#keys)))
      .filter((record) => record !== undefined);
    const unreadable = page.length - records.length;
    const last = rows.length > limit ? page.at(-1) : undefined;
    const behind = last && placeOf(last, this.#keys);
    return { records, next: behind && formatSessionCursor(behind), ...(unreadable > 0 && { unreadable }) };
  }

  override async deleteByHandle(
    userId: string,
    handle: string,
    now: number,
    reason?: SessionEndReason,
  ): Promise<EndedSession | undefined> {
    const values = this.#withReason([this.#keys.encodeUser(userId), this.#keys.encode(handle), now], reason);
    const [row] = await this.#database.run((sql) => sql.deleteByHandle, values);
    return row?.[0] === 'true' ? { id: handle, userId } : undefined;
  }

  override async deleteByUser(
    userId: string,
    { except, limit, reason }: UserSessionsToEnd,
    now: number,
  ): Promise<DeleteByUserOutcome> {
    const left = except === undefined ? '' : this.#keys.encode(except);
    const values = this.#withReason([this.#keys.encodeUser(userId), left, limit, now], reason);
    const rows = await this.#runLocked(userId, (sql) => sql.deleteByUser, values);
    const ended = rows
      .filter(([what]) => what === 'ended')
      .map(([, handle]) => ({ id: this.#keys.decode(handle!), userId }));
    return { ended, more: rows.some(([what]) => what === 'more') };
  }

  override async deleteByRealm({ createdBefore, reason }: RealmSessionsToEnd): Promise<void> {
    const values = this.#withReason(beginGeneration(createdBefore), reason);
    await this.#database.run((sql) => sql.deleteByRealm, values);
  }

  override async updateByUser(
    userId: string,
    changes: { readonly roles?: readonly string[]; readonly email?: string },
    now: number,
  ): Promise<number> {
    const roles = jsonOrNull(changes.roles);
    const email = textOrNull(changes.email);
    let updated = 0;
    for (let behind: string | null = ''; behind !== null;) {
      const values = [this.#keys.encodeUser(userId), now, behind, roles, email];
      const rows: Row[] = await this.#runLocked(userId, (sql) => sql.updateByUser, values);
      const [sessions, last, later] = rows[0]!;
      if (Number(later) > 0) throw laterRecord('of a later version');
      const count = Number(sessions);
      updated += count;
      behind = count < UPDATE_STEP ? null : last!;
    }
    return updated;
  }

  override async deleteExpired(now: number, limit: number): Promise<readonly EndedSession[]> {
    const ended: EndedSession[] = [];
    for (let more = true; more && ended.length < limit;) {
      const rows = await this.#database.sweep((sql) => sql.deleteExpired, [now, limit - ended.length]);
      for (const [what, ...removed] of rows) {
        if (what === 'removed') ended.push(this.#endedOf(removed));
        if (what === 'reported') ended.push({ ...this.#endedOf(removed), isReported: true });
      }
      more = rows.some(([what]) => what === 'more');
    }
    return ended;
  }

  override withCleanupLock<T>(sweep: () => Promise<T>): Promise<T | undefined> {
    return this.#database.exclusively(advisoryLock(this.#lockNamespace, '\0cleanup'), sweep);
  }

  /** With a link, the statements have a parameter for the reason. */
  #withReason(values: readonly SqlValue[], reason: SessionEndReason = 'revoked'): readonly SqlValue[] {
    return this.#hub === undefined ? values : [...values, reason];
  }

  #runLocked(
    userId: string,
    pick: (sql: Statements) => PostgresStatement,
    values: readonly SqlValue[],
  ): Promise<Row[]> {
    return this.#database.runLocked(advisoryLock(this.#lockNamespace, userId), pick, values);
  }

  async #readLive(handle: string, now: number): Promise<SessionRecord | undefined> {
    const found = await this.#reads.find(handle);
    const row = found === undefined ? undefined : parseRow(found);
    return row !== undefined && expiryOf(row) > now ? decodeRow(row, this.#keys) : undefined;
  }

  /** @param row begins with a handle and a user */
  #endedOf([handle, userId]: Row): EndedSession {
    return { id: this.#keys.decode(handle!), userId: userId == null ? undefined : this.#keys.decodeUser(userId) };
  }
}
