import {
  formatSessionCursor,
  handleOf,
  isHonoured,
  parseSessionCursor,
  planAdmission,
  sessionDataBytes,
  SessionStore,
  standingOf,
  withRoles,
  type Admission,
  type CreateOutcome,
  type DeleteByUserOutcome,
  type EndedSession,
  type FindOutcome,
  type RotateOutcome,
  type Rotation,
  type SessionData,
  type SessionList,
  type SessionPage,
  type SessionRecord,
  type Touch,
  type UpdateOutcome,
} from 'nestjs-session-auth';
import type { DataSource } from 'typeorm';
import { findAndTouch } from './find-and-touch.js';
import { OneAtATime } from './one-at-a-time.js';
import { SessionRows } from './session-rows.js';

const TABLES = [
  `CREATE TABLE IF NOT EXISTS session (realm TEXT, handle TEXT, user_id TEXT, created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL, record TEXT NOT NULL, PRIMARY KEY (realm, handle))`,
  `CREATE INDEX IF NOT EXISTS session_user ON session (realm, user_id, created_at, handle)`,
  `CREATE INDEX IF NOT EXISTS session_expiry ON session (realm, expires_at)`,
];

/**
 * Sessions in SQLite, for an application of one process: the database has one connection, and what is to happen in one
 * step happens in one transaction, one after the other.
 */
export class SqliteSessionStore extends SessionStore {
  readonly #rows: SessionRows;

  constructor(
    private readonly database: DataSource,
    realm = 'default',
    /** The stores of all realms take turns on the connection. */
    private readonly turns = new OneAtATime(database),
  ) {
    super();
    this.#rows = new SessionRows(database, realm);
  }

  override ofRealm(realm: string): SqliteSessionStore {
    return new SqliteSessionStore(this.database, realm, this.turns);
  }

  async createTables(): Promise<void> {
    for (const table of TABLES) await this.database.query(table);
  }

  override create(record: SessionRecord, admission: Admission, now: number): Promise<CreateOutcome> {
    return this.turns.run(async () => {
      const present = await this.#load(record.id);
      if (present !== undefined && present.expiresAt > now) return { status: 'exists', id: record.id };
      const live = record.userId === undefined ? [] : await this.#liveOf(record.userId, now);
      const plan = planAdmission(record, live, admission, now);
      if (plan.status !== 'admitted') return plan;
      const { evicted, replaced } = plan;
      for (const session of [...evicted, ...replaced]) await this.#rows.remove(session);
      await this.#rows.save(record);
      return { status: 'created', evicted: evicted.map(endedOf), replaced: replaced.map(endedOf) };
    });
  }

  override find(digest: string, touch: Touch): Promise<FindOutcome> {
    return this.turns.run(() => findAndTouch(this.#rows, digest, touch));
  }

  override update(digest: string, patch: SessionData, now: number, maxBytes: number): Promise<UpdateOutcome> {
    return this.turns.run(async () => {
      const record = await this.#loadLive(digest, now);
      if (record === undefined || !isHonoured(standingOf(record, digest, now))) return { status: 'absent' };
      const data = withoutUndefined({ ...record.data, ...patch });
      const bytes = sessionDataBytes(data);
      if (bytes > maxBytes && bytes > sessionDataBytes(record.data)) return { status: 'too_large' };
      return { status: 'updated', data: (await this.#rows.save({ ...record, data })).data };
    });
  }

  override rotate(digest: string, { revision, now, changes }: Rotation): Promise<RotateOutcome> {
    return this.turns.run(async () => {
      const record = await this.#loadLive(digest, now);
      if (record === undefined) return { status: 'absent' };
      if ((record.revision ?? 0) !== revision) return { status: 'changed', record };
      const rotated = { ...record, ...withoutUndefined(changes), revision: revision + 1 };
      return { status: 'rotated', record: await this.#rows.save(rotated) };
    });
  }

  override delete(digest: string, now: number): Promise<EndedSession | undefined> {
    return this.turns.run(async () => this.#end(await this.#load(handleOf(digest)), now));
  }

  override list(userId: string, { limit, cursor }: SessionPage, now: number): Promise<SessionList> {
    return this.turns.run(async () => {
      const place = parseSessionCursor(cursor) ?? { createdAt: Number.MAX_SAFE_INTEGER, id: '' };
      const found = await this.#rows.select(
        `user_id = ? AND expires_at > ? AND (created_at, handle) < (?, ?)
          ORDER BY created_at DESC, handle DESC LIMIT ?`,
        [userId, now, place.createdAt, place.id, limit + 1],
      );
      const records = found.slice(0, limit);
      return { records, next: found.length > limit ? formatSessionCursor(records.at(-1)!) : undefined };
    });
  }

  override deleteByHandle(userId: string, handle: string, now: number): Promise<EndedSession | undefined> {
    return this.turns.run(async () => {
      const [record] = await this.#rows.select('handle = ? AND user_id = ?', [handle, userId]);
      return this.#end(record, now);
    });
  }

  override deleteByUser(
    userId: string,
    { except = '', limit }: { readonly except?: string; readonly limit: number },
    now: number,
  ): Promise<DeleteByUserOutcome> {
    return this.turns.run(async () => {
      const found = await this.#rows.select('user_id = ? AND handle <> ? LIMIT ?', [userId, except, limit + 1]);
      const ended: EndedSession[] = [];
      for (const record of found.slice(0, limit)) {
        const session = await this.#end(record, now);
        if (session !== undefined) ended.push(session);
      }
      return { ended, more: found.length > limit };
    });
  }

  override updateByUser(
    userId: string,
    changes: { readonly roles?: readonly string[]; readonly email?: string },
    now: number,
  ): Promise<number> {
    return this.turns.run(async () => {
      const live = await this.#liveOf(userId, now);
      for (const record of live) {
        const { email = record.email, roles } = changes;
        const revision = (record.revision ?? 0) + 1;
        await this.#rows.save({ ...record, ...withRoles(record, roles), email, rotatedAt: 0, revision });
      }
      return live.length;
    });
  }

  override deleteExpired(now: number, limit: number): Promise<readonly EndedSession[]> {
    return this.turns.run(async () => {
      const expired = await this.#rows.select('expires_at <= ? LIMIT ?', [now, limit]);
      for (const record of expired) await this.#rows.remove(record);
      return expired.map(endedOf);
    });
  }

  /** The session of a handle, expired or not. */
  async #load(handle: string): Promise<SessionRecord | undefined> {
    return (await this.#rows.select('handle = ?', [handle]))[0];
  }

  async #loadLive(digest: string, now: number): Promise<SessionRecord | undefined> {
    const record = await this.#load(handleOf(digest));
    return record !== undefined && record.expiresAt > now ? record : undefined;
  }

  #liveOf(userId: string, now: number): Promise<SessionRecord[]> {
    return this.#rows.select('user_id = ? AND expires_at > ? ORDER BY created_at, handle', [userId, now]);
  }

  async #end(record: SessionRecord | undefined, now: number): Promise<EndedSession | undefined> {
    if (record === undefined) return undefined;
    await this.#rows.remove(record);
    return record.expiresAt > now ? endedOf(record) : undefined;
  }
}

function endedOf({ id, userId }: SessionRecord): EndedSession {
  return { id, userId };
}

function withoutUndefined<T extends object>(values: T): T {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as T;
}
