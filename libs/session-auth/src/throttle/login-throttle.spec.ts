import { beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
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

/** Records the keys that it is given. */
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
  const UNKNOWN = new Set(['nobody']);
  /** The id is the name in lower case; `nobody` is unknown. */
  const at = (name: string, client: LoginClient = HOME): LoginAttempt => {
    const id = name.toLowerCase();
    return throttle.attempt(name, UNKNOWN.has(id) ? undefined : `id of ${id}`, client);
  };
  const device = (id = 'a-device-of-hers', since = clock.time): LoginClient => ({ device: { id, since } });

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

  /** Returns the subjects that were counted, with their counters. */
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
    // the right password comes last, and looks like the others
    expect(await attempts[49]!.succeeded()).toMatchObject({ scope: 'account_and_client' });
    // they cause one block, not many
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
    expect(await succeed('alice', { ...stranger, ...device() })).toBeUndefined();
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
    await failTimes(4, 'alice', { ip: '192.0.2.1', ...device() });
    const ofAlice = countersBySubject()[0]!;
    expect(ofAlice.length).toBeGreaterThan(0);
    expect(ofAlice.filter((counter) => counter === 'failures')).toEqual([]);
  });

  it('counts a known device by itself, wherever it is, and not by its address', async () => {
    for (let i = 0; i < 5; i += 1) await failTimes(1, 'alice', { ...device(), ip: `198.51.100.${i}` });
    expect(await fail('alice', { ...device(), ip: '192.0.2.1' })).toMatchObject({ scope: 'account_and_client' });
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
    const attempt = other.attempt('alice@example.com', 'id of alice@example.com', HOME);
    await attempt.check();
    await attempt.failed();
    // for user, name and address
    expect(store.size).toBe(before + 5);
  });

  it('keeps all that it counts of a user under one subject, where it can be listed and forgotten', async () => {
    await succeed('alice');
    await failTimes(5, 'alice', { ip: '192.0.2.1' });
    await failTimes(1, 'alice', { ip: '192.0.2.1', ...device() });
    const { subject } = store.keys[0]!;
    const counters = (await store.list(subject, clock.now())).map(({ counter }) => counter.split(':')[0]);
    expect(counters.sort()).toEqual(['blocks', 'failures', 'failures', 'failures', 'failures', 'known']);
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

  it('learns the address of a known device, in no more calls than without one', async () => {
    await succeed('alice', { ip: '192.0.2.1', ...device() });
    expect(store.calls).toEqual(['read', 'read', 'set']);
    store.calls.length = 0;
    await succeed('alice', { ip: '192.0.2.1', ...device() });
    expect(store.calls).toEqual(['read', 'read']);
    for (let i = 0; i < 50; i += 1) await failTimes(1, 'alice', { ip: `198.51.100.${i}` });
    expect(await succeed('alice')).toMatchObject({ scope: 'account' });
    expect(await succeed('alice', { ip: '192.0.2.1' })).toBeUndefined();
  });

  it('bounds the known addresses of a user together, and lets the owner in by their device', async () => {
    const addresses = Array.from({ length: 60 }, (_, i) => ({ ip: `192.0.2.${i}` }));
    for (const address of addresses) await succeed('alice', address);
    let verdicts = 0;
    for (const address of addresses) {
      for (let i = 0; i < 4; i += 1) if ((await fail('alice', address)) === undefined) verdicts += 1;
    }
    // fifty from known addresses, and fifty more as a stranger
    expect(verdicts).toBe(100);
    expect(await succeed('alice', addresses[59])).toMatchObject({ scope: 'account' });
    expect(await succeed('alice', { ...device(), ...addresses[59] })).toBeUndefined();
    expect(await succeed('bob', addresses[59])).toBeUndefined();
    clock.time += HOUR;
    expect(await succeed('alice', addresses[59])).toBeUndefined();
  });

  it('counts clients without an address as one, at an account by strangers’ limits, and warns once', async () => {
    const warn = jest.spyOn(Logger.prototype, 'warn').mockImplementation(() => undefined);
    await succeed('alice', {});
    for (let i = 0; i < 50; i += 1) await failTimes(1, 'alice', i % 2 === 0 ? {} : { ip: '' });
    expect(await succeed('alice', {})).toEqual({ scope: 'account', retryAfterSeconds: 3600 });
    // she gets in with a known device
    expect(await succeed('alice', device())).toBeUndefined();
    await failTimes(50, 'bob', {});
    expect(await succeed('carol', {})).toEqual({ scope: 'address', retryAfterSeconds: 3600 });
    expect(await succeed('carol', HOME)).toBeUndefined();
    expect(warn.mock.calls).toEqual([[expect.stringContaining('no address')]]);
    warn.mockRestore();
  });

  it('refuses a site of 56 bits after twice as many failures as an address, whatever its networks', async () => {
    const at = (network: number): LoginClient => ({ ip: `2001:db8:7:${(0x100 + network).toString(16)}::1` });
    for (let i = 0; i < 200; i += 1) await failTimes(1, `customer${i}`, at(i));
    expect(await succeed('bob', at(255))).toEqual({ scope: 'address', retryAfterSeconds: 3600 });
    expect(await succeed('bob', at(256))).toBeUndefined();
    // each of its networks has the limit of an address
    for (let i = 0; i < 100; i += 1) await failTimes(1, `other${i}`, at(512));
    expect(await succeed('bob', at(512))).toMatchObject({ scope: 'address' });
    expect(await succeed('bob', at(513))).toBeUndefined();
  });

  it('lets nobody forgive, trust or recognise by a name that only looks like another’s', async () => {
    const look = 'alicé';
    for (let round = 0; round < 3; round += 1) {
      await fail('alice');
      await fail('alice');
      expect(await succeed(look)).toBeUndefined();
    }
    expect(await succeed('alice')).toMatchObject({ scope: 'account_and_client' });
    // the address does not become one of hers either
    for (let i = 0; i < 50; i += 1) await fail('alice', { ip: `198.51.100.${i}` });
    clock.time += HOUR - 1;
    expect(await succeed('alice')).toMatchObject({ scope: 'account' });
    expect(await succeed(look)).toBeUndefined();
  });

  it('counts a user by id as well, whatever names the application finds them by', async () => {
    const spell = (name: string, ip: string): LoginAttempt => throttle.attempt(name, 'one user', { ip });
    for (let i = 0; i < 5; i += 1) {
      const attempt = spell(`a name of hers, no. ${'abcde'[i]}`, '192.0.2.1');
      expect((await attempt.check()) ?? (await attempt.failed())).toBeUndefined();
    }
    expect(await spell('one more', '192.0.2.1').check()).toMatchObject({ scope: 'account_and_client' });
    expect(await spell('one more', '192.0.2.2').check()).toBeUndefined();
  });

  it('asks the store the same for a name that is nobody’s, and refuses it alike', async () => {
    const seen = async (name: string): Promise<unknown[]> => {
      store.calls.length = 0;
      store.keys.length = 0;
      const refusals: unknown[] = [];
      for (let i = 0; i < 7; i += 1) refusals.push(await fail(name));
      return [refusals, store.calls.slice(), store.keys.length];
    };
    expect(await seen('nobody')).toEqual(await seen('alice'));
  });

  it('bounds the known devices of a user together, and lets the owner in from where they were before', async () => {
    await succeed('alice');
    const guesses = Array.from({ length: 60 }, (_, i) => ({ ...device(`device ${i}`), ip: `192.0.2.${i}` }));
    let verdicts = 0;
    for (const guesser of guesses) {
      for (let i = 0; i < 5; i += 1) if ((await fail('alice', guesser)) === undefined) verdicts += 1;
    }
    // fifty with devices, and fifty more as a stranger
    expect(verdicts).toBe(100);
    expect(await succeed('alice', { ...device('device 99'), ip: '192.0.2.99' })).toMatchObject({ scope: 'account' });
    expect(await succeed('alice', { ...device('device 99'), ...HOME })).toBeUndefined();
    expect(await succeed('bob', { ...device('device 1'), ip: '192.0.2.99' })).toBeUndefined();
  });

  it('gives guesses by many devices at the same time no more verdicts than one account may have', async () => {
    const attempts = Array.from({ length: 60 }, (_, i) => at('alice', { ...device(`device ${i}`), ip: '192.0.2.1' }));
    for (const attempt of attempts) await attempt.check();
    const refusals = await Promise.all(attempts.map((attempt) => attempt.failed()));
    expect(refusals.filter((refusal) => refusal === undefined)).toHaveLength(50);
  });

  it('knows no device from before a change of credentials, and does know one from after it', async () => {
    const before = { ...device(), ip: '192.0.2.1' };
    for (let i = 0; i < 50; i += 1) await failTimes(1, 'alice', { ip: `198.51.100.${i}` });
    expect(await succeed('alice', before)).toBeUndefined();
    expect(await throttle.isDeviceKnown('id of alice', clock.time)).toBe(true);
    const changedAt = await throttle.credentialsChanged('id of alice');
    expect(changedAt).toBe(clock.time);
    expect(await throttle.isDeviceKnown('id of alice', changedAt)).toBe(false);
    expect(await throttle.isDeviceKnown('id of alice', changedAt + 1)).toBe(true);
    expect(await throttle.isDeviceKnown('id of bob', changedAt)).toBe(true);
    const attempt = at('alice', { ...before, ip: '192.0.2.2' });
    expect(await attempt.check()).toMatchObject({ scope: 'account' });
    expect(attempt.isDeviceKnown).toBe(false);
    expect(await succeed('alice', { ...device('another', changedAt + 1), ip: '192.0.2.2' })).toBeUndefined();
    clock.time += 400 * DAY - 1;
    expect(await throttle.isDeviceKnown('id of alice', changedAt)).toBe(false);
  });

  it.each(['read', 'add', 'set', 'delete'] as const)('fails closed when the store fails at %s', async (operation) => {
    await failTimes(4, 'alice');
    const attempt = at('alice');
    if (operation !== 'read') await attempt.check();
    store[operation] = (): Promise<never> => Promise.reject(new Error('down'));
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
    const attempt = throttleOn(silent, 5).attempt('alice', 'alice', HOME);
    await expect(attempt.check()).rejects.toMatchObject({ code: 'session_store_unavailable' });
  });
});
