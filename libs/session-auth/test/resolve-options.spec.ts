import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { resolveOptions } from '../src/resolve-options.js';
import { HOUR } from '../src/time/units.js';

const SECRET = 'a secret that is long enough for tests';
const OTHER = 'another secret that is as long as the first';

const resolve = (options: object = {}, production = false): ReturnType<typeof resolveOptions> =>
  resolveOptions({ secrets: [SECRET], ...options }, production);

/** The message of the refusal, whose code is checked. */
function refusalOf(options: unknown, production = false): string {
  try {
    resolveOptions(options, production);
  } catch (error) {
    expect(error).toMatchObject({ name: 'SessionAuthError', code: 'invalid_configuration' });
    return (error as Error).message;
  }
  throw new Error('the options were not refused');
}

describe('resolveOptions', () => {
  it('fills in the documented defaults', () => {
    expect(resolve()).toEqual({
      secrets: [SECRET],
      cookie: {
        name: '__Host-session',
        path: '/',
        domain: undefined,
        sameSite: 'lax',
        secure: true,
        partitioned: false,
        maxAge: undefined,
      },
      lifetime: {
        idle: HOUR,
        absolute: 24 * HOUR,
        touchInterval: 60_000,
        rotateEvery: undefined,
        rotationGrace: 10_000,
        onReuse: 'report',
      },
      concurrency: { max: 3, onLimit: 'evict-oldest' },
      rememberMe: {
        lifetime: 30 * 24 * HOUR,
        sliding: false,
        reuseGrace: 30_000,
        onTheft: 'revoke-tokens-and-sessions',
      },
      fingerprint: ['user-agent', 'accept-language', 'accept-encoding'].map((name) => ({
        name,
        tag: name === 'user-agent' ? 'user-agent:browser' : name,
        onMismatch: name === 'user-agent' ? 'destroy' : 'report',
        always: false,
        isPure: true,
        read: expect.any(Function),
      })),
      csrf: {
        header: 'x-csrf-token',
        field: 'csrf_token',
        methods: undefined,
        trustedOrigins: [],
        publicOrigins: [],
        global: false,
      },
      http: { noStore: true },
      graphql: { request: undefined },
      loginThrottle: {
        client: { failures: 5, window: HOUR / 4, block: 60_000, maxBlock: HOUR },
        address: { failures: 100, window: HOUR },
        account: { failures: 50, window: HOUR },
        knownFor: 21 * 24 * HOUR,
      },
      deviceCookie: { lifetime: 180 * 24 * HOUR },
      cleanup: { every: HOUR, batch: 1000 },
      passwords: { cost: 12, maxCost: 14 },
      passwordQueue: { perAddress: 64, total: 256 },
      storeTimeout: 2000,
      maxDataSize: 65_536,
    });
  });

  it('takes everything that can be given', () => {
    const max = (): number => 5;
    const request = (): undefined => undefined;
    expect(
      resolve({
        secrets: [SECRET, OTHER],
        cookie: {
          name: '__Secure-s',
          path: '/app',
          domain: 'example.com',
          sameSite: 'none',
          secure: true,
          partitioned: true,
          maxAge: '2h',
        },
        lifetime: {
          idle: '30m',
          absolute: '8h',
          touchInterval: '10s',
          rotateEvery: '15m',
          rotationGrace: '5s',
          onReuse: 'end-session',
        },
        concurrency: { max, onLimit: 'reject' },
        fingerprint: false,
        csrf: { header: 'X-Token', field: 'token', methods: ['PURGE'], global: true },
        http: { noStore: false },
        graphql: { request },
        rememberMe: { lifetime: '7d', sliding: true, reuseGrace: '5s', onTheft: 'revoke-tokens' },
        loginThrottle: {
          client: { failures: 3, window: '10m', block: '2m', maxBlock: '4h' },
          address: { failures: 50, window: '2h' },
          account: { failures: 20, window: '3h' },
          knownFor: '7d',
        },
        deviceCookie: { lifetime: '30d' },
        cleanup: { every: '10m', batch: 50 },
        passwords: { cost: 13, maxCost: 15 },
        passwordQueue: { perAddress: 16, total: 32 },
        storeTimeout: '500ms',
        maxDataSize: 1024,
      }),
    ).toEqual({
      secrets: [SECRET, OTHER],
      cookie: {
        name: '__Secure-s',
        path: '/app',
        domain: 'example.com',
        sameSite: 'none',
        secure: true,
        partitioned: true,
        maxAge: 2 * HOUR,
      },
      lifetime: {
        idle: HOUR / 2,
        absolute: 8 * HOUR,
        touchInterval: 10_000,
        rotateEvery: HOUR / 4,
        rotationGrace: 5000,
        onReuse: 'end-session',
      },
      concurrency: { max, onLimit: 'reject' },
      fingerprint: undefined,
      csrf: expect.objectContaining({ header: 'x-token', field: 'token', methods: ['PURGE'], global: true }),
      http: { noStore: false },
      graphql: { request },
      rememberMe: { lifetime: 7 * 24 * HOUR, sliding: true, reuseGrace: 5000, onTheft: 'revoke-tokens' },
      loginThrottle: {
        client: { failures: 3, window: HOUR / 6, block: HOUR / 30, maxBlock: 4 * HOUR },
        address: { failures: 50, window: 2 * HOUR },
        account: { failures: 20, window: 3 * HOUR },
        knownFor: 7 * 24 * HOUR,
      },
      deviceCookie: { lifetime: 30 * 24 * HOUR },
      cleanup: { every: HOUR / 6, batch: 50 },
      passwords: { cost: 13, maxCost: 15 },
      passwordQueue: { perAddress: 16, total: 32 },
      storeTimeout: 500,
      maxDataSize: 1024,
    });
  });

  it('takes false for off', () => {
    const off = resolve({ loginThrottle: false, deviceCookie: false, cleanup: false });
    expect([off.loginThrottle, off.deviceCookie, off.cleanup]).toEqual([
      undefined,
      undefined,
      { every: undefined, batch: 1000 },
    ]);
  });

  it('has the longest block follow a longer first one', () => {
    expect(resolve({ loginThrottle: { client: { block: '2h' } } }).loginThrottle?.client.maxBlock).toBe(2 * HOUR);
  });

  it.each([
    [{ loginThrottle: true }, 'loginThrottle'],
    [{ loginThrottle: { points: 5 } }, 'loginThrottle.points'],
    [{ loginThrottle: { client: { failures: 0 } } }, 'loginThrottle.client.failures'],
    [{ loginThrottle: { client: { block: '2h', maxBlock: '1h' } } }, 'loginThrottle.client.maxBlock'],
    [{ loginThrottle: { address: { window: '25d' } } }, 'loginThrottle.address.window'],
    [{ loginThrottle: { account: { window: 10 } } }, 'loginThrottle.account.window'],
    [{ loginThrottle: { knownFor: '30d' } }, 'loginThrottle.knownFor'],
    [{ deviceCookie: { lifetime: '401d' } }, 'deviceCookie.lifetime'],
    [{ deviceCookie: null }, 'deviceCookie'],
    [{ cleanup: { every: '23d' } }, 'cleanup.every'],
    [{ cleanup: { batch: 0 } }, 'cleanup.batch'],
    [{ cleanup: 'hourly' }, 'cleanup'],
  ])('refuses %j by name', (options, path) => {
    expect(refusalOf({ secrets: [SECRET], ...options })).toMatch(`SessionAuthModule: ${path}: given`);
  });

  it('takes rememberMe: false for off, and refuses what is too long or unknown', () => {
    expect(resolve({ rememberMe: false }).rememberMe).toBeUndefined();
    for (const [rememberMe, path] of [
      [{ lifetime: '401d' }, 'rememberMe.lifetime'],
      [{ reuseGrace: '11m' }, 'rememberMe.reuseGrace'],
      [{ onTheft: 'nothing' }, 'rememberMe.onTheft'],
      [{ sliding: 1 }, 'rememberMe.sliding'],
      [{ days: 30 }, 'rememberMe.days'],
      [true, 'rememberMe'],
    ] as const) {
      expect(refusalOf({ secrets: [SECRET], rememberMe })).toContain(`${path}: given`);
    }
  });

  it.each(['idle', 'absolute'] as const)('takes cookie.maxAge %s', (maxAge) => {
    expect(resolve({ cookie: { maxAge } }).cookie.maxAge).toBe(maxAge);
  });

  it('cuts cookie.maxAge at 400 days', () => {
    expect(resolve({ cookie: { maxAge: '1000d' } }).cookie.maxAge).toBe(34_560_000_000);
  });

  it.each([
    ['nistAal1', 30 * 24 * HOUR, 30 * 24 * HOUR],
    ['nistAal2', HOUR, 24 * HOUR],
    ['nistAal3', HOUR / 4, 12 * HOUR],
  ])('takes the preset %s', (lifetime, idle, absolute) => {
    expect(resolve({ lifetime }).lifetime).toEqual({
      idle,
      absolute,
      touchInterval: 60_000,
      rotateEvery: undefined,
      rotationGrace: 10_000,
      onReuse: 'report',
    });
  });

  it('fits the defaults of lifetime to what is given', () => {
    expect(resolve({ lifetime: { absolute: '10m' } }).lifetime).toMatchObject({ idle: 600_000, absolute: 600_000 });
    expect(resolve({ lifetime: { idle: '5m' } }).lifetime.touchInterval).toBe(30_000);
    expect(resolve({ lifetime: { idle: '2s' } }).lifetime).toMatchObject({ touchInterval: 200, rotationGrace: 2000 });
    expect(resolve({ lifetime: { idle: 1, absolute: 1 } }).lifetime.touchInterval).toBe(0);
    expect(resolve({ lifetime: { touchInterval: 0, rotationGrace: 0 } }).lifetime).toMatchObject({
      touchInterval: 0,
      rotationGrace: 0,
    });
  });

  it('takes a number or a function as short for concurrency.max', () => {
    const max = (): number => 5;
    for (const short of [1, Infinity, max]) {
      expect(resolve({ concurrency: short }).concurrency).toEqual({ max: short, onLimit: 'evict-oldest' });
    }
    expect(resolve({ concurrency: { onLimit: 'evict-least-recent' } }).concurrency).toEqual({
      max: 3,
      onLimit: 'evict-least-recent',
    });
  });

  it.each([
    { useClass: class Hasher {} },
    { useExisting: 'HASHER' },
    { useValue: {} },
    { useFactory: (): object => ({}) },
  ])('leaves passwords to a provider: %p', (passwords) => {
    expect(resolve({ passwords }).passwords).toBeUndefined();
  });

  it('keeps its secrets apart from the list it was given', () => {
    const secrets = [SECRET];
    const resolved = resolve({ secrets });
    secrets.push(OTHER);
    expect(resolved.secrets).toEqual([SECRET]);
  });

  it('changes nothing in what it was given', () => {
    const options = Object.freeze({ secrets: Object.freeze([SECRET]), cookie: Object.freeze({ maxAge: '1h' }) });
    expect(() => resolveOptions(options, false)).not.toThrow();
  });

  describe('refuses', () => {
    it.each([
      ['an empty list', { secrets: [] }, 'an array of 0'],
      ['a text instead of a list', { secrets: SECRET }, 'a string'],
      ['null', { secrets: null }, 'null'],
    ])('secrets: %s', (_what, options, given) => {
      expect(refusalOf(options)).toBe(
        `SessionAuthModule: secrets: given ${given}; allowed is an array of one or more secrets, each a string of at ` +
          `least 32 bytes, for example from: node -p "require('crypto').randomBytes(32).toString('base64')"`,
      );
    });

    it.each([
      ['none', {}, 'secrets: given nothing'],
      ['undefined, as from a missing variable', { secrets: undefined }, 'secrets: given nothing'],
      ['a missing variable in a list', { secrets: [SECRET, undefined] }, 'secrets[1]: given nothing'],
      ['an empty variable', { secrets: [''] }, 'secrets[0]: given a string of 0 bytes'],
    ])('secrets: %s, and says that .env may not be loaded yet', (_what, options, beginning) => {
      const message = refusalOf(options);
      expect(message).toContain(`SessionAuthModule: ${beginning}; allowed is an array of one or more secrets`);
      expect(message).toContain('If it is in .env, that may not be loaded yet');
      expect(message).toContain('forRootAsync with ConfigService');
    });

    it.each([
      ['a short one', ['hush-hush'], 0, 'a string of 9 bytes'],
      ['a short one behind a good one', [SECRET, 'hush-hush'], 1, 'a string of 9 bytes'],
      ['one of 31 bytes', ['hush'.repeat(7) + 'hus'], 0, 'a string of 31 bytes'],
      ['an empty one', [''], 0, 'a string of 0 bytes'],
      ['a missing variable', [SECRET, undefined], 1, 'nothing'],
      ['a number', [12_345], 0, 'a number'],
      ['a buffer', [Buffer.from(SECRET)], 0, 'an object'],
      ['a nested list', [[SECRET]], 0, 'an array of 1'],
    ])('secrets: %s, by place, and never echoes it', (_what, secrets, index, given) => {
      const message = refusalOf({ secrets });
      expect(message).toContain(`SessionAuthModule: secrets[${index}]: given ${given}; allowed is`);
      for (const secret of ['hush', SECRET, '12345']) expect(message).not.toContain(secret);
    });

    it('secrets: a hole in the list', () => {
      // eslint-disable-next-line no-sparse-arrays -- the mistake that is meant
      expect(refusalOf({ secrets: [, SECRET] })).toContain('secrets[0]: given nothing');
    });

    it('secrets: the same one twice, and never echoes it', () => {
      const message = refusalOf({ secrets: [SECRET, OTHER, SECRET] });
      expect(message).toContain('secrets: given the same secret twice; allowed is different secrets');
      expect(message).not.toContain(SECRET);
    });

    it('counts bytes of a secret, not characters', () => {
      expect(resolveOptions({ secrets: ['é'.repeat(16)] }, false).secrets).toHaveLength(1);
    });

    it.each<[string, object]>([
      ['cookies', { cookies: {} }],
      ['secret', { secret: SECRET }],
      ['cookie.httpOnly', { cookie: { httpOnly: false } }],
      ['cookie.expires', { cookie: { expires: 1 } }],
      ['lifetime.idleTimeout', { lifetime: { idleTimeout: 1 } }],
      ['concurrency.limit', { concurrency: { limit: 1 } }],
      ['passwords.rounds', { passwords: { rounds: 12 } }],
      ['passwords.rounds', { passwords: { rounds: 12, cost: 12 } }],
    ])('the unknown key %s', (path, options) => {
      const message = refusalOf({ secrets: [SECRET], ...options });
      expect(message).toMatch(new RegExp(`^SessionAuthModule: ${path}: given an unknown option; allowed is one of`));
      expect(message).not.toContain(SECRET);
    });

    it.each<[string, unknown[]]>([
      ['cookie', ['x', 1, true, null, [], () => 1]],
      ['graphql.request', ['req', {}, true, null]],
      ['cookie.name', ['', 5, null, {}, 'my session', 'a;b']],
      ['cookie.path', ['', 5, null, 'app', '/a;b', '/app']],
      ['cookie.domain', ['', 5, null, 'example.com']],
      ['cookie.sameSite', ['Lax', true, null, '', 'default']],
      ['cookie.secure', ['true', 1, null, 'auto', false]],
      ['cookie.partitioned', ['true', 1, null]],
      ['cookie.maxAge', ['session', true, null, -1, 0, 999, Number.NaN, Infinity, 'soon']],
      ['lifetime', [1, true, null, [], 'nistAal4', '1h']],
      ['lifetime.idle', [0, -1, 'soon', null, true, Number.NaN, Infinity, '25h', '200y']],
      ['lifetime.absolute', [0, -1, 'soon', null, true, Number.NaN, Infinity, '200y', Number.MAX_VALUE]],
      ['lifetime.touchInterval', [-1, 'soon', null, true, '1h', '2h']],
      ['lifetime.rotateEvery', [0, -1, 'soon', null, true]],
      ['lifetime.rotationGrace', [-1, 'soon', null, true, '61m']],
      ['lifetime.onReuse', ['end', 'END-SESSION', '', null, true]],
      ['concurrency', [0, -1, 1.5, Number.NaN, '3', null, true, [], false]],
      ['concurrency.max', [0, -1, 1.5, Number.NaN, '3', null, true, []]],
      ['concurrency.onLimit', ['evict', '', null, true]],
      ['passwords', ['bcrypt', 12, null, true, []]],
      ['passwords.cost', [3, 32, 11.5, '12', null, true]],
      ['passwords.maxCost', [11, 32, 12.5, '14', null, true]],
      ['passwordQueue', [64, null, true, false, []]],
      ['passwordQueue.perAddress', [0, 10_001, 1.5, '64', null]],
      ['passwordQueue.total', [0, 10_001, 1.5, '256', null]],
      ['fingerprint', [true, 1, null, [], 'destroy']],
      ['fingerprint.headers', ['user-agent', 5, null, { name: 'x' }, ['x', 'x']]],
      ['fingerprint.onMismatch', ['ignore', true, null]],
      ['csrf', [false, true, 1, null, [], 'x']],
      ['csrf.header', ['', 5, null, 'x token']],
      ['csrf.field', ['', 5, null]],
      ['csrf.methods', [[], ['post'], 'POST', null, [5]]],
      ['csrf.trustedOrigins', ['https://a.example', ['*'], null, [5], ['https://a.example/path']]],
      ['csrf.publicOrigin', [[], 5, null, 'https://*.a.example']],
      ['csrf.global', ['yes', 1, null]],
      ['storeTimeout', [0, -1, 'soon', null, true, Infinity, '25d']],
      ['maxDataSize', [0, -1, 1.5, '64kb', null, true, 17 * 1024 * 1024]],
    ])('%s: %j', (path, values) => {
      for (const value of values) {
        const [option, nested] = path.split('.') as [string, string | undefined];
        const message = refusalOf({ secrets: [SECRET], [option]: nested === undefined ? value : { [nested]: value } });
        const blamed = path === 'cookie.path' && value === '/app' ? 'cookie.path' : path;
        expect(message).toMatch(new RegExp(`^SessionAuthModule: ${blamed}: given .+; allowed is .+`));
      }
    });

    it.each([
      ['cookie.secure', { cookie: { secure: false } }, 'cookie.name'],
      ['cookie.sameSite', { cookie: { name: 's', sameSite: 'none', secure: false } }, 'secure: true'],
      ['cookie.partitioned', { cookie: { name: 's', partitioned: true, secure: false } }, 'secure: true'],
      ['lifetime.idle', { lifetime: { idle: '2h', absolute: '1h' } }, 'lifetime.absolute, which is 3600000 ms'],
      ['lifetime.touchInterval', { lifetime: { idle: 1000, touchInterval: 1000 } }, 'lifetime.idle, which is 1000 ms'],
      ['lifetime.rotationGrace', { lifetime: { idle: 1000, rotationGrace: 1001 } }, 'lifetime.idle, which is 1000 ms'],
    ])('the contradiction in %s, and says with what', (path, options, other) => {
      const message = refusalOf({ secrets: [SECRET], ...options });
      expect(message).toMatch(new RegExp(`^SessionAuthModule: ${path}: `));
      expect(message).toContain(other);
    });

    it('a bcrypt cost below 10 in production only', () => {
      expect(resolve({ passwords: { cost: 4 } }).passwords).toEqual({ cost: 4, maxCost: 14 });
      expect(resolve({ passwords: { cost: 10 } }, true).passwords).toEqual({ cost: 10, maxCost: 14 });
      expect(refusalOf({ secrets: [SECRET], passwords: { cost: 9 } }, true)).toContain('a whole number from 10 to 31');
    });

    it.each(['cookie', 'lifetime', 'concurrency', 'fingerprint', 'csrf', 'passwords', 'storeTimeout', 'maxDataSize'])(
      'with a code whatever %s is',
      (option) => {
        fc.assert(
          fc.property(fc.anything({ withNullPrototype: true, withBigInt: true, withDate: true }), (value) => {
            try {
              resolve({ [option]: value });
            } catch (error) {
              expect(error).toMatchObject({ code: 'invalid_configuration' });
            }
          }),
        );
      },
    );
  });
});
