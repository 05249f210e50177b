import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { SessionAuthError } from '../src/errors/session-auth.error.js';
import { resolveOptions, type ResolvedSessionAuthOptions } from '../src/resolve-options.js';

const SECRET = 'a secret that is long enough for tests';
const OPTIONS = ['cookie', 'lifetime', 'concurrency', 'fingerprint', 'csrf', 'rememberMe', 'passwords'];
const MORE = [
  'passwordQueue',
  'loginThrottle',
  'deviceCookie',
  'cleanup',
  'storeTimeout',
  'maxDataSize',
  'nearCache',
  'secrets',
  '__proto__',
  'x',
];

/** Whether every duration is a finite number of milliseconds, and the deadlines are in order. */
function expectSound({ lifetime, cookie, storeTimeout }: ResolvedSessionAuthOptions): void {
  const { idle, absolute, touchInterval, rotationGrace } = lifetime;
  for (const duration of [idle, absolute, touchInterval, rotationGrace, storeTimeout]) {
    expect(Number.isSafeInteger(duration)).toBe(true);
  }
  expect(idle).toBeGreaterThan(0);
  expect(idle).toBeLessThanOrEqual(absolute);
  expect(touchInterval).toBeLessThan(idle);
  expect(rotationGrace).toBeLessThanOrEqual(idle);
  if (!cookie.secure) {
    expect(cookie.name).not.toMatch(/^__(host|secure|http)/i);
    expect(cookie.sameSite).not.toBe('none');
  }
}

/** Resolves, or answers the refusal; anything else thrown fails the test. */
function resolve(options: unknown): ResolvedSessionAuthOptions | string {
  try {
    return resolveOptions(options, false);
  } catch (error) {
    if (!(error instanceof SessionAuthError)) throw error;
    expect(error.code).toBe('invalid_configuration');
    expect(error.message).not.toContain(SECRET);
    return error.message;
  }
}

describe('whatever stands in for options', () => {
  it('is resolved to something sound or refused with a reason: never another error', () => {
    const entries = fc.dictionary(fc.constantFrom(...OPTIONS, ...MORE), fc.anything(), { maxKeys: 4 });
    fc.assert(
      fc.property(
        fc.oneof(
          fc.anything(),
          entries.map((given) => ({ secrets: [SECRET], ...given })),
        ),
        (options) => {
          const resolved = resolve(options);
          if (typeof resolved !== 'string') expectSound(resolved);
        },
      ),
      { numRuns: 500 },
    );
  });

  it('is resolved to something sound where its parts are of the right kind', () => {
    const duration = fc.oneof(
      { weight: 20, arbitrary: fc.integer({ min: 1, max: 100_000_000 }) },
      { weight: 20, arbitrary: fc.constantFrom('1s', '15m', '1h', '30d') },
      { weight: 1, arbitrary: fc.double() },
      { weight: 1, arbitrary: fc.constantFrom(0, -5, '', 'x', '1e400', '-1m', '101y', ' 5m ') },
    );
    const likely = <T extends string>(good: readonly T[], bad: readonly T[]): fc.Arbitrary<T> =>
      fc.oneof({ weight: 5, arbitrary: fc.constantFrom(...good) }, { weight: 1, arbitrary: fc.constantFrom(...bad) });
    const optional = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
      fc.option(arbitrary, { nil: undefined });
    const lifetime = fc.record({
      idle: optional(duration),
      absolute: optional(duration),
      touchInterval: optional(duration),
      rotateEvery: optional(duration),
      rotationGrace: optional(duration),
    });
    const cookie = fc.record({
      name: optional(likely(['id', '__Host-id', '__secure-id', '__HTTP-id', '__Host-Http-id'], ['a b', 'a;b', ''])),
      path: optional(likely(['/'], ['/app', 'app', '/;', ''])),
      domain: optional(likely(['bank.example', '.bank.example'], ['bank example', 'x;y', '-a.example'])),
      sameSite: optional(likely(['lax', 'strict', 'none'], ['Lax', ''])),
      secure: optional(fc.boolean()),
      partitioned: optional(fc.boolean()),
      maxAge: optional(fc.oneof(duration, fc.constantFrom('idle', 'absolute'))),
    });
    let sound = 0;
    fc.assert(
      fc.property(lifetime, cookie, optional(duration), (times, attributes, storeTimeout) => {
        const resolved = resolve({ secrets: [SECRET], lifetime: times, cookie: attributes, storeTimeout });
        if (typeof resolved === 'string') return;
        sound += 1;
        expectSound(resolved);
      }),
      { numRuns: 1000 },
    );
    // the generators have to hit both sides
    expect(sound).toBeGreaterThan(0);
    expect(sound).toBeLessThan(1000);
  });
});
