import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { SessionUser, SessionUserProvider } from 'nestjs-session-auth';
import { PasswordHasher, SessionLifecycleService } from 'nestjs-session-auth';
import { REMEMBER_COOKIE, SESSION_COOKIE, type Answer, type BankClient } from '../support/bank-client.js';
import { EVERYWHERE, SERVERS, openBackend, startBank, type Backend, type Bank } from '../support/bank.js';

/** Texts that somebody means as something else than a text. */
const HOSTILE_TEXTS = [
  '%00',
  '%0d%0aSet-Cookie:a=b',
  '..',
  '%2e%2e%2f%2e%2e',
  '*',
  '%25',
  '_',
  '%27%20OR%20%271%27=%271',
  '%5C',
  '%7B%7D',
  '__proto__',
  'constructor',
  'current',
  'null',
  'undefined',
  '%ED%A0%80',
  '%FF',
  '%F0%9F%91%A9',
  'x'.repeat(90),
];

describe.each(EVERYWHERE)('hostile input on $adapter with $store', ({ adapter, store }) => {
  let backend: Backend;
  let bank: Bank;
  let alice: BankClient;

  beforeAll(async () => {
    backend = await openBackend(store);
    bank = await startBank({ adapter, backend });
  });

  beforeEach(async () => {
    alice = bank.client();
    await alice.login('alice');
  });

  afterAll(async () => {
    await bank.close();
    await backend.close();
  });

  /** Sends JSON as it is written: `JSON.stringify` would leave `__proto__` out. */
  const patch = (json: string): Promise<Answer> =>
    alice.ask('PATCH', '/api/preferences', { body: json, headers: { 'content-type': 'application/json' } });

  it('instead of a session’s handle ends nothing and breaks nothing', async () => {
    const other = bank.client();
    await other.login('alice');
    for (const text of HOSTILE_TEXTS) {
      const { status, json } = await alice.ask('DELETE', `/auth/sessions/${text}`);
      expect({ text, status: [400, 404].includes(status) }).toEqual({ text, status: true });
      expect(JSON.stringify(json)).not.toMatch(/syntax|invalid byte|WRONGTYPE| at .*\.js/i);
    }
    for (const query of ['include=current&include=current', 'include=', 'include=true', 'include=Current']) {
      expect((await alice.ask('DELETE', `/auth/sessions?${query}`)).status).toBe(400);
    }
    expect([await alice.isSignedIn(), await other.isSignedIn()]).toEqual([true, true]);
  });

  it('in session data reaches no prototype and no field of the session itself', async () => {
    const bodies = [
      '{"__proto__":{"polluted":1,"roles":["admin"]}}',
      '{"a":{"__proto__":{"polluted":1}}}',
      '{"constructor":{"prototype":{"polluted":1}}}',
      '{"roles":["admin"],"userId":"admin","user":{"roles":["admin"]},"authenticatedAt":9e15,"digest":"x"}',
      '{"expiresAt":9e15,"absoluteExpiresAt":9e15,"authentication":"password","rotatedAt":0,"id":"x"}',
      '{"toString":1,"hasOwnProperty":2,"then":3,"toJSON":4,"valueOf":5,"length":6}',
    ];
    const before = (await alice.get('/auth/session')).json;
    for (const body of bodies) {
      const { status } = await patch(body);
      expect({ body, status: [200, 400].includes(status) }).toEqual({ body, status: true });
    }
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
    expect((await alice.get('/api/me')).json).toEqual({
      userId: 'alice',
      email: 'alice@example.com',
      roles: ['customer'],
    });
    expect((await alice.get('/api/admin/sessions')).status).toBe(403);
    const { session: now } = (await alice.get('/auth/session')).json as { session: object };
    const { session: then } = before as { session: object };
    expect({ ...now, lastActivityAt: 0, expiresAt: 0 }).toEqual({ ...then, lastActivityAt: 0, expiresAt: 0 });
  });

  it('in session data comes back as it went in, or is refused: never a failure, never a broken session', async () => {
    const nested = (depth: number): string => `{"deep":${'['.repeat(depth)}${']'.repeat(depth)}}`;
    const texts = ['\\u0000', '\\ud800', '\\udfff\\ud800', '\\u001a0000', '\\u2028', 'e\\u0301', '\\u00e9', '\\ufeff'];
    const bodies = [
      ...texts.map((text) => `{"text":"${text}","${text}":1}`),
      '{"":1}',
      '{"n":[1e308,-1e308,5e-324,0.1,9007199254740993,-0,1e400]}',
      '{"empty":{},"list":[],"null":null,"nested":{"list":[{}],"object":{"a":[]}}}',
      nested(400),
      nested(999),
      nested(1001),
      nested(20_000),
    ];
    for (const body of bodies) {
      const { status, json } = await patch(body);
      expect({ body: body.slice(0, 60), status: [200, 400, 413].includes(status) }).toMatchObject({ status: true });
      if (status !== 200) continue;
      // what JSON carries of it: 1e400 is no number there, and -0 is 0
      const sent = JSON.parse(JSON.stringify(JSON.parse(body))) as object;
      expect(json).toMatchObject(sent);
      expect((await alice.get('/api/preferences')).json).toMatchObject(sent);
    }
    expect(await alice.isSignedIn()).toBe(true);
  });

  it('in a login is a login and nothing more', async () => {
    const login = async (json: string): Promise<Answer> => {
      const stranger = bank.client();
      return stranger.post('/auth/login', json, { headers: { 'content-type': 'application/json' } });
    };
    const credentials = '"email":"alice@example.com","password":"alice-demo-password"';
    const more = [
      '"__proto__":{"rememberMe":true}',
      '"constructor":{"prototype":{"rememberMe":true}}',
      '"roles":["admin"],"userId":"admin","user":{"id":"admin","roles":["admin"]},"id":"admin"',
      '"session":{"id":"chosen"},"token":"chosen","data":{"roles":["admin"]}',
    ];
    for (const extra of more) {
      const { status, json, setCookies } = await login(`{${extra},${credentials}}`);
      expect([200, 400]).toContain(status);
      if (status === 200) expect(json).toMatchObject({ user: { id: 'alice', roles: ['customer'] } });
      expect(setCookies.some((line) => line.startsWith(`${REMEMBER_COOKIE}=`))).toBe(false);
    }
    const wrong = [
      '{"email":{"$ne":null},"password":{"$ne":null}}',
      '{"email":["alice@example.com"],"password":["alice-demo-password"]}',
      '{"email":"alice@example.com","password":true}',
      '{"email":"alice@example.com","password":{"length":5}}',
      `[{${credentials}}]`,
      `"${'x'.repeat(100)}"`,
      'null',
      `{${credentials}`,
      `{${credentials},"rememberMe":"false"}`,
    ];
    for (const body of wrong) expect({ body, status: (await login(body)).status }).toEqual({ body, status: 400 });
  });
});

describe('names of users', () => {
  /** All different to a computer; to some databases, mail servers or eyes they are not. */
  const NAMES = [
    'é',
    'e\u0301',
    'É',
    'e',
    'E',
    'K',
    '\u212a',
    'ß',
    'ss',
    'ı',
    'i',
    'a\u200b',
    'a',
    'a ',
    '\0',
    '0',
    '00',
  ];
  const PASSWORD = 'the same for all of them';

  /** One account a name, known by exactly that name. */
  class ExactUsers implements SessionUserProvider {
    passwordHash = '';

    findByEmail(email: string): Promise<SessionUser | undefined> {
      return this.findById(email);
    }

    findById(id: string): Promise<SessionUser | undefined> {
      const { passwordHash } = this;
      return Promise.resolve(NAMES.includes(id) ? { id, email: id, roles: [], passwordHash } : undefined);
    }
  }

  it.each(['memory', 'redis', 'postgres'] as const)(
    'that differ by little are different users in %s',
    async (store) => {
      const backend = await openBackend(store);
      const users = new ExactUsers();
      const options = { users: { useValue: users }, concurrency: 1, loginThrottle: false as const };
      const bank = await startBank({ adapter: 'express', backend, options });
      try {
        users.passwordHash = await bank.app.get(PasswordHasher).hash(PASSWORD);
        const clients = new Map<string, BankClient>();
        for (const name of NAMES) {
          const client = bank.client();
          const answer = await client.post('/auth/login', { email: name, password: PASSWORD, rememberMe: true });
          expect(answer.status).toBe(200);
          clients.set(name, client);
        }
        // with a limit of one, no login has ended another's
        for (const [name, client] of clients) {
          expect((await client.get('/api/me')).json).toMatchObject({ userId: name });
          expect((await client.get('/auth/sessions')).json).toHaveLength(1);
        }
        const lifecycle = bank.app.get(SessionLifecycleService);
        for (const [name, client] of [...clients].reverse()) {
          expect(await lifecycle.revokeAll(name)).toBe(1);
          expect(await client.isSignedIn()).toBe(false);
          clients.delete(name);
          for (const other of clients.values()) expect(await other.isSignedIn()).toBe(true);
        }
      } finally {
        await bank.close();
        await backend.close();
      }
    },
  );
});

describe.each(SERVERS)('passwords and cookies on %s', (adapter) => {
  let bank: Bank;

  beforeAll(async () => {
    bank = await startBank({ adapter, backend: await openBackend('memory'), options: { loginThrottle: false } });
  });

  afterAll(() => bank.close());

  it('a password is compared to its end: behind a NUL, in its case, and as it was normalised', async () => {
    const passwords = bank.app.get(PasswordHasher);
    const pairs = [
      ['abc\0def', 'abc\0xyz'],
      ['abc\0def', 'abc'],
      ['pass', 'Pass'],
      ['pass', 'pass '],
    ] as const;
    for (const [right, wrong] of pairs) {
      const hash = await passwords.hash(right);
      expect([await passwords.verify(right, hash), await passwords.verify(wrong, hash)]).toEqual([true, false]);
    }
  });

  it('cookies with the names of an object’s own members change nothing', async () => {
    const alice = bank.client();
    await alice.login('alice');
    const odd = '__proto__=1; constructor=2; hasOwnProperty=3; toString=4; __proto__[__Host-session]=5; =6; 7';
    expect((await alice.get('/api/me', { cookie: `${odd}; ${alice.cookie}` })).status).toBe(200);
    expect((await alice.get('/api/me', { cookie: `${alice.cookie}; ${odd}` })).status).toBe(200);
    expect((await alice.get('/api/me', { cookie: odd })).status).toBe(401);
    const nested = `__proto__=${SESSION_COOKIE}=${alice.sealed}; $Path=/; $Version=1`;
    expect((await alice.get('/api/me', { cookie: nested })).status).toBe(401);
  });
});
