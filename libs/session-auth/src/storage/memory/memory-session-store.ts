import { SessionAuthError } from '../../errors/session-auth.error.js';
import type { Admission } from '../../session/concurrency-limit.js';
import { formatSessionCursor, isBehind, newestFirst, parseSessionCursor } from '../../session/session-cursor.js';
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

/** A record with its data as JSON text by key: callers cannot change it, and sizes are those of other stores. */
type Entry = Omit<SessionRecord, 'data'> & { readonly json: ReadonlyMap<string, string> };

interface Alias {
  readonly digest: string;
  readonly until: number;
}

/** The most sessions that a store keeps unless it is given another number. */
export const DEFAULT_MEMORY_SESSIONS = 100_000;

const SWEEP_PAUSE = 1000;
const FEWEST_ALIASES_TO_SWEEP = 1000;

/**
 * Sessions in the memory of this process: for development, tests and applications on a single node that may lose all
 * sessions at a restart.
 *
 * A store that is full removes expired records. If that makes no room, `create` rejects with
 * `session_store_unavailable`: it never ends another user's session.
 */
export class MemorySessionStore extends SessionStore {
  readonly #maxSessions: number;
  readonly #entries = new Map<string, Entry>();
  readonly #aliases = new Map<string, Alias>();
  readonly #digestsByUser = new Map<string, Map<string, string>>();
  #sweptAt = -Infinity;
  #aliasesToSweep = FEWEST_ALIASES_TO_SWEEP;

  constructor(options: { readonly maxSessions?: number } = {}) {
    super();
    this.#maxSessions = options.maxSessions ?? DEFAULT_MEMORY_SESSIONS;
  }

  /** How many records the store holds, with expired ones that no sweep has removed yet. */
  get size(): number {
    return this.#entries.size;
  }

  /** How many replaced digests the store holds, with those whose grace is over that no sweep has removed yet. */
  get graceSize(): number {
    return this.#aliases.size;
  }

  override async create(record: SessionRecord, admission: Admission, now: number): Promise<CreateOutcome> {
    const namesake = this.#byHandle(record.userId, record.id);
    if (this.#live(record.digest, now) !== undefined || (namesake !== undefined && namesake.expiresAt > now)) {
      return { status: 'exists' };
    }
    if (namesake !== undefined) this.#remove(namesake);
    this.#forgetDigest(record.digest);
    let leaving: Entry[] = [];
    if (record.userId !== undefined && admission.max !== Infinity) {
      const live = this.#liveOf(record.userId, now);
      const surplus = live.length - admission.max + 1;
      if (surplus > 0 && admission.onLimit === 'reject') return { status: 'limit_reached' };
      const by = admission.onLimit === 'evict-least-recent' ? 'lastActivityAt' : 'createdAt';
      live.sort((a, b) => a[by] - b[by] || newestFirst(b, a));
      leaving = live.slice(0, Math.max(surplus, 0));
    }
    if (leaving.length === 0) this.#makeRoom(now);
    for (const entry of leaving) this.#remove(entry);
    const { data, ...fields } = record;
    this.#put({ ...fields, ...copies(fields), json: merge(new Map(), data) });
    return { status: 'created', evicted: leaving.map(ended) };
  }

  override async find(digest: string, { now, idle, interval }: Touch): Promise<FindOutcome> {
    const entry = this.#entries.get(this.#resolve(digest, now));
    if (entry === undefined) return { status: 'absent' };
    if (entry.expiresAt <= now) {
      this.#remove(entry);
      return { status: 'expired', ended: ended(entry) };
    }
    if (now - entry.lastActivityAt < interval) return { status: 'live', record: toRecord(entry) };
    const touched = { ...entry, lastActivityAt: now, expiresAt: Math.min(now + idle, entry.absoluteExpiresAt) };
    this.#put(touched);
    return { status: 'live', record: toRecord(touched) };
  }

  override async update(digest: string, patch: SessionData, now: number, maxBytes: number): Promise<UpdateOutcome> {
    const entry = this.#live(digest, now);
    if (entry === undefined) return { status: 'absent' };
    const json = merge(entry.json, patch);
    if (bytesOf(json) > maxBytes && bytesOf(json) > bytesOf(entry.json)) return { status: 'too_large' };
    this.#put({ ...entry, json });
    return { status: 'updated', data: toData(json) };
  }

  override async rotate(digest: string, { digest: next, now, grace, changes }: Rotation): Promise<RotateOutcome> {
    const entry = this.#live(digest, now);
    if (entry === undefined) return { status: 'absent' };
    if (entry.digest !== digest) return { status: 'superseded' };
    const given = Object.fromEntries(Object.entries(changes).filter(([, value]) => value !== undefined));
    const rotated: Entry = { ...entry, ...given, digest: next, rotatedAt: now };
    this.#remove(entry);
    this.#put({ ...rotated, ...copies(rotated) });
    if (this.#aliases.size >= this.#aliasesToSweep) this.#forgetAliases(now);
    if (grace > 0) this.#aliases.set(digest, { digest: next, until: now + grace });
    return { status: 'rotated', record: toRecord(rotated) };
  }

  override async delete(digest: string, now: number): Promise<EndedSession | undefined> {
    return this.#end(this.#entries.get(this.#resolve(digest, now)), now);
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

  override async deleteByHandle(userId: string, handle: string, now: number): Promise<EndedSession | undefined> {
    return this.#end(this.#byHandle(userId, handle), now);
  }

  override async deleteByUser(
    userId: string,
    { except, limit }: { readonly except?: string; readonly limit: number },
    now: number,
  ): Promise<DeleteByUserOutcome> {
    const others: Entry[] = [];
    for (const entry of this.#entriesOf(userId)) {
      if (entry.expiresAt <= now) this.#remove(entry);
      else if (entry.id !== except) others.push(entry);
    }
    const step = others.slice(0, limit);
    for (const entry of step) this.#remove(entry);
    return { ended: step.map(ended), more: others.length > limit };
  }

  override async updateByUser(
    userId: string,
    changes: { readonly roles?: readonly string[]; readonly email?: string },
    now: number,
  ): Promise<number> {
    const live = this.#liveOf(userId, now);
    for (const entry of live) {
      this.#put({
        ...entry,
        roles: [...(changes.roles ?? entry.roles)],
        email: changes.email ?? entry.email,
        rotatedAt: 0,
      });
    }
    return live.length;
  }

  override async deleteExpired(now: number, limit: number): Promise<readonly EndedSession[]> {
    const removed: EndedSession[] = [];
    for (const entry of this.#entries.values()) {
      if (removed.length >= limit) break;
      if (entry.expiresAt > now) continue;
      this.#remove(entry);
      removed.push(ended(entry));
    }
    this.#forgetAliases(now);
    return removed;
  }

  #live(digest: string, now: number): Entry | undefined {
    const entry = this.#entries.get(this.#resolve(digest, now));
    return entry !== undefined && entry.expiresAt > now ? entry : undefined;
  }

  #byHandle(userId: string | undefined, handle: string): Entry | undefined {
    const digest = userId === undefined ? undefined : this.#digestsByUser.get(userId)?.get(handle);
    return digest === undefined ? undefined : this.#entries.get(digest);
  }

  #entriesOf(userId: string): Entry[] {
    return [...(this.#digestsByUser.get(userId)?.values() ?? [])].map((digest) => this.#entries.get(digest)!);
  }

  #liveOf(userId: string, now: number): Entry[] {
    return this.#entriesOf(userId).filter((entry) => entry.expiresAt > now);
  }

  /**
   * Returns the present digest of a digest that may be in its grace. Several rotations make a chain, which is followed
   * up to the first digest whose grace is over: no digest outlives a newer one.
   */
  #resolve(digest: string, now: number): string {
    let present = digest;
    for (let alias = this.#aliases.get(present); alias !== undefined; alias = this.#aliases.get(present)) {
      if (alias.until <= now) break;
      present = alias.digest;
    }
    return present;
  }

  #end(entry: Entry | undefined, now: number): EndedSession | undefined {
    if (entry === undefined) return undefined;
    this.#remove(entry);
    return entry.expiresAt > now ? ended(entry) : undefined;
  }

  #put(entry: Entry): void {
    this.#entries.set(entry.digest, entry);
    if (entry.userId === undefined) return;
    const digests = this.#digestsByUser.get(entry.userId) ?? new Map<string, string>();
    this.#digestsByUser.set(entry.userId, digests.set(entry.id, entry.digest));
  }

  #remove(entry: Entry): void {
    this.#entries.delete(entry.digest);
    if (entry.userId === undefined) return;
    const digests = this.#digestsByUser.get(entry.userId);
    digests?.delete(entry.id);
    if (digests?.size === 0) this.#digestsByUser.delete(entry.userId);
  }

  /** Removes what is left of an expired session or a replaced digest. */
  #forgetDigest(digest: string): void {
    const expired = this.#entries.get(digest);
    if (expired !== undefined) this.#remove(expired);
    this.#aliases.delete(digest);
  }

  #forgetAliases(now: number): void {
    for (const [digest, alias] of this.#aliases) {
      if (alias.until <= now) this.#aliases.delete(digest);
    }
    // twice what is left, so that sweeps look at each alias a bounded number of times
    this.#aliasesToSweep = Math.max(2 * this.#aliases.size, FEWEST_ALIASES_TO_SWEEP);
  }

  #makeRoom(now: number): void {
    if (this.#entries.size < this.#maxSessions) return;
    if (Math.abs(now - this.#sweptAt) >= SWEEP_PAUSE) {
      this.#sweptAt = now;
      for (const entry of this.#entries.values()) if (entry.expiresAt <= now) this.#remove(entry);
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

/** Copies of what a record would otherwise share with the caller. */
function copies({ roles, factors }: Pick<Entry, 'roles' | 'factors'>): Pick<Entry, 'roles' | 'factors'> {
  return { roles: [...roles], factors: factors && { ...factors } };
}

function toRecord(entry: Entry): SessionRecord {
  // field by field: a spread of so many fields takes several times as long, in every request
  return {
    digest: entry.digest,
    id: entry.id,
    userId: entry.userId,
    email: entry.email,
    roles: [...entry.roles],
    createdAt: entry.createdAt,
    authenticatedAt: entry.authenticatedAt,
    authentication: entry.authentication,
    factors: entry.factors && { ...entry.factors },
    upstream: entry.upstream,
    rotatedAt: entry.rotatedAt,
    lastActivityAt: entry.lastActivityAt,
    expiresAt: entry.expiresAt,
    absoluteExpiresAt: entry.absoluteExpiresAt,
    ip: entry.ip,
    userAgent: entry.userAgent,
    fingerprint: entry.fingerprint,
    data: toData(entry.json),
  } satisfies Record<keyof SessionRecord, unknown>;
}
