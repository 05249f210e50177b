import {
  LoginThrottleStore,
  type FailureCount,
  type FailureKey,
  type NewFailure,
} from '../../throttle/login-throttle-store.js';

const DEFAULT_MAX_COUNTS = 100_000;
const SWEEP_PAUSE = 1000;

/**
 * Counts failed logins in this process's memory: each node counts separately, until a restart.
 *
 * Memory is bounded. When the store is full, expired counts are removed; if that is not enough, the one that began
 * first is forgotten. Refusing instead would let an attacker who fills it keep everybody from logging in.
 */
export class MemoryLoginThrottleStore extends LoginThrottleStore {
  readonly #ofRealms = new Map<string, MemoryLoginThrottleStore>();
  readonly #maxCounts: number;
  // in the order in which they began
  readonly #counts = new Map<string, FailureKey & FailureCount>();
  #sweptAt = -Infinity;

  /** @param options `maxCounts`: the most counts kept. @default 100000, which take about 30 MB */
  constructor(options: { readonly maxCounts?: number } = {}) {
    super();
    this.#maxCounts = options.maxCounts ?? DEFAULT_MAX_COUNTS;
  }

  /** How many counts are held, including expired ones that are not yet removed. */
  get size(): number {
    return this.#counts.size;
  }

  override ofRealm(realm: string): MemoryLoginThrottleStore {
    const store = this.#ofRealms.get(realm) ?? new MemoryLoginThrottleStore({ maxCounts: this.#maxCounts });
    this.#ofRealms.set(realm, store);
    return store;
  }

  override async read(keys: readonly FailureKey[], now: number): Promise<readonly (FailureCount | undefined)[]> {
    return keys.map((key) => {
      const found = this.#live(key, now);
      return found && { count: found.count, until: found.until };
    });
  }

  override async add(failures: readonly NewFailure[], now: number): Promise<readonly FailureCount[]> {
    return failures.map((failure) => {
      const { count, until } = this.#live(failure, now) ?? { count: 0, until: now + failure.window };
      return this.#put(failure, { count: count + 1, until }, now);
    });
  }

  override async set(key: FailureKey, count: FailureCount, now: number): Promise<void> {
    this.#put(key, count, now);
  }

  override async delete(keys: readonly FailureKey[]): Promise<void> {
    for (const key of keys) this.#counts.delete(nameOf(key));
  }

  override async list(subject: string, now: number): Promise<readonly (FailureKey & FailureCount)[]> {
    const all = [...this.#counts.values()];
    return all.filter((each) => each.subject === subject && each.until > now).map((each) => ({ ...each }));
  }

  override async deleteExpired(now: number, limit: number): Promise<number> {
    let removed = 0;
    for (const [name, { until }] of this.#counts) {
      if (removed >= limit) break;
      if (until > now) continue;
      this.#counts.delete(name);
      removed += 1;
    }
    return removed;
  }

  #live(key: FailureKey, now: number): FailureCount | undefined {
    const found = this.#counts.get(nameOf(key));
    return found !== undefined && found.until > now ? found : undefined;
  }

  #put({ subject, counter }: FailureKey, { count, until }: FailureCount, now: number): FailureCount {
    const name = nameOf({ subject, counter });
    if (count === 1) this.#counts.delete(name);
    if (!this.#counts.has(name)) this.#makeRoom(now);
    this.#counts.set(name, { subject, counter, count, until });
    return { count, until };
  }

  #makeRoom(now: number): void {
    if (this.#counts.size < this.#maxCounts) return;
    if (Math.abs(now - this.#sweptAt) >= SWEEP_PAUSE) {
      this.#sweptAt = now;
      void this.deleteExpired(now, Infinity);
    }
    for (const first of this.#counts.keys()) {
      if (this.#counts.size < this.#maxCounts) return;
      this.#counts.delete(first);
    }
  }
}

function nameOf({ subject, counter }: FailureKey): string {
  return `${subject}/${counter}`;
}
