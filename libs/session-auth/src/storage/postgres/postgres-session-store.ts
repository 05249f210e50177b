import type { Admission } from '../../session/concurrency-limit.js';
import { corruptRecord, ifReadable } from '../../session/corrupt-record.js';
import { formatSessionCursor, parseSessionCursor } from '../../session/session-cursor.js';
import type { SessionData, SessionRecord } from '../../session/session-record.js';
import {
  SessionStore,
  type CreateOutcome,
  type DeleteByUserOutcome,
  type EndedSession,
  type FindOutcome,
  type RotateOutcome,
  type Rotation,
  type SessionList,
  type SessionPage,
  type Touch,
  type UpdateOutcome,
} from '../../session/session-store.js';
import { advisoryLock } from './advisory-lock.js';
import { findStatements, type FindStatements } from './find-statements.js';
import { PostgresDatabase, type PostgresStoreSettings } from './postgres-database.js';
import type { PostgresExecutor } from './postgres-executor.js';
import type { Row } from './postgres-statement.js';
import { decodeText, encodeText, textOrNull } from './postgres-text.js';
import {
  decodeData,
  decodeJsonRow,
  decodeRow,
  encodeChanges,
  encodePatch,
  encodeRow,
  jsonOrNull,
  parseJsonRow,
  stateOf,
} from './session-row.js';
import { SessionReads } from './session-reads.js';
import { sessionStatements, type SessionStatements } from './session-statements.js';
import { SESSION_TABLE, sessionTables } from './session-tables.js';
import { SWEEP_STEP, sweepStatements, type SweepStatements } from './sweep-statements.js';
import { untilSettled } from './until-settled.js';
import { UPDATE_STEP, userSessionStatements, type UserSessionStatements } from './user-session-statements.js';

const MAX_COUNT = 2 ** 31;

/**
 * Sessions in PostgreSQL 12 or later.
 *
 * Every operation is atomic. It is one statement on one connection, with these exceptions: `create` with a limit is a
 * transaction of three round trips, which holds a lock of its user. A `find` takes a second statement, which alone
 * decides, when it has to write, follows a digest in its grace or finds nothing; finds of the same moment share their
 * first one. `updateByUser` takes a statement for each thousand sessions, `deleteExpired` for each five hundred.
 *
 * Works under any default isolation level. Sizes, such as `maxBytes`, are bytes of UTF-8.
 */
export class PostgresSessionStore extends SessionStore {
  readonly #database: PostgresDatabase;
  readonly #sql: FindStatements & SessionStatements & UserSessionStatements & SweepStatements;
  readonly #reads: SessionReads;
  readonly #lockNamespace: string;

  constructor(executor: PostgresExecutor, settings: PostgresStoreSettings) {
    super();
    this.#database = new PostgresDatabase(executor, settings);
    const tables = sessionTables(settings.schema);
    this.#sql = {
      ...findStatements(tables),
      ...sessionStatements(tables),
      ...userSessionStatements(tables),
      ...sweepStatements(tables),
    };
    this.#reads = new SessionReads(this.#database, this.#sql);
    this.#lockNamespace = JSON.stringify([SESSION_TABLE, settings.schema]);
  }

  /**
   * Checks that the tables are there: called once at boot.
   *
   * @throws SessionAuthError `invalid_configuration` when the migration has not been run
   */
  async checkTables(): Promise<void> {
    await this.#database.checkTables(this.#sql.check);
  }

  override async create(record: SessionRecord, admission: Admission, now: number): Promise<CreateOutcome> {
    const { id, digest, userId } = record;
    const values = [...encodeRow(record), now];
    const limits = [Math.min(admission.max, MAX_COUNT), admission.onLimit];
    return untilSettled(async () => {
      const rows =
        userId === undefined || admission.max === Infinity
          ? await this.#database.run(this.#sql.insert, values)
          : await this.#database.runLocked(advisoryLock(this.#lockNamespace, userId), this.#sql.admit, [
              ...values,
              ...limits,
            ]);
      const outcomes = new Set(rows.map(([what]) => what));
      if (outcomes.has('added')) {
        const evicted = rows.filter(([what]) => what === 'evicted').map(([, handle]) => ({ id: handle!, userId }));
        return { status: 'created', evicted };
      }
      if (outcomes.has('exists')) return { status: 'exists' };
      if (outcomes.has('ended')) {
        await this.#database.run(this.#sql.clear, [id, encodeText(digest), now]);
        return undefined;
      }
      // without a limit no row comes back when another create was first by a moment: the next try sees its session
      return admission.max === Infinity || userId === undefined ? undefined : { status: 'limit_reached' };
    });
  }

  override async find(digest: string, touch: Touch): Promise<FindOutcome> {
    const values = [encodeText(digest), touch.now, touch.idle, touch.interval];
    const found = await this.#reads.find(encodeText(digest));
    if (found !== undefined) {
      const row = parseJsonRow(found);
      const state = stateOf(row, touch);
      if (state === 'current') return { status: 'live', record: decodeJsonRow(row) };
      const [touched] = state === 'due' ? await this.#database.run(this.#sql.touch, values) : [];
      if (touched !== undefined) return { status: 'live', record: decodeJsonRow(parseJsonRow(touched[0]!)) };
    }
    return untilSettled(async () => {
      const [row] = await this.#database.run(this.#sql.find, values);
      if (row === undefined) return { status: 'absent' };
      const [json, verdict] = row;
      if (verdict === 'lost') return undefined;
      const columns = parseJsonRow(json!);
      if (verdict === 'live') return { status: 'live', record: decodeJsonRow(columns) };
      return { status: 'expired', ended: endedOf(columns[0]!, columns[2]) };
    });
  }

  override async update(digest: string, patch: SessionData, now: number, maxBytes: number): Promise<UpdateOutcome> {
    const { starts, lines } = encodePatch(patch);
    const most = Math.min(maxBytes, Number.MAX_SAFE_INTEGER);
    return untilSettled(async () => {
      const values = [encodeText(digest), now, most, starts, lines];
      const [row] = await this.#database.run(this.#sql.update, values);
      switch (row?.[0]) {
        case undefined:
          return { status: 'absent' };
        case 'updated':
          return { status: 'updated', data: decodeData(row[1]!) };
        case 'too_large':
          return { status: 'too_large' };
        case 'corrupt':
          throw corruptRecord();
        default:
          return undefined;
      }
    });
  }

  override async rotate(digest: string, rotation: Rotation): Promise<RotateOutcome> {
    const { now, grace, changes } = rotation;
    const values = [encodeText(digest), now, encodeText(rotation.digest), grace, ...encodeChanges(changes)];
    return untilSettled(async () => {
      const [row] = await this.#database.run(this.#sql.rotate, values);
      if (row === undefined) return { status: 'absent' };
      const [what, ...columns] = row;
      if (what === 'rotated') return { status: 'rotated', record: decodeRow(columns) };
      return what === 'superseded' ? { status: 'superseded' } : undefined;
    });
  }

  override async delete(digest: string, now: number): Promise<EndedSession | undefined> {
    const [what, handle, userId] = await untilSettled(async () => {
      const [row] = await this.#database.run(this.#sql.delete, [encodeText(digest), now]);
      if (row === undefined) return [];
      return row[0] === 'lost' ? undefined : row;
    });
    return what === 'ended' ? endedOf(handle!, userId) : undefined;
  }

  override async list(userId: string, { limit, cursor }: SessionPage, now: number): Promise<SessionList> {
    const place = parseSessionCursor(cursor);
    const values = [encodeText(userId), now, limit + 1];
    const rows =
      place === undefined
        ? await this.#database.run(this.#sql.list, values)
        : await this.#database.run(this.#sql.listBehind, [...values, place.createdAt, place.id]);
    const page = rows.slice(0, limit);
    const last = page.at(-1);
    return {
      // a row that cannot be read must not hide the user's other sessions
      records: page.map((row) => ifReadable(() => decodeRow(row))).filter((record) => record !== undefined),
      next:
        rows.length > limit && last !== undefined
          ? formatSessionCursor({ createdAt: Number(last[5]), id: last[0]! })
          : undefined,
    };
  }

  override async deleteByHandle(userId: string, handle: string, now: number): Promise<EndedSession | undefined> {
    const values = [encodeText(userId), encodeText(handle), now];
    const [row] = await this.#database.run(this.#sql.deleteByHandle, values);
    return row?.[0] === 't' ? { id: handle, userId } : undefined;
  }

  override async deleteByUser(
    userId: string,
    { except, limit }: { readonly except?: string; readonly limit: number },
    now: number,
  ): Promise<DeleteByUserOutcome> {
    const values = [encodeText(userId), encodeText(except ?? ''), limit, now];
    const rows = await this.#database.run(this.#sql.deleteByUser, values);
    const ended = rows.filter(([what]) => what === 'ended').map(([, handle]) => ({ id: handle!, userId }));
    return { ended, more: rows.some(([what]) => what === 'more') };
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
      const values = [encodeText(userId), now, behind, roles, email];
      const rows: Row[] = await this.#database.run(this.#sql.updateByUser, values);
      const count = Number(rows[0]![0]);
      updated += count;
      behind = count < UPDATE_STEP ? null : rows[0]![1]!;
    }
    return updated;
  }

  override async deleteExpired(now: number, limit: number): Promise<readonly EndedSession[]> {
    const ended: EndedSession[] = [];
    for (let more = true; more && ended.length < limit;) {
      const rows = await this.#database.sweep(this.#sql.deleteExpired, [now, limit - ended.length]);
      for (const [what, handle, userId] of rows) if (what === 'removed') ended.push(endedOf(handle!, userId));
      more = rows.some(([what]) => what === 'more');
    }
    await this.#deleteGrace(now);
    return ended;
  }

  override withCleanupLock<T>(sweep: () => Promise<T>): Promise<T | undefined> {
    return this.#database.exclusively(advisoryLock(this.#lockNamespace, '\0cleanup'), sweep);
  }

  async #deleteGrace(now: number): Promise<void> {
    for (let removed = SWEEP_STEP; removed === SWEEP_STEP;) {
      const rows = await this.#database.sweep(this.#sql.deleteGrace, [now]);
      removed = Number(rows[0]![0]);
    }
  }
}

function endedOf(handle: string, userId: string | null | undefined): EndedSession {
  return { id: handle, userId: userId == null ? undefined : decodeText(userId) };
}
