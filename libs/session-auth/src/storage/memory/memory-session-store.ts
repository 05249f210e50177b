import { handleOf } from '../../crypto/session-token.js';
import type { SessionEndReason } from '../../events/session-event.js';
import { SessionAuthError } from '../../errors/session-auth.error.js';
import { DEFAULT_REALM } from '../../realms/realm-name.js';
import { planAdmission, type Admission } from '../../session/concurrency-limit.js';
import type { SessionEnd } from '../../session/session-link.js';
import { formatSessionCursor, isBehind, newestFirst, parseSessionCursor } from '../../session/session-cursor.js';
import { recordWith } from '../../session/record-copy.js';
import type { SessionData, SessionRecord } from '../../session/session-record.js';
import { isHonoured, standingOf, withRoles } from '../../session/session-tokens.js';
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
import { changesWhatIsTold } from '../../link/told-changes.js';
import { MemorySessionLink } from './memory-session-link.js';

/**
 * A record with its data as JSON text by key, so that callers cannot change it, and sizes equal those of other stores.
 */
type Entry = Omit<SessionRecord, 'data'> & { readonly json: ReadonlyMap<string, string> };

/** The most sessions in a store, unless it is given another number. */
export const DEFAULT_MEMORY_SESSIONS = 100_000;

const SWEEP_PAUSE = 1000;

/**
 * Sessions in the memory of this process: for development, tests and applications on a single node that may lose all
 * sessions at a restart.
 *
 * A full store removes expired records. If that is not enough, `create` rejects with `session_store_unavailable`: it
 * never ends another user's session.
 */
export class MemorySessionStore extends SessionStore {
  readonly #ofRealms = new Map<string, MemorySessionStore>();
  readonly #maxSessions: number;
  /** By handle. */
  readonly #entries = new Map<string, Entry>();
  readonly #handlesByUser = new Map<string, Set<string>>();
  readonly #link: MemorySessionLink;
  #sweptAt = -Infinity;

  constructor(options: { readonly maxSessions?: number; readonly realm?: string } = {}) {
    super();
    this.#maxSessions = options.maxSessions ?? DEFAULT_MEMORY_SESSIONS;
    this.#link = new MemorySessionLink(options.realm ?? DEFAULT_REALM);
  }

  /** How many records the store holds, including expired ones that no sweep has removed yet. */
  get size(): number {
    return this.#entries.size;
  }

  override ofRealm(realm: string): MemorySessionStore {
    const store = this.#ofRealms.get(realm) ?? new MemorySessionStore({ maxSessions: this.#maxSessions, realm });
    this.#ofRealms.set(realm, store);
    return store;
  }

  override link(): MemorySessionLink {
    return this.#link;
  }

  override async create(record: SessionRecord, admission: Admission, now: number): Promise<CreateOutcome> {
    const namesake = this.#entries.get(record.id);
    if (namesake !== undefined && namesake.expiresAt > now) return { status: 'exists', id: record.id };
    if (namesake !== undefined) this.#end(namesake, 'expired');
    const live = record.userId === undefined ? [] : this.#liveOf(record.userId, now);
    const plan = planAdmission(record, live, admission, now);
    if (plan.status !== 'admitted') return plan;
    const { evicted, replaced } = plan;
    if (evicted.length + replaced.length === 0) this.#makeRoom(now);
    for (const entry of evicted) this.#end(entry, 'evicted');
    for (const entry of replaced) this.#end(entry, 'replaced');
    const { data, ...fields } = structuredClone(record);
    this.#put({ ...fields, json: merge(new Map(), data) });
    return { status: 'created', evicted: evicted.map(ended), replaced: replaced.map(ended) };
  }

  override async find(digest: string, touch: Touch): Promise<FindOutcome> {
    const { now, idle, interval } = touch;
    const entry = this.#entries.get(handleOf(digest));
    if (entry === undefined) return { status: 'absent' };
    if (entry.expiresAt <= now) {
      this.#end(entry, 'expired');
      return { status: 'expired', ended: ended(entry) };
    }
    if (now - entry.lastActivityAt < interval || !isHonoured(standingOf(entry, digest, now))) {
      return { status: 'live', record: toRecord(entry) };
    }
    const { ip = entry.ip, userAgent = entry.userAgent } = touch.client ?? {};
    const expiresAt = Math.min(now + idle, entry.absoluteExpiresAt);
    const touched = { ...entry, lastActivityAt: now, expiresAt, ip, userAgent };
    this.#put(touched);
    return { status: 'live', record: toRecord(touched) };
  }

  override async update(
    digest: string,
    patch: SessionData,
    now: number,
    maxBytes: number,
    isTold = false,
  ): Promise<UpdateOutcome> {
    const entry = this.#live(digest, now);
    if (entry === undefined || !isHonoured(standingOf(entry, digest, now))) return { status: 'absent' };
    const json = merge(entry.json, patch);
    if (bytesOf(json) > maxBytes && bytesOf(json) > bytesOf(entry.json)) return { status: 'too_large' };
    this.#put({ ...entry, json });
    if (isTold) this.#link.changed(entry);
    return { status: 'updated', data: toData(json) };
  }

  override async rotate(digest: string, { revision, now, changes, isTold }: Rotation): Promise<RotateOutcome> {
    const entry = this.#live(digest, now);
    if (entry === undefined) return { status: 'absent' };
    if ((entry.revision ?? 0) !== revision) return { status: 'changed', record: toRecord(entry) };
    const given = Object.fromEntries(
      Object.entries(structuredClone(changes)).filter(([, value]) => value !== undefined),
    );
    const rotated: Entry = { ...entry, ...given, revision: revision + 1 };
    this.#put(rotated);
    if (isTold ?? changesWhatIsTold(changes)) this.#link.changed(rotated);
    return { status: 'rotated', record: toRecord(rotated) };
  }

  override async delete(digest: string, now: number, reason?: SessionEndReason): Promise<EndedSession | undefined> {
    return this.#delete(this.#entries.get(handleOf(digest)), now, reason);
  }

  override async list(userId: string, { limit, cursor }: SessionPage, now: number): Promise<SessionList> {
    const place = parseSessionCursor(cursor);
    const live = this.#liveOf(userId, now).sort(newestFirst);
    const rest = place === undefined ? live : live.filter((entry) => isBehind(entry, place));
    const page = rest.slice(0, limit);
    const last = page.at(-1);
    return {
      records: page.map(toRecord),
      next: last !== undefined && rest.length > limit ? formatSessionCursor(last) : undefined,
    };
  }

  override async deleteByHandle(
    userId: string,
    handle: string,
    now: number,
    reason?: SessionEndReason,
  ): Promise<EndedSession | undefined> {
    const entry = this.#entries.get(handle);
    return entry?.userId === userId ? this.#delete(entry, now, reason) : undefined;
  }

  override async deleteByUser(
    userId: string,
    { except, limit, reason = 'revoked' }: UserSessionsToEnd,
    now: number,
  ): Promise<DeleteByUserOutcome> {
    const others: Entry[] = [];
    for (const entry of this.#entriesOf(userId)) {
      if (entry.expiresAt <= now) this.#end(entry, 'expired');
      else if (entry.id !== except) others.push(entry);
    }
    const step = others.slice(0, limit);
    for (const entry of step) this.#end(entry, reason);
    return { ended: step.map(ended), more: others.length > limit };
  }

  override async deleteByRealm({ createdBefore, reason = 'revoked' }: RealmSessionsToEnd): Promise<void> {
    for (const entry of this.#entries.values()) {
      if (createdBefore === undefined || entry.createdAt < createdBefore) this.#remove(entry);
    }
    this.#link.allEnded(reason);
  }

  override async updateByUser(
    userId: string,
    changes: { readonly roles?: readonly string[]; readonly email?: string },
    now: number,
  ): Promise<number> {
    const live = this.#liveOf(userId, now);
    for (const entry of live) {
      const { email = entry.email, roles } = structuredClone(changes);
      const revision = (entry.revision ?? 0) + 1;
      this.#put({ ...entry, ...withRoles(entry, roles), email, rotatedAt: 0, revision });
      this.#link.changed(entry);
    }
    return live.length;
  }

  override async deleteExpired(now: number, limit: number): Promise<readonly EndedSession[]> {
    const removed: EndedSession[] = [];
    for (const entry of this.#entries.values()) {
      if (removed.length >= limit) break;
      if (entry.expiresAt > now) continue;
      this.#end(entry, 'expired');
      removed.push(ended(entry));
    }
    return removed;
  }

  #live(digest: string, now: number): Entry | undefined {
    const entry = this.#entries.get(handleOf(digest));
    return entry !== undefined && entry.expiresAt > now ? entry : undefined;
  }

  #entriesOf(userId: string): Entry[] {
    return Array.from(this.#handlesByUser.get(userId) ?? [], (handle) => this.#entries.get(handle)!);
  }

  #liveOf(userId: string, now: number): Entry[] {
    return this.#entriesOf(userId).filter((entry) => entry.expiresAt > now);
  }

  #delete(entry: Entry | undefined, now: number, reason: SessionEndReason = 'revoked'): EndedSession | undefined {
    if (entry === undefined) return undefined;
    const isLive = entry.expiresAt > now;
    this.#end(entry, isLive ? reason : 'expired');
    return isLive ? ended(entry) : undefined;
  }

  #put(entry: Entry): void {
    this.#entries.set(entry.id, entry);
    if (entry.userId === undefined) return;
    const handles = this.#handlesByUser.get(entry.userId) ?? new Set<string>();
    this.#handlesByUser.set(entry.userId, handles.add(entry.id));
  }

  #end(entry: Entry, reason: SessionEnd): void {
    this.#remove(entry);
    this.#link.ended(ended(entry), reason);
  }

  #remove({ id, userId }: Entry): void {
    this.#entries.delete(id);
    const handles = userId === undefined ? undefined : this.#handlesByUser.get(userId);
    handles?.delete(id);
    if (userId !== undefined && handles?.size === 0) this.#handlesByUser.delete(userId);
  }

  #makeRoom(now: number): void {
    if (this.#entries.size < this.#maxSessions) return;
    if (Math.abs(now - this.#sweptAt) >= SWEEP_PAUSE) {
      this.#sweptAt = now;
      for (const entry of this.#entries.values()) if (entry.expiresAt <= now) this.#end(entry, 'expired');
    }
    if (this.#entries.size < this.#maxSessions) return;
    throw new SessionAuthError('session_store_unavailable', `the memory store is full: ${this.#maxSessions} sessions`);
  }
}

function ended(entry: Entry): EndedSession {
  return { id: entry.id, userId: entry.userId };
}

function merge(json: ReadonlyMap<string, string>, patch: SessionData): Map<string, string> {
  const merged = new Map(json);
  for (const [key, value] of Object.entries(patch)) {
    if (value === undefined) merged.delete(key);
    else merged.set(key, JSON.stringify(value));
  }
  return merged;
}

function bytesOf(json: ReadonlyMap<string, string>): number {
  let bytes = 0;
  for (const [key, value] of json) bytes += Buffer.byteLength(JSON.stringify(key)) + Buffer.byteLength(value) + 1;
  return bytes;
}

function toData(json: ReadonlyMap<string, string>): SessionData {
  if (json.size === 0) return {};
  return Object.fromEntries(Array.from(json, ([key, value]) => [key, JSON.parse(value) as unknown]));
}

function toRecord(entry: Entry): SessionRecord {
  return recordWith(entry, toData(entry.json));
}
