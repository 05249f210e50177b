import {
  RememberMeTokenStore,
  type RememberMeTokenRecord,
  type RememberMeUse,
  type RememberMeUseOutcome,
} from '../../remember-me/remember-me-token-store.js';
import { newestFirst } from '../../session/session-cursor.js';

interface Replaced {
  readonly digest: string;
  readonly until: number;
}

interface Entry {
  readonly record: RememberMeTokenRecord;
  /** Validators that are still honoured, the latest first. */
  readonly replaced: readonly Replaced[];
}

/** Remember-me tokens in the memory of this process: a restart forgets all devices. */
export class MemoryRememberMeTokenStore extends RememberMeTokenStore {
  readonly #entries = new Map<string, Entry>();
  readonly #selectorsByUser = new Map<string, Set<string>>();

  override async create(record: RememberMeTokenRecord, maxPerUser: number, now: number): Promise<void> {
    for (const surplus of this.#liveOf(record.userId, now).slice(maxPerUser - 1)) this.#remove(surplus);
    this.#entries.set(record.selector, { record: { ...record }, replaced: [] });
    const selectors = this.#selectorsByUser.get(record.userId) ?? new Set();
    this.#selectorsByUser.set(record.userId, selectors.add(record.selector));
  }

  override async use(selector: string, use: RememberMeUse): Promise<RememberMeUseOutcome> {
    const { presented, successor, sessionId, now, reuseGrace } = use;
    const entry = this.#live(selector, now);
    if (entry === undefined) return { status: 'absent' };
    const { record } = entry;
    if (record.validatorDigest === presented) {
      const { expiresAt = record.expiresAt } = use;
      const used = { ...record, validatorDigest: successor, lastUsedAt: now, expiresAt, sessionId };
      const replaced = [{ digest: presented, until: now + reuseGrace }, ...honoured(entry, now)];
      this.#entries.set(selector, { record: used, replaced });
      return { status: 'used', record: { ...used } };
    }
    const place = honoured(entry, now).findIndex(({ digest }) => digest === presented);
    if (place >= 0) return { status: 'reused', record: { ...record }, replaced: place + 1 };
    this.#remove(record);
    return { status: 'theft', record: { ...record } };
  }

  override async delete(selector: string, now: number): Promise<RememberMeTokenRecord | undefined> {
    const entry = this.#entries.get(selector);
    if (entry === undefined) return undefined;
    this.#remove(entry.record);
    return entry.record.expiresAt > now ? { ...entry.record } : undefined;
  }

  override async deleteById(userId: string, id: string, now: number): Promise<boolean> {
    const found = this.#liveOf(userId, now).find((record) => record.id === id);
    if (found !== undefined) this.#remove(found);
    return found !== undefined;
  }

  override async deleteBySession(userId: string, sessionId: string, now: number): Promise<number> {
    return this.#removeAll(this.#liveOf(userId, now).filter((record) => record.sessionId === sessionId));
  }

  override async deleteByUser(userId: string, exceptSessionId: string | undefined, now: number): Promise<number> {
    return this.#removeAll(this.#liveOf(userId, now).filter((record) => record.sessionId !== exceptSessionId));
  }

  override async list(userId: string, now: number): Promise<readonly RememberMeTokenRecord[]> {
    return this.#liveOf(userId, now).map((record) => ({ ...record }));
  }

  override async deleteExpired(now: number, limit: number): Promise<number> {
    let removed = 0;
    for (const { record } of this.#entries.values()) {
      if (removed >= limit) break;
      if (record.expiresAt > now) continue;
      this.#remove(record);
      removed += 1;
    }
    return removed;
  }

  #live(selector: string, now: number): Entry | undefined {
    const entry = this.#entries.get(selector);
    return entry !== undefined && entry.record.expiresAt > now ? entry : undefined;
  }

  #liveOf(userId: string, now: number): RememberMeTokenRecord[] {
    return [...(this.#selectorsByUser.get(userId) ?? [])]
      .flatMap((selector) => this.#live(selector, now)?.record ?? [])
      .sort(newestFirst);
  }

  #removeAll(records: readonly RememberMeTokenRecord[]): number {
    for (const record of records) this.#remove(record);
    return records.length;
  }

  #remove({ selector, userId }: RememberMeTokenRecord): void {
    this.#entries.delete(selector);
    const selectors = this.#selectorsByUser.get(userId);
    selectors?.delete(selector);
    if (selectors?.size === 0) this.#selectorsByUser.delete(userId);
  }
}

function honoured(entry: Entry, now: number): readonly Replaced[] {
  return entry.replaced.filter(({ until }) => until > now);
}
