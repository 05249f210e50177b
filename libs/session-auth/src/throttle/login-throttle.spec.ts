import { beforeEach, describe, expect, it } from '@jest/globals';
import { LoginThrottleStore, type FailureCount, type FailureCounter } from './login-throttle-store.js';
import { DEFAULT_LOGIN_THROTTLE } from './login-throttle.options.js';
import { LoginThrottle, type LoginAttempt, type LoginClient, type ThrottleRefusal } from './login-throttle.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** Counts on a clock that is moved by hand. */
class ManualThrottleStore extends LoginThrottleStore {
  now = 0;
  readonly counts = new Map<string, { points: number; until: number }>();

  override counter(name: string, seconds: number): FailureCounter {
    const present = (key: string): { points: number; until: number } | undefined => {
      const found = this.counts.get(`${name}:${key}`);
      return found !== undefined && found.until > this.now ? found : undefined;
    };
    const put = (key: string, points: number, until: number): FailureCount => {
      this.counts.set(`${name}:${key}`, { points, until });
      return { consumedPoints: points, msBeforeNext: until - this.now };
    };
    return {
      get: async (key) => {
        const found = present(key);
        return found === undefined ? null : put(key, found.points, found.until);
      },
      penalty: async (key) => {
        const found = present(key);
        return put(key, (found?.points ?? 0) + 1, found?.until ?? this.now + seconds * 1000);
      },
      set: async (key, points, length) => put(key, points, this.now + length * 1000),
      delete: async (key) => this.counts.delete(`${name}:${key}`),
    };
  }
}

describe('LoginThrottle', () => {
  let store: ManualThrottleStore;
  let throttle: LoginThrottle;

  beforeEach(() => {
    store = new ManualThrottleStore();
    throttle = new LoginThrottle(store, DEFAULT_LOGIN_THROTTLE, Buffer.alloc(32, 1), 1000);
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

  it('blocks a client at an account for a minute after five failures, and twice as long each time, up to an hour', async () => {
    await succeed('alice');
    for (const minutes of [1, 2, 4, 8, 16, 32, 60, 60]) {
      await failTimes(5, 'alice');
      const refusal = { scope: 'account_and_client', retryAfterSeconds: minutes * 60 };
      expect(await fail('alice')).toEqual(refusal);
      expect(await succeed('alice')).toEqual(refusal);
      store.now += minutes * MINUTE - 1;
      expect(await fail('alice')).toEqual({ ...refusal, retryAfterSeconds: 1 });
      store.now += 1;
      // the address's own limit is not what this is about
      for (const key of store.counts.keys()) if (key.startsWith('address:')) store.counts.delete(key);
    }
  });

  it('forgets failures and blocks after a success, and failures after a quarter of an hour', async () => {
    await failTimes(5, 'alice');
    store.now += MINUTE;
    expect(await succeed('alice')).toBeUndefined();
    await failTimes(5, 'alice');
    expect(await fail('alice')).toMatchObject({ retryAfterSeconds: 60 });
    store.now += MINUTE;
    await failTimes(4, 'alice');
    store.now += 15 * MINUTE;
    await failTimes(5, 'alice');
  });

  it('gives tries that run at the same time no more verdicts than the limit', async () => {
    const attempts = Array.from({ length: 50 }, () => at('alice'));
    for (const attempt of attempts) expect(await attempt.check()).toBeUndefined();
    const verdicts = await Promise.all(attempts.slice(0, 49).map((attempt) => attempt.failed()));
    expect(verdicts.filter((refusal) => refusal === undefined)).toHaveLength(5);
    // the right password comes last, and is not told from the rest
    expect(await attempts[49]!.succeeded()).toMatchObject({ scope: 'account_and_client' });
  });

  it('refuses an address after a hundred failures in an hour, at any account', async () => {
    for (let i = 0; i < 100; i += 1) await failTimes(1, `customer${i}`);
    expect(await fail('somebody')).toEqual({ scope: 'address', retryAfterSeconds: 3600 });
    expect(await succeed('somebody')).toMatchObject({ scope: 'address' });
    expect(await succeed('somebody', { ip: '203.0.113.8' })).toBeUndefined();
    store.now += HOUR;
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
    store.now += 21 * 24 * HOUR;
    for (let i = 0; i < 50; i += 1) await failTimes(1, 'alice', { ip: `198.51.100.${i}` });
    expect(await succeed('alice')).toMatchObject({ scope: 'account' });
  });

  it('does not count what known clients fail against the account', async () => {
    await succeed('alice');
    await failTimes(4, 'alice');
    await failTimes(4, 'alice', { ip: '192.0.2.1', deviceId: 'a-device-of-hers' });
    expect([...store.counts.keys()].filter((key) => key.startsWith('account:'))).toEqual([]);
  });

  it('counts a known device by itself, wherever it is, and not by its address', async () => {
    const device = { deviceId: 'a-device-of-hers' };
    for (let i = 0; i < 5; i += 1) await failTimes(1, 'alice', { ...device, ip: `198.51.100.${i}` });
    expect(await fail('alice', { ...device, ip: '192.0.2.1' })).toMatchObject({ scope: 'account_and_client' });
    expect(await succeed('alice', { ip: '198.51.100.1' })).toBeUndefined();
    expect([...store.counts.keys()].filter((key) => key.startsWith('address:'))).toEqual([]);
  });

  it('keeps neither names nor addresses in what it counts by', async () => {
    await fail('alice@example.com');
    await succeed('bob@example.com');
    for (const key of store.counts.keys()) expect(key).toMatch(/^[a-z]+:[\w-]{22}$/);
    const other = new LoginThrottle(store, DEFAULT_LOGIN_THROTTLE, Buffer.alloc(32, 2), 1000);
    const keys = store.counts.size;
    await other.attempt('alice@example.com', HOME).failed();
    expect(store.counts.size).toBe(keys + 3);
  });

  it('writes nothing for a login without failures from a known address', async () => {
    await succeed('alice');
    const before = JSON.stringify([...store.counts]);
    await succeed('alice');
    expect(JSON.stringify([...store.counts])).toBe(before);
    store.now += 11 * 24 * HOUR;
    await succeed('alice');
    expect(JSON.stringify([...store.counts])).not.toBe(before);
  });

  it('does without an address', async () => {
    await failTimes(5, 'alice', {});
    expect(await fail('alice', {})).toMatchObject({ scope: 'account_and_client' });
    expect(await succeed('bob', {})).toBeUndefined();
  });

  it.each(['get', 'penalty'] as const)('fails closed when the store fails at %s', async (operation) => {
    const fail = (): Promise<never> => Promise.reject(new Error('down'));
    class BrokenStore extends ManualThrottleStore {
      override counter(name: string, seconds: number): FailureCounter {
        return { ...super.counter(name, seconds), [operation]: fail };
      }
    }
    const broken = new LoginThrottle(new BrokenStore(), DEFAULT_LOGIN_THROTTLE, Buffer.alloc(32), 1000);
    const attempt = broken.attempt('alice', HOME);
    const outcome = operation === 'get' ? attempt.check() : attempt.failed();
    await expect(outcome).rejects.toMatchObject({ code: 'session_store_unavailable' });
  });

  it('fails closed when the store does not answer in time', async () => {
    class SilentStore extends ManualThrottleStore {
      override counter(name: string, seconds: number): FailureCounter {
        return { ...super.counter(name, seconds), get: () => new Promise(() => undefined) };
      }
    }
    const silent = new LoginThrottle(new SilentStore(), DEFAULT_LOGIN_THROTTLE, Buffer.alloc(32), 5);
    await expect(silent.attempt('alice', HOME).check()).rejects.toMatchObject({ code: 'session_store_unavailable' });
  });
});
