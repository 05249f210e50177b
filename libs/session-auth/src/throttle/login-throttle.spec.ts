import { beforeEach, describe, expect, it } from '@jest/globals';
import { MemoryLoginThrottleStore } from '../storage/memory/memory-login-throttle-store.js';
import { Clock } from '../time/clock.js';
import { DAY, HOUR, MINUTE } from '../time/units.js';
import type { LoginAttempt, ThrottleRefusal } from './login-attempt.js';
import type { FailureCount, FailureKey } from './login-throttle-store.js';
import { DEFAULT_LOGIN_THROTTLE } from './login-throttle.options.js';
import { LoginThrottle, type LoginClient } from './login-throttle.js';

class StoppedClock extends Clock {
  time = Date.UTC(2026, 0, 15, 12);

  now(): number {
    return this.time;
  }
}

/** Notes the keys that it is given. */
class WatchedStore extends MemoryLoginThrottleStore {
  readonly keys: FailureKey[] = [];
  readonly calls: string[] = [];

  override read(...args: Parameters<MemoryLoginThrottleStore['read']>): ReturnType<MemoryLoginThrottleStore['read']> {
    this.calls.push('read');
    return super.read(...args);
  }

  override add(...args: Parameters<MemoryLoginThrottleStore['add']>): ReturnType<MemoryLoginThrottleStore['add']> {
    this.calls.push('add');
    this.keys.push(...args[0].map(({ subject, counter }) => ({ subject, counter })));
    return super.add(...args);
  }

  override set(...args: [FailureKey, FailureCount, number]): Promise<void> {
    this.calls.push('set');
    this.keys.push(args[0]);
    return super.set(...args);
  }

  override delete(keys: readonly FailureKey[]): Promise<void> {
    this.calls.push('delete');
    return super.delete(keys);
  }
}

describe('LoginThrottle', () => {
  let clock: StoppedClock;
  let store: WatchedStore;
  let throttle: LoginThrottle;

  const throttleOn = (used: MemoryLoginThrottleStore, timeout = 1000): LoginThrottle =>
    new LoginThrottle(used, clock, DEFAULT_LOGIN_THROTTLE, Buffer.alloc(32, 1), timeout);

  beforeEach(() => {
    clock = new StoppedClock();
    store = new WatchedStore();
    throttle = throttleOn(store);
  });

  const HOME: LoginClient = { ip: '203.0.113.7' };
  const at = (name: string, client: LoginClient = HOME): LoginAttempt => throttle.attempt(name, client);

  async function fail(name: string, client: LoginClient = HOME): Promise<ThrottleRefusal | undefined> {
    const attempt = at(name, client);
    return (await attempt.check()) ?? (await attempt.failed());
  }

  async function succeed(name: string, client: LoginClient = HOME): Promise<ThrottleRefusal | undefined> {
    const attempt = at(name, client);
    return (await attempt.check()) ?? (await attempt.succeeded());
  }

  async function failTimes(times: number, name: string, client: LoginClient = HOME): Promise<void> {
    for (let i = 0; i < times; i += 1) expect(await fail(name, client)).toBeUndefined();
  }

  /** The subjects that were counted, with their counters. */
  const countersBySubject = (): string[][] => {
    const subjects = [...new Set(store.keys.map(({ subject }) => subject))];
    return subjects.map((one) => store.keys.flatMap(({ subject, counter }) => (subject === one ? [counter] : [])));
  };

  it('blocks a client at an account for a minute after five failures, and twice as long each time, up to an hour', async () => {
    await succeed('alice');
    for (const minutes of [1, 2, 4, 8, 16, 32, 60, 60]) {
      await failTimes(5, 'alice');
      const refusal = { scope: 'account_and_client', retryAfterSeconds: minutes * 60 };
      expect(await fail('alice')).toEqual(refusal);
      expect(await succeed('alice')).toEqual(refusal);
      clock.time += minutes * MINUTE - 1;
      expect(await fail('alice')).toEqual({ ...refusal, retryAfterSeconds: 1 });
      clock.time += 1;
    }
  });

  it('starts with a minute again a day after the first block', async () => {
    await failTimes(5, 'alice');
    clock.time += DAY;
    await failTimes(5, 'alice');
    expect(await fail('alice')).toMatchObject({ retryAfterSeconds: 60 });
  });

  it('forgets failures and blocks after a success, and failures after a quarter of an hour', async () => {
    await failTimes(5, 'alice');
    clock.time += MINUTE;
    expect(await succeed('alice')).toBeUndefined();
    await failTimes(5, 'alice');
    expect(await fail('alice')).toMatchObject({ retryAfterSeconds: 60 });
    clock.time += MINUTE;
    await failTimes(4, 'alice');
    clock.time += 15 * MINUTE;
    await failTimes(5, 'alice');
  });

  it('gives tries that run at the same time no more verdicts than the limit', async () => {
    const attempts = Array.from({ length: 50 }, () => at('alice'));
    for (const attempt of attempts) expect(await attempt.check()).toBeUndefined();
    const verdicts = await Promise.all(attempts.slice(0, 49).map((attempt) => attempt.failed()));
    expect(verdicts.filter((refusal) => refusal === undefined)).toHaveLength(5);
    // the right password comes last, and is not told from the rest
    expect(await attempts[49]!.succeeded()).toMatchObject({ scope: 'account_and_client' });
    // and they are one block, not many
    expect(await fail('alice')).toMatchObject({ retryAfterSeconds: 60 });
  });

  it('refuses an address after a hundred failures in an hour, at any account', async () => {
    for (let i = 0; i < 100; i += 1) await failTimes(1, `customer${i}`);
    expect(await fail('somebody')).toEqual({ scope: 'address', retryAfterSeconds: 3600 });
    expect(await succeed('somebody')).toMatchObject({ scope: 'address' });
    expect(await succeed('somebody', { ip: '203.0.113.8' })).toBeUndefined();
    clock.time += HOUR - 1;
    expect(await succeed('somebody')).toEqual({ scope: 'address', retryAfterSeconds: 1 });
    clock.time += 1;
    expect(await succeed('somebody')).toBeUndefined();
  });

  it('refuses strangers after fifty failures at an account, and nobody from where it was signed in before', async () => {
    await succeed('alice');
    for (let i = 0; i < 50; i += 1) await failTimes(1, 'alice', { ip: `198.51.100.${i}` });
    const stranger = { ip: '192.0.2.1' };
    expect(await fail('alice', stranger)).toEqual({ scope: 'account', retryAfterSeconds: 3600 });
    expect(await succeed('alice', stranger)).toMatchObject({ scope: 'account' });
    expect(await succeed('alice')).toBeUndefined();
    expect(await succeed('alice', { ...stranger, deviceId: 'a-device-of-hers' })).toBeUndefined();
    expect(await succeed('bob', stranger)).toBeUndefined();
    clock.time += 21 * DAY;
    for (let i = 0; i < 50; i += 1) await failTimes(1, 'alice', { ip: `198.51.100.${i}` });
    expect(await succeed('alice')).toMatchObject({ scope: 'account' });
  });

  it.each([
    ['address', 0, 3600],
    ['account_and_client', HOUR - MINUTE / 2, 60],
  ])('tells of the count that is over last, where several are full: %s', async (scope, later, retryAfterSeconds) => {
    for (let i = 0; i < 95; i += 1) await failTimes(1, `customer${i}`);
    clock.time += later;
    await failTimes(5, 'alice');
    expect(await fail('alice')).toEqual({ scope, retryAfterSeconds });
  });

  it('does not count what known clients fail against the account', async () => {
    await succeed('alice');
    store.keys.length = 0;
    await failTimes(4, 'alice');
    await failTimes(4, 'alice', { ip: '192.0.2.1', deviceId: 'a-device-of-hers' });
    const ofAlice = countersBySubject()[0]!;
    expect(ofAlice.length).toBeGreaterThan(0);
    expect(ofAlice.filter((counter) => counter === 'failures')).toEqual([]);
  });

  it('counts a known device by itself, wherever it is, and not by its address', async () => {
    const device = { deviceId: 'a-device-of-hers' };
    for (let i = 0; i < 5; i += 1) await failTimes(1, 'alice', { ...device, ip: `198.51.100.${i}` });
    expect(await fail('alice', { ...device, ip: '192.0.2.1' })).toMatchObject({ scope: 'account_and_client' });
    expect(await succeed('alice', { ip: '198.51.100.1' })).toBeUndefined();
    expect(countersBySubject()).toHaveLength(1);
  });

  it('keeps neither names nor addresses in what it counts by', async () => {
    await fail('alice@example.com');
    await failTimes(5, 'bob@example.com');
    await succeed('carol@example.com');
    expect(store.keys.length).toBeGreaterThan(10);
    for (const { subject, counter } of store.keys) {
      expect(subject).toMatch(/^[\w-]{22}$/);
      expect(counter).toMatch(/^(failures|(failures|blocks|known):[\w-]{22})$/);
    }
    const before = store.size;
    const other = new LoginThrottle(store, clock, DEFAULT_LOGIN_THROTTLE, Buffer.alloc(32, 2), 1000);
    await other.attempt('alice@example.com', HOME).failed();
    expect(store.size).toBe(before + 3);
  });

  it('keeps all that it counts of an account under one subject, where it can be listed and forgotten', async () => {
    await succeed('alice');
    await failTimes(5, 'alice', { ip: '192.0.2.1' });
    await failTimes(1, 'alice', { ip: '192.0.2.1', deviceId: 'a-device-of-hers' });
    const { subject } = store.keys[0]!;
    const counters = (await store.list(subject, clock.now())).map(({ counter }) => counter.split(':')[0]);
    expect(counters.sort()).toEqual(['blocks', 'failures', 'failures', 'failures', 'known']);
    await store.delete(await store.list(subject, clock.now()));
    await failTimes(5, 'alice', { ip: '192.0.2.1' });
  });

  it('asks the store once before a password is looked at and once after, and writes nothing for a login without failures from a known address', async () => {
    await succeed('alice');
    expect(store.calls).toEqual(['read', 'read', 'set']);
    store.calls.length = 0;
    clock.time += 10 * DAY;
    await succeed('alice');
    expect(store.calls).toEqual(['read', 'read']);
    store.calls.length = 0;
    clock.time += DAY;
    await succeed('alice');
    expect(store.calls).toEqual(['read', 'read', 'set']);
    store.calls.length = 0;
    await fail('alice');
    expect(store.calls).toEqual(['read', 'add']);
    store.calls.length = 0;
    await succeed('alice');
    expect(store.calls).toEqual(['read', 'read', 'delete']);
  });

  it('learns no address from a known device', async () => {
    await succeed('alice', { ip: '192.0.2.1', deviceId: 'a-device-of-hers' });
    expect(store.calls).toEqual(['read', 'read']);
  });

  it('does without an address', async () => {
    await failTimes(5, 'alice', {});
    expect(await fail('alice', {})).toMatchObject({ scope: 'account_and_client' });
    expect(await succeed('bob', {})).toBeUndefined();
  });

  it.each(['read', 'add', 'set', 'delete'] as const)('fails closed when the store fails at %s', async (operation) => {
    await failTimes(4, 'alice');
    store[operation] = (): Promise<never> => Promise.reject(new Error('down'));
    const attempt = at('alice');
    const steps = {
      read: () => attempt.check(),
      add: () => attempt.failed(),
      // the fifth failure blocks
      set: () => attempt.failed(),
      delete: () => attempt.succeeded(),
    };
    await expect(steps[operation]()).rejects.toMatchObject({ code: 'session_store_unavailable' });
  });

  it('fails closed when the store does not answer in time', async () => {
    const silent = new MemoryLoginThrottleStore();
    silent.read = () => new Promise(() => undefined);
    const attempt = throttleOn(silent, 5).attempt('alice', HOME);
    await expect(attempt.check()).rejects.toMatchObject({ code: 'session_store_unavailable' });
  });
});
