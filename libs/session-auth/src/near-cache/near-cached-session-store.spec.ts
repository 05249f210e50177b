import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { SessionAuthError } from '../errors/session-auth.error.js';
import { DEFAULT_SESSION_LIFETIME } from '../session/lifetime.options.js';
import { SessionLink, type SessionLinkObserver, type SessionSignal } from '../session/session-link.js';
import type { SessionRecord } from '../session/session-record.js';
import type { FindOutcome, Touch } from '../session/session-store.js';
import { MemorySessionStore } from '../storage/memory/memory-session-store.js';
import { newRecord, NO_LIMIT, NOW } from '../testing/session-store/sample-records.js';
import { Clock } from '../time/clock.js';
import { NearCachedSessionStore } from './near-cached-session-store.js';

const BOUND = 200;

/** Stands still unless it is moved. */
class StoppedClock extends Clock {
  #now = NOW;

  now(): number {
    return this.#now;
  }

  advance(milliseconds: number): void {
    this.#now += milliseconds;
  }
}

/** A link of which a test says what arrives when. */
class SteeredLink extends SessionLink {
  isHealthy = false;
  readonly beats: (() => void)[] = [];
  readonly listeners = new Set<(signal: SessionSignal) => void>();
  readonly observers = new Set<SessionLinkObserver>();
  /** Told, and not arrived yet; undefined: all arrives at once. */
  held: SessionSignal[] | undefined;
  refusal: Error | undefined;

  open(): Promise<void> {
    if (this.refusal !== undefined) return Promise.reject(this.refusal);
    this.restore();
    return Promise.resolve();
  }

  watch(listener: (signal: SessionSignal) => void): () => void {
    this.listeners.add(listener);
    return () => void this.listeners.delete(listener);
  }

  observe(observer: SessionLinkObserver): () => void {
    this.observers.add(observer);
    return () => void this.observers.delete(observer);
  }

  override prove(): Promise<void> {
    return new Promise((resolve) => this.beats.push(resolve));
  }

  close(): Promise<void> {
    this.isHealthy = false;
    return Promise.resolve();
  }

  tell(signal: SessionSignal): void {
    if (this.held !== undefined) this.held.push(signal);
    else for (const listener of this.listeners) listener(signal);
  }

  lose(): void {
    this.isHealthy = false;
    for (const observer of this.observers) observer.lost?.();
  }

  restore(): void {
    this.isHealthy = true;
    for (const observer of this.observers) observer.restored?.();
  }
}

/** A store of which a test says when it answers. */
class SlowStore extends MemorySessionStore {
  finds = 0;
  /** Runs between the read and its answer. */
  meanwhile: (() => unknown) | undefined;

  constructor(private readonly steered: SessionLink | undefined) {
    super();
  }

  override link(): never {
    return this.steered as never;
  }

  override async find(digest: string, touch: Touch): Promise<FindOutcome> {
    this.finds += 1;
    const outcome = await super.find(digest, touch);
    await this.meanwhile?.();
    return outcome;
  }
}

describe('a store with a near-cache in front', () => {
  let link: SteeredLink;
  let store: SlowStore;
  let near: NearCachedSessionStore;
  let clock: StoppedClock;
  let record: SessionRecord;
  let monotonic: number;
  let wall: number;

  beforeEach(async () => {
    Logger.overrideLogger(false);
    jest.useFakeTimers({ doNotFake: ['nextTick', 'queueMicrotask', 'setImmediate'] });
    [monotonic, wall] = [1000, 5000];
    clock = new StoppedClock();
    link = new SteeredLink();
    store = new SlowStore(link);
    near = made({ maxSessions: 2, bound: BOUND });
    await near.onModuleInit();
    record = await created('alice');
  });

  afterEach(async () => {
    await near.onApplicationShutdown();
    jest.useRealTimers();
    Logger.overrideLogger(['error', 'warn', 'log']);
  });

  function made(
    given: { maxSessions: number; bound: number },
    consistency = 'bounded' as const,
  ): NearCachedSessionStore {
    const settings = { ...given, consistency };
    const instant = (): { monotonic: number; wall: number } => ({ monotonic, wall });
    return new NearCachedSessionStore(store, settings, DEFAULT_SESSION_LIFETIME, clock, 'default', instant);
  }

  async function created(userId: string): Promise<SessionRecord> {
    const now = clock.now();
    const made = newRecord(userId);
    const times = { createdAt: now, rotatedAt: now, lastActivityAt: now, expiresAt: now + 3_600_000 };
    const one = { ...made, ...times, absoluteExpiresAt: now + 86_400_000 };
    await store.create(one, NO_LIMIT, now);
    return one;
  }

  const read = async (of = record): Promise<FindOutcome['status']> =>
    (await near.find(of.digest, { now: clock.now(), idle: 3_600_000, interval: 60_000 })).status;

  /** How often the store is asked by a read. */
  const asked = async (of = record): Promise<number> => {
    const before = store.finds;
    await read(of);
    return store.finds - before;
  };

  /** Lets time pass on both clocks. */
  async function pass(milliseconds: number): Promise<void> {
    monotonic += milliseconds;
    wall += milliseconds;
    await jest.advanceTimersByTimeAsync(milliseconds);
  }

  /** Has all heartbeats come back that are on their way. */
  async function beatBack(): Promise<void> {
    for (const back of link.beats.splice(0)) back();
    await jest.advanceTimersByTimeAsync(0);
  }

  async function kept(of = record): Promise<void> {
    await read(of);
    await beatBack();
    expect(await asked(of)).toBe(0);
  }

  it('asks the store until a heartbeat has come back, and no more then', async () => {
    expect([await asked(), await asked()]).toEqual([1, 1]);
    await beatBack();
    expect([await asked(), await asked()]).toEqual([0, 0]);
  });

  it('asks it again when the last heartbeat that came back was sent longer ago than the bound', async () => {
    await kept();
    await pass(BOUND);
    expect(await asked()).toBe(0);
    await pass(1);
    expect(await asked()).toBe(1);
    await beatBack();
    expect(await asked()).toBe(0);
  });

  it('drops all that it keeps when every session has ended, here or elsewhere', async () => {
    for (const end of [
      () => near.deleteByRealm({}, clock.now()),
      async () => {
        await store.deleteByRealm({});
        link.tell({ type: 'all_ended', realm: 'default', reason: 'revoked' });
      },
    ]) {
      const both = [await created('alice'), await created('bob')];
      for (const each of both) await kept(each);
      expect(near.size).toBe(2);
      await end();
      expect(near.size).toBe(0);
      for (const each of both) expect(await read(each)).toBe('absent');
    }
    await kept(await created('carol'));
    store.deleteByRealm = () => Promise.reject(new Error('down'));
    await expect(near.deleteByRealm({}, clock.now())).rejects.toThrow('down');
    // a part may have ended
    expect(near.size).toBe(0);
  });

  it('asks again where every session has ended during a read', async () => {
    store.meanwhile = async () => {
      store.meanwhile = undefined;
      await store.deleteByRealm({});
      link.tell({ type: 'all_ended', realm: 'default', reason: 'revoked' });
    };
    expect(await read()).toBe('absent');
    expect([store.finds, near.size]).toEqual([2, 0]);
  });

  it('sends a heartbeat each quarter of the bound, and none while nothing is kept', async () => {
    await kept();
    let sent = 0;
    for (let beat = 0; beat < 10; beat += 1) {
      await pass(BOUND / 4);
      sent += link.beats.length;
      await beatBack();
    }
    expect(sent).toBe(10);
    await store.delete(record.digest, clock.now());
    link.tell({ type: 'ended', realm: 'default', id: record.id, reason: 'logout' });
    await pass(BOUND);
    await beatBack();
    await pass(10 * BOUND);
    expect(link.beats).toHaveLength(0);
    const other = await created('bob');
    await kept(other);
  });

  it('lets go of sessions that no request asks for, so that it rests', async () => {
    await kept();
    clock.advance(61_000);
    for (let second = 0; second < 3; second += 1) {
      await pass(1000);
      await beatBack();
    }
    expect([near.size, link.beats.length]).toEqual([0, 0]);
  });

  it('drops what ends elsewhere as soon as it is heard', async () => {
    await kept();
    await store.delete(record.digest, clock.now());
    expect(await read()).toBe('live');
    link.tell({ type: 'ended', realm: 'default', id: record.id, reason: 'logout' });
    expect(await read()).toBe('absent');
  });

  it('serves nobody a session any more that the store did not find', async () => {
    await kept();
    // past the library, or told of and not heard yet
    await store.delete(record.digest, clock.now());
    clock.advance(60_000);
    // due for a touch
    expect(await read()).toBe('absent');
    // a passive request is due for none
    const passive = { now: clock.now(), idle: 3_600_000, interval: Number.MAX_SAFE_INTEGER };
    expect((await near.find(record.digest, passive)).status).toBe('absent');
    expect(near.size).toBe(0);
  });

  it('asks the store once more where an end was heard before its answer came', async () => {
    await beatBack();
    store.meanwhile = async () => {
      store.meanwhile = undefined;
      await store.delete(record.digest, clock.now());
      link.tell({ type: 'ended', realm: 'default', id: record.id, reason: 'logout' });
    };
    expect([await read(), store.finds]).toEqual(['absent', 2]);
  });

  it('asks the store once more, and not for ever, where its answer took longer than the bound', async () => {
    store.meanwhile = () => void ((monotonic += BOUND + 1), (wall += BOUND + 1));
    expect([await asked(), near.size]).toEqual([2, 0]);
  });

  it('keeps nothing while the link is away, and nothing of before when it is back', async () => {
    await kept();
    link.lose();
    expect([await asked(), await asked(), near.size]).toEqual([1, 1, 0]);
    link.restore();
    expect(await asked()).toBe(1);
    await pass(BOUND / 4);
    await beatBack();
    expect(await asked()).toBe(0);
  });

  it('takes a heartbeat that comes back on another connection for none', async () => {
    await kept();
    await pass(BOUND / 4);
    link.lose();
    link.restore();
    await read();
    await beatBack();
    // that was the one of before, and it has no proof of this connection
    expect(await asked()).toBe(1);
    await pass(BOUND / 4);
    await beatBack();
    expect(await asked()).toBe(0);
  });

  it.each([
    ['was suspended', () => void (wall += BOUND / 4 + 1)],
    ['was set back', () => void (wall -= BOUND / 4 + 1)],
    ['stood still on one clock only', () => void (monotonic += BOUND / 4 + 1)],
  ])('drops everything when the machine %s', async (_what, happen) => {
    await kept();
    happen();
    expect(await asked()).toBe(1);
    await beatBack();
    await pass(BOUND / 4);
    await beatBack();
    expect(await asked()).toBe(0);
  });

  it('counts a suspension that is too short to be noticed as time', async () => {
    await kept();
    await pass(BOUND - 10);
    wall += 20;
    expect(await asked()).toBe(1);
  });

  it('drops what this node changes, also when the store fails to answer', async () => {
    await kept();
    const outcome = near.update(record.digest, { theme: 'dark' }, clock.now(), 1000);
    expect(await outcome).toMatchObject({ status: 'updated' });
    expect(await asked()).toBe(1);
    await kept();
    store.delete = () => Promise.reject(new Error('the answer was lost'));
    await expect(near.delete(record.digest, clock.now())).rejects.toThrow('the answer was lost');
    expect(await asked()).toBe(1);
    await kept();
    await near.updateByUser('alice', { roles: ['admin'] }, clock.now());
    expect(await asked()).toBe(1);
  });

  it('has the link told of changes of data and tokens', async () => {
    const asks: unknown[] = [];
    store.update = (...given) => {
      asks.push(given[4]);
      return Promise.resolve({ status: 'absent' });
    };
    store.rotate = (_digest, rotation) => {
      asks.push(rotation.isTold);
      return Promise.resolve({ status: 'absent' });
    };
    await near.update(record.digest, {}, clock.now(), 1000);
    await near.rotate(record.digest, { revision: 0, now: clock.now(), changes: {} });
    expect(asks).toEqual([true, true]);
  });

  it('keeps the sessions that were used last, and never more than it may', async () => {
    const [bob, carol] = [await created('bob'), await created('carol')];
    await kept();
    await kept(bob);
    await read();
    await kept(carol);
    expect([near.size, await asked(), await asked(bob)]).toEqual([2, 0, 1]);
    for (let other = 0; other < 20; other += 1) await read(await created(`user ${other}`));
    expect(near.size).toBe(2);
  });

  it('keeps nothing of what is not there, or expired', async () => {
    await kept();
    for (let gone = 0; gone < 20; gone += 1) expect(await read(newRecord('mallory'))).toBe('absent');
    expect([near.size, await asked()]).toEqual([1, 0]);
    clock.advance(3_600_000);
    expect(await read()).toBe('expired');
  });

  it('leaves it to the store to read for a touch, another token, and a token that is due', async () => {
    await kept();
    clock.advance(60_000);
    expect(await asked()).toBe(1);
    await kept();
    await near.find(`${record.digest.slice(0, 22)}${'A'.repeat(43)}`, { now: clock.now(), idle: 1, interval: 1e9 });
    const { finds } = store;
    await store.updateByUser('alice', { roles: ['admin'] }, clock.now());
    link.tell({ type: 'changed', realm: 'default', id: record.id });
    expect([await asked(), await asked()]).toEqual([1, 1]);
    expect(store.finds).toBe(finds + 2);
  });

  it('hands out copies', async () => {
    await kept();
    const touch = { now: clock.now(), idle: 3_600_000, interval: 60_000 };
    const first = await near.find(record.digest, touch);
    if (first.status === 'live') (first.record.data as Record<string, unknown>)['admin'] = true;
    expect(await near.find(record.digest, touch)).toEqual({ status: 'live', record });
  });

  it.each([
    ['without a link', undefined, /nearCache: given a storage without a session link; allowed is false, or/],
    ['in memory', new MemorySessionStore().link(), /nearCache: given a storage whose link sends no heartbeats/],
  ])('is refused for a storage %s', (_what, other, message) => {
    store = new SlowStore(other);
    expect(() => made({ maxSessions: 1, bound: 50 })).toThrow(message);
  });

  it('fails the start where the link is refused, and not where it is away', async () => {
    const other = new SteeredLink();
    store = new SlowStore(other);
    const refused = made({ maxSessions: 1, bound: 50 });
    other.refusal = new SessionAuthError('invalid_configuration', 'no rights');
    await expect(refused.onModuleInit()).rejects.toMatchObject({
      code: 'invalid_configuration',
      message: expect.stringMatching(/nearCache: given a storage whose link is refused; .*no rights/) as unknown,
    });
    await refused.onApplicationShutdown();
    other.refusal = new SessionAuthError('session_store_unavailable', 'away');
    const away = made({ maxSessions: 1, bound: 50 });
    await away.onModuleInit();
    await away.onApplicationShutdown();
  });
});
