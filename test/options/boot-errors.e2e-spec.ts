import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { type DynamicModule } from '@nestjs/common';
import { Redis } from 'ioredis';
import {
  BcryptPasswordHasher,
  LoggerAuditLog,
  MemoryLoginThrottleStore,
  MemoryRememberMeTokenStore,
  MemorySessionStore,
  SessionAuthModule,
  type SessionAuthOptions,
} from 'nestjs-session-auth';
import { redisStorage } from 'nestjs-session-auth/redis';
import {
  closeApps,
  expectWorking,
  forRoot,
  log,
  options,
  SECRETS,
  start,
  Users,
  type Options,
} from '../support/door-app.js';

afterEach(closeApps);

const NOT_LOADED = /: secrets(\[0\])?: given .*\.env, that may not be loaded yet.*forRootAsync with ConfigService/;

describe('booting', () => {
  const asynchronous = (answer: object, extras: object = {}): DynamicModule =>
    SessionAuthModule.forRootAsync({ ...extras, useFactory: () => answer as SessionAuthOptions });

  it.each<[string, () => DynamicModule, RegExp]>([
    ['no secrets', () => SessionAuthModule.forRoot({} as never), /: secrets: given nothing/],
    ['no secrets from a factory', () => asynchronous({}), /: secrets: given nothing/],
    ['nothing from a factory', () => asynchronous(undefined as never), /: options: given nothing/],
    ['a short secret', () => forRoot({ secrets: ['short'] }), /: secrets\[0\]: given a string of 5 bytes/],
    [
      'a secret that is no text',
      () => forRoot({ secrets: [SECRETS[0]!, 7 as never] }),
      /: secrets\[1\]: given a number/,
    ],
    ['a missing variable', () => asynchronous({ secrets: [undefined] }), /: secrets\[0\]: given nothing/],
    ['an option of a file that is not loaded', () => forRoot({ secrets: [undefined as never] }), NOT_LOADED],
    ['one that is empty there', () => forRoot({ secrets: [''] }), NOT_LOADED],
    ['no option at all', () => forRoot({ secrets: undefined as never }), NOT_LOADED],
    ...[
      '//evil.example',
      '///evil.example',
      '/\\evil.example',
      '\\\\evil.example',
      '/\t/evil.example',
      '/\n/evil.example',
      '/%2fevil.example',
      '/%5Cevil.example',
      '/%252fevil.example',
      '/%09/evil.example',
      '/x//evil.example',
      '/..//evil.example',
      '/./x',
      '/x/../y',
      'https://evil.example',
      'https:/evil.example',
      'javascript:alert(1)',
      'login',
      '?login',
      '/login#there',
      '/with a blank',
      '/with\r\nset-cookie: x=y',
      '/with?line=%0d%0aset-cookie:x',
      '/wïth',
    ].map((login): [string, () => DynamicModule, RegExp] => [
      `the path ${JSON.stringify(login)} after a form`,
      () => forRoot({ endpoints: { redirects: { login } }, users: { useClass: Users } }),
      /: endpoints\.redirects\.login: given '/,
    ]),
    [
      'no text for a path after a form',
      () => forRoot({ endpoints: { redirects: { logout: 7 as never } }, users: { useClass: Users } }),
      /: endpoints\.redirects\.logout: given 7/,
    ],
    [
      'an endpoint without forms',
      () => forRoot({ endpoints: { redirects: { sessions: '/x' } as never }, users: { useClass: Users } }),
      /: endpoints\.redirects\.sessions: given an unknown option/,
    ],
    ...['', 'password', 'rememberMe', '__proto__', 'a b', 'x'.repeat(101)].map(
      (loginField): [string, () => DynamicModule, RegExp] => [
        `the login field '${loginField}'`,
        () => forRoot({ endpoints: { loginField }, users: { useClass: Users } }),
        /: endpoints\.loginField: given '/,
      ],
    ),
    ['an unknown option', () => forRoot({ sessionStore: 'redis' } as never), /: sessionStore: given an unknown option/],
    ['an unknown option deep down', () => forRoot({ cookie: { httpOnly: false } as never }), /: cookie\.httpOnly: /],
    [
      'an unknown part of the storage',
      () => forRoot({ storage: { session: { useClass: MemorySessionStore } } as never }),
      /: storage\.session: given an unknown option/,
    ],
    [
      'an unknown endpoint option',
      () => forRoot({ endpoints: { prefix: 'x' } as never, users: { useClass: Users } }),
      /: endpoints\.prefix: /,
    ],
    ['an unknown option next to a factory', () => asynchronous(options(), { secretss: [] }), /: secretss: /],
    ['an option of the factory next to it', () => asynchronous(options(), { cookie: {} }), /: cookie: /],
    ['an unknown option from a factory', () => asynchronous(options({ cokie: {} } as never)), /: cokie: /],
    ['a part from a factory', () => asynchronous(options({ users: { useClass: Users } })), /: users: /],
    ['storage from a factory', () => asynchronous(options({ storage: 'memory' })), /: storage: /],
    [
      'a provider of passwords from a factory',
      () => asynchronous(options({ passwords: { useValue: {} as never } })),
      /: passwords: /,
    ],
    [
      'a cost next to a factory',
      () => asynchronous({ secrets: SECRETS }, { passwords: { cost: 12 } }),
      /: passwords: /,
    ],
    [
      'storage by an unknown name',
      () => forRoot({ storage: 'redis' as never }),
      /: storage: given 'redis'; allowed is 'memory', or the slots/,
    ],
    [
      'a store that is no provider',
      () => forRoot({ storage: { sessions: new MemorySessionStore() as never } }),
      /: storage\.sessions: given an object; allowed is a provider/,
    ],
    [
      'a store without operations',
      () =>
        forRoot({ storage: { sessions: { useValue: { create: () => undefined, find: () => undefined } as never } } }),
      /: storage\.sessions: given a store without update, rotate, delete, list, deleteByHandle, deleteByUser, updateByUser, deleteExpired;/,
    ],
    [
      'a store that is nothing',
      () => forRoot({ storage: { sessions: { useFactory: () => undefined as never } } }),
      /: storage\.sessions: given a store without create/,
    ],
    [
      'a store of counts as it was before the times were given to it',
      () => forRoot({ storage: { throttle: { useValue: { counter: () => undefined } as never } } }),
      /: storage\.throttle: given a store without read, add, set, delete, list, deleteExpired; allowed is an implementation of LoginThrottleStore/,
    ],
    [
      'a remember-me store without operations',
      () => forRoot({ rememberMe: {}, storage: { rememberMe: { useValue: { create: () => undefined } as never } } }),
      /: storage\.rememberMe: given a store without find, replace, delete, deleteById, deleteBySession, deleteByUser, list, deleteExpired;/,
    ],
    [
      'users that are no provider',
      () => forRoot({ users: new Users() as never }),
      /: users: given an object; allowed is a provider/,
    ],
    [
      'endpoints without users',
      () => forRoot({ endpoints: { path: 'auth' } }),
      /: endpoints: given an object; allowed is false without the option users/,
    ],
    [
      'an empty path',
      () => forRoot({ endpoints: { path: '' }, users: { useClass: Users } }),
      /: endpoints\.path: given ''/,
    ],
    ['global that is no flag', () => forRoot({ global: 'yes' as never }), /: global: given 'yes'/],
    [
      'a domain with __Host-',
      () => forRoot({ cookie: { domain: 'example.com' } }),
      /: cookie\.domain: given 'example\.com'/,
    ],
    ['a path with __Host-', () => forRoot({ cookie: { path: '/app' } }), /: cookie\.path: given '\/app'/],
    ['__Host- without Secure', () => forRoot({ cookie: { secure: false } }), /: cookie\.secure: given false/],
    [
      'SameSite=None without Secure',
      () => forRoot({ cookie: { name: 's', secure: false, sameSite: 'none' } }),
      /: cookie\.sameSite: given 'none'/,
    ],
    [
      'a weak cost in production',
      () => forRoot({ passwords: { cost: 9 } }),
      /: passwords\.cost: given 9; allowed is a whole number from 10/,
    ],
  ])('fails on %s and names the option', async (what, make, message) => {
    const environment = process.env['NODE_ENV'];
    if (what.endsWith('in production')) process.env['NODE_ENV'] = 'production';
    try {
      const failure: unknown = await (async () => start(make()))().then(
        () => 'it booted',
        (error: unknown) => error,
      );
      expect(failure).toMatchObject({ name: 'SessionAuthError', code: 'invalid_configuration' });
      expect((failure as Error).message).toMatch(message);
      expect((failure as Error).message).not.toContain(SECRETS[0]);
    } finally {
      process.env['NODE_ENV'] = environment;
    }
  });
});

describe('in production', () => {
  const environment = process.env['NODE_ENV'];
  // a hasher of its own: bcrypt of production's cost would still be at work when the tests are over
  const quick = { secrets: SECRETS, passwords: { useValue: new BcryptPasswordHasher(4) } };
  let redis: Redis;

  beforeAll(() => {
    process.env['NODE_ENV'] = 'production';
    redis = new Redis({ lazyConnect: true });
  });
  afterAll(() => {
    process.env['NODE_ENV'] = environment;
    redis.disconnect();
  });

  const warnings = (): string[] => log.filter(({ level }) => level === 'warn').map(({ text }) => text);
  const production = (given: Partial<Options> = {}): DynamicModule => SessionAuthModule.forRoot({ ...quick, ...given });

  it.each<[string, () => DynamicModule]>([
    ['by default', () => production()],
    [
      'by name, in forRootAsync',
      () =>
        SessionAuthModule.forRootAsync({
          useFactory: () => ({ secrets: SECRETS }),
          passwords: quick.passwords,
          storage: 'memory',
        }),
    ],
    ['by storage without sessions', () => production({ storage: {} })],
  ])('warns once of all that is in memory, by name: %s', async (_how, make) => {
    const client = await start(make());
    await client.get('/guarded');
    expect(warnings()).toEqual([
      expect.stringContaining(
        'sessions, remember-me tokens and counts of failed logins are kept in memory: a restart loses them, and other nodes ' +
          "do not share them; audit events only go to Nest's log; set the option storage",
      ),
    ]);
  });

  const elsewhere = {
    sessions: { useClass: MemorySessionStore },
    rememberMe: { useClass: MemoryRememberMeTokenStore },
    throttle: { useClass: MemoryLoginThrottleStore },
    audit: { useValue: new LoggerAuditLog() },
  };

  it.each<[string, Partial<Options>, string]>([
    ['sessions', { storage: { ...elsewhere, sessions: undefined } }, 'sessions are'],
    ['remember-me tokens', { storage: { ...elsewhere, rememberMe: undefined } }, 'remember-me tokens are'],
    ['counts', { storage: { ...elsewhere, throttle: undefined } }, 'counts of failed logins are'],
    [
      'both, beside sessions elsewhere',
      { storage: { sessions: elsewhere.sessions } },
      'remember-me tokens and counts of failed logins are',
    ],
    ['no tokens where none are kept', { storage: {}, rememberMe: false }, 'sessions and counts of failed logins are'],
    [
      'no counts where nothing is throttled',
      { storage: {}, loginThrottle: false },
      'sessions and remember-me tokens are',
    ],
  ])('warns of what a storage leaves in memory, and of nothing else: %s', async (_what, given, begins) => {
    await start(production(given));
    expect(warnings()).toEqual([expect.stringMatching(new RegExp(`^${begins} kept in memory`))]);
    expect(warnings()[0]!.includes('audit events')).toBe(!JSON.stringify(given.storage).includes('audit'));
  });

  it('warns of cookies that go over plain HTTP', async () => {
    const storage = { sessions: { useClass: MemorySessionStore } };
    const off = { rememberMe: false, loginThrottle: false } as const;
    await start(production({ ...off, storage, cookie: { name: 'session', secure: false } }));
    expect(warnings()).toEqual([expect.stringContaining('cookie.secure is false')]);
  });

  it.each<[string, () => Partial<Options>]>([
    ['Redis', () => ({ storage: redisStorage({ client: redis, namespace: 'module-options:' }) })],
    [
      'stores of its own',
      () => ({
        storage: {
          sessions: { useClass: MemorySessionStore },
          rememberMe: { useClass: MemoryRememberMeTokenStore },
          throttle: { useClass: MemoryLoginThrottleStore },
        },
      }),
    ],
    [
      'a store of its own, without remember-me and the throttle',
      () => ({ storage: { sessions: { useClass: MemorySessionStore } }, rememberMe: false, loginThrottle: false }),
    ],
  ])('says nothing with %s', async (_what, given) => {
    await start(production(given()));
    expect(warnings()).toEqual([]);
  });
});

describe('lifetimes', () => {
  const warningsOf = async (lifetime: Options['lifetime']): Promise<string[]> => {
    log.splice(0);
    await expectWorking(await start(forRoot({ lifetime })));
    return log.filter(({ level }) => level === 'warn').map(({ text }) => text);
  };

  it('get one warning if no standard advises them, and still work', async () => {
    expect(await warningsOf({ absolute: '60d', idle: '1h' })).toEqual([
      expect.stringMatching(/lifetime\.absolute is 60 days: NIST/),
    ]);
    expect(await warningsOf({ idle: '90s' })).toEqual([expect.stringMatching(/lifetime\.idle is 90 s: OWASP/)]);
  });

  it.each(['nistAal1', 'nistAal2', 'nistAal3', undefined] as const)('are not warned of: %s', async (lifetime) => {
    expect(await warningsOf(lifetime)).toEqual([]);
  });
});

it('says nothing of memory outside production', async () => {
  await start(forRoot());
  expect(log.filter(({ level }) => level === 'warn')).toEqual([]);
});
