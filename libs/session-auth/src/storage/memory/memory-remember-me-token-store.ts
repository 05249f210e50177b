import { sessionsOf } from '../../remember-me/remember-me-succession.js';
import {
  RememberMeTokenStore,
  type RememberMeReplacement,
  type RememberMeReplaceOutcome,
  type RememberMeTokenRecord,
} from '../../remember-me/remember-me-token-store.js';
import { newestFirst } from '../../session/session-cursor.js';

/** Remember-me tokens in the memory of this process: a restart forgets all devices. */
export class MemoryRememberMeTokenStore extends RememberMeTokenStore {
  readonly #ofRealms = new Map<string, MemoryRememberMeTokenStore>();
  /** By selector. */
  readonly #records = new Map<string, RememberMeTokenRecord>();
  readonly #selectorsByUser = new Map<string, Set<string>>();

  override ofRealm(realm: string): MemoryRememberMeTokenStore {
    const store = this.#ofRealms.get(realm) ?? new MemoryRememberMeTokenStore();
    this.#ofRealms.set(realm, store);
    return store;
  }

  override async create(record: RememberMeTokenRecord, maxPerUser: number, now: number): Promise<void> {
    for (const surplus of this.#liveOf(record.userId, now).slice(maxPerUser - 1)) this.#remove(surplus);
    this.#records.set(record.selector, copyOf(record));
    const selectors = this.#selectorsByUser.get(record.userId) ?? new Set();
    this.#selectorsByUser.set(record.userId, selectors.add(record.selector));
  }

  override async find(selector: string, now: number): Promise<RememberMeTokenRecord | undefined> {
    const record = this.#live(selector, now);
    return record && copyOf(record);
  }

  override async replace(
    selector: string,
    { revision, now, changes }: RememberMeReplacement,
  ): Promise<RememberMeReplaceOutcome> {
    const record = this.#live(selector, now);
    if (record === undefined) return { status: 'absent' };
    if ((record.revision ?? 0) !== revision) return { status: 'changed', record: copyOf(record) };
    const given = Object.entries(changes).filter(([, value]) => value !== undefined);
    const replaced: RememberMeTokenRecord = { ...record, ...Object.fromEntries(given), revision: revision + 1 };
    this.#records.set(selector, copyOf(replaced));
    return { status: 'replaced', record: copyOf(replaced) };
  }

  override async delete(selector: string, now: number, revision?: number): Promise<RememberMeTokenRecord | undefined> {
    const record = this.#records.get(selector);
    if (record === undefined) return undefined;
    if (revision !== undefined && revision !== (record.revision ?? 0)) return undefined;
    this.#remove(record);
    return record.expiresAt > now ? record : undefined;
  }

  override async deleteById(userId: string, id: string, now: number): Promise<boolean> {
    const found = this.#liveOf(userId, now).find((record) => record.id === id);
    if (found !== undefined) this.#remove(found);
    return found !== undefined;
  }

  override async deleteBySession(userId: string, sessionId: string, now: number): Promise<number> {
    return this.#removeAll(this.#liveOf(userId, now).filter((record) => sessionsOf(record).includes(sessionId)));
  }

  override async deleteByUser(userId: string, exceptSessionId: string | undefined, now: number): Promise<number> {
    const isKept = (record: RememberMeTokenRecord): boolean =>
      exceptSessionId !== undefined && sessionsOf(record).includes(exceptSessionId);
    const records = [...(this.#selectorsByUser.get(userId) ?? [])].map((selector) => this.#records.get(selector)!);
    const removed = records.filter((record) => !isKept(record));
    this.#removeAll(removed);
    return removed.filter(({ expiresAt }) => expiresAt > now).length;
  }

  override async deleteByRealm({ createdBefore = Infinity }: { readonly createdBefore?: number }): Promise<void> {
    this.#removeAll([...this.#records.values()].filter(({ createdAt }) => createdAt < createdBefore));
  }

  override async list(userId: string, now: number): Promise<readonly RememberMeTokenRecord[]> {
    return this.#liveOf(userId, now).map(copyOf);
  }

  override async deleteExpired(now: number, limit: number): Promise<number> {
    let removed = 0;
    for (const record of this.#records.values()) {
      if (removed >= limit) break;
      if (record.expiresAt > now) continue;
      this.#remove(record);
      removed += 1;
    }
    return removed;
  }

  #live(selector: string, now: number): RememberMeTokenRecord | undefined {
    const record = this.#records.get(selector);
    return record !== undefined && record.expiresAt > now ? record : undefined;
  }

  #liveOf(userId: string, now: number): RememberMeTokenRecord[] {
    return [...(this.#selectorsByUser.get(userId) ?? [])]
      .flatMap((selector) => this.#live(selector, now) ?? [])
      .sort(newestFirst);
  }

  #removeAll(records: readonly RememberMeTokenRecord[]): number {
    for (const record of records) this.#remove(record);
    return records.length;
  }

  #remove({ selector, userId }: RememberMeTokenRecord): void {
    this.#records.delete(selector);
    const selectors = this.#selectorsByUser.get(userId);
    selectors?.delete(selector);
    if (selectors?.size === 0) this.#selectorsByUser.delete(userId);
  }
}

function copyOf(record: RememberMeTokenRecord): RememberMeTokenRecord {
  const { successor, replaced } = record;
  return {
    ...record,
    successor: successor && { ...successor },
    replaced: replaced?.map((validator) => ({ ...validator })),
  };
}
