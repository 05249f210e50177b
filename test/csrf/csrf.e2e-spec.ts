import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { BankClient, PRE_SESSION_COOKIE, SESSION_COOKIE, type Answer, type Ask } from '../support/bank-client.js';
import { SERVERS, type Bank } from '../support/bank.js';
import { startCsrfBank, VerbsController } from '../support/csrf-bank.js';
import { rawRequest } from '../support/raw-request.js';

const REFUSED = {
  statusCode: 403,
  realm: 'default',
  code: 'csrf_failed',
  message: 'the request could not be verified; reload the page and try again',
};
const CREDENTIALS = { email: 'alice@example.com', password: 'alice-demo-password' };
const UNSAFE = ['POST', 'PUT', 'PATCH', 'DELETE'];
/** Verbs that Node's parser lets through and that no list of ours names. */
const UNKNOWN = ['PROPFIND', 'PURGE', 'LINK', 'MKCOL', 'LOCK', 'REPORT', 'M-SEARCH', 'TRACE', 'SEARCH'];

describe.each(SERVERS)('CSRF protection on %s', (adapter) => {
  let bank: Bank;
  let alice: BankClient;
  let origin: string;

  beforeAll(async () => {
    bank = await startCsrfBank(adapter);
    origin = `http://127.0.0.1:${bank.port}`;
  });

  afterAll(() => bank.close());

  beforeEach(async () => {
    alice = bank.client();
    await alice.login('alice');
    bank.events.length = 0;
    VerbsController.calls = 0;
  });

  /** A transfer with these headers and a token that is good unless another is given. */
  async function transfer(headers: Record<string, string | string[]> = {}, csrf?: Ask['csrf']): Promise<Answer> {
    return alice.post('/api/transfer', { to: 'bob', amount: 1 }, { headers, csrf });
  }

  function expectRefused(answer: Answer, reason?: string): void {
    expect({ status: answer.status, json: answer.json }).toEqual({ status: 403, json: REFUSED });
    if (reason !== undefined) expect(bank.events.at(-1)).toMatchObject({ type: 'csrf.rejected', reason });
  }

  describe('verbs', () => {
    it.each(UNSAFE)('%s needs a token', async (method) => {
      expectRefused(await alice.ask(method, '/verbs/any', { csrf: false }), 'no_token');
      expect(VerbsController.calls).toBe(0);
      expect((await alice.ask(method, '/verbs/any')).text).toBe('done');
      expect(VerbsController.calls).toBe(1);
    });

    it.each(['GET', 'HEAD', 'OPTIONS'])('%s passes from any origin', async (method) => {
      const headers = { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' };
      const answer = await alice.ask(method, '/verbs/any', { headers });
      expect(answer.status).toBe(200);
      expect(VerbsController.calls).toBe(1);
    });

    it.each([...UNKNOWN, ...[...UNSAFE, ...UNKNOWN].map((verb) => verb.toLowerCase()), 'Post', 'gET', 'FROBNICATE'])(
      '%s does nothing without a token',
      async (method) => {
        const lines = [`${method} /verbs/any HTTP/1.1`, 'Host: bank', `Cookie: ${alice.cookie}`];
        const { status } = await rawRequest(bank.port, lines);
        expect(VerbsController.calls).toBe(0);
        expect([0, 400, 403, 404, 405, 501]).toContain(status);
        // Express hands every verb that Node can read to the handler
        if (adapter === 'express' && UNKNOWN.includes(method)) expect(status).toBe(403);
      },
    );

    it('no field and no header replaces the real verb', async () => {
      for (const verb of ['GET', 'HEAD', 'OPTIONS']) {
        for (const name of ['x-http-method-override', 'x-http-method', 'x-method-override', 'x-original-method']) {
          expectRefused(await transfer({ [name]: verb }, false));
        }
        const body = { to: 'bob', amount: 1, _method: verb };
        expectRefused(await alice.post(`/api/transfer?_method=${verb}`, body, { csrf: false }));
      }
    });

    it('are narrowed by a handler, exactly', async () => {
      expect((await alice.post('/verbs/deletes', undefined, { csrf: false })).status).toBe(200);
      expectRefused(await alice.ask('DELETE', '/verbs/deletes', { csrf: false }));
      expect((await alice.ask('DELETE', '/verbs/deletes')).status).toBe(200);
    });
  });

  describe('decorators and guard', () => {
    it('protect by the guard alone, by class, and not where a handler is exempt or nobody asked', async () => {
      expectRefused(await alice.post('/verbs/by-guard', undefined, { csrf: false }));
      expect((await alice.post('/verbs/by-guard')).text).toBe('done');
      expectRefused(await alice.post('/walled/in', undefined, { csrf: false }));
      expect((await alice.post('/walled/in')).text).toBe('done');
      expect((await alice.post('/walled/out', undefined, { csrf: false })).text).toBe('done');
      expect((await alice.post('/verbs/open', undefined, { csrf: false })).text).toBe('done');
    });

    it('are not needed by code that verifies for itself', async () => {
      expect((await alice.post('/verbs/verified', undefined, { csrf: false })).text).toBe('false');
      expect((await alice.post('/verbs/verified')).text).toBe('true');
    });

    it('report a missing session first', async () => {
      const answer = await bank.client().post('/api/transfer', { to: 'bob', amount: 1 }, { csrf: false });
      expect(answer.json).toMatchObject({ statusCode: 401, code: 'session_required' });
    });

    it.each(['transfer', 'settings/email', 'auth/sessions', 'auth/sessions/x', 'auth/reauthenticate', 'auth/logout'])(
      'stand before %s',
      async (path) => {
        const method = path.startsWith('auth/sessions') ? 'DELETE' : 'POST';
        const url = path.startsWith('auth/') ? `/${path}` : `/api/${path}`;
        expectRefused(await alice.ask(method, url, { csrf: false, body: { password: 'alice-demo-password' } }));
        expect(await alice.isSignedIn()).toBe(true);
      },
    );

    it('stand before PATCH preferences', async () => {
      expectRefused(await alice.ask('PATCH', '/api/preferences', { csrf: false, body: { theme: 'dark' } }));
      expect((await alice.get('/api/preferences')).json).toEqual({});
    });
  });

  describe('origins', () => {
    it.each([
      ['null in capitals', 'NULL'],
      ['unparsable', 'not an origin'],
      ['empty', ''],
      ['foreign', 'https://evil.example'],
      ['look-alike, host as a prefix', 'http://127.0.0.1.evil.example'],
      ['look-alike, host in the credentials', 'http://127.0.0.1@evil.example'],
      ['look-alike, host in the path', 'http://evil.example/http://127.0.0.1'],
      ['sibling', 'http://www.127.0.0.1'],
      ['without the port', 'http://127.0.0.1'],
      ['other port', 'http://127.0.0.1:1'],
    ])('%s: refused, with a good token as well', async (_, foreign) => {
      expectRefused(await transfer({ origin: foreign }), 'untrusted_origin');
      expectRefused(await transfer({ origin: foreign, 'sec-fetch-site': 'same-origin' }), 'untrusted_origin');
    });

    it('other scheme, with a path, twice in one line, on two lines: refused with a good token', async () => {
      const ours = `127.0.0.1:${bank.port}`;
      const foreign = [`https://${ours}`, `${origin}/`, `${origin}, ${origin}`, `${origin} ${origin}`];
      for (const each of foreign) expectRefused(await transfer({ origin: each }), 'untrusted_origin');
      expectRefused(await transfer({ origin: [origin, 'https://evil.example'] }), 'untrusted_origin');
    });

    it('null: of a page of our own under no-referrer where Sec-Fetch-Site says so, and needs its token; else refused', async () => {
      for (const site of ['same-origin', 'Same-Origin']) {
        expect((await transfer({ origin: 'null', 'sec-fetch-site': site })).status).toBe(201);
        expectRefused(await transfer({ origin: 'null', 'sec-fetch-site': site }, false), 'no_token');
        expectRefused(await transfer({ origin: 'null', 'sec-fetch-site': site }, 'A'.repeat(86)), 'wrong_token');
      }
      for (const site of ['none', 'same-site', 'cross-site', '', 'same-originx', 'same-origin, cross-site']) {
        expectRefused(await transfer({ origin: 'null', 'sec-fetch-site': site }), 'untrusted_origin');
      }
      expectRefused(await transfer({ origin: 'null' }), 'untrusted_origin');
      for (const other of ['https://evil.example', '', 'nullx']) {
        expectRefused(await transfer({ origin: other, 'sec-fetch-site': 'same-origin' }), 'untrusted_origin');
      }
    });

    it('our own: accepted with a good token, and with nothing less', async () => {
      expect((await transfer({ origin, 'sec-fetch-site': 'same-origin' })).status).toBe(201);
      expectRefused(await transfer({ origin, 'sec-fetch-site': 'same-origin' }, false), 'no_token');
    });

    it.each([
      ['none', 201],
      ['same-origin', 201],
      ['same-site', 403],
      ['cross-site', 403],
      ['a-value-of-the-future', 201],
      ['CROSS-SITE', 403],
      ['Same-Site', 403],
      ['', 201],
    ])('none, but Sec-Fetch-Site %p and a good token: %d; without a token always 403', async (site, status) => {
      expect((await transfer({ 'sec-fetch-site': site })).status).toBe(status);
      expectRefused(await transfer({ 'sec-fetch-site': site }, false));
    });

    it.each([
      ['same-site', 201],
      ['cross-site', 403],
    ])('our own, but Sec-Fetch-Site %s: %d', async (site, status) => {
      expect((await transfer({ origin, 'sec-fetch-site': site })).status).toBe(status);
    });

    it('missing, but a Referer is present: the same rule applies to it', async () => {
      expect((await transfer({ referer: `${origin}/form` })).status).toBe(201);
      expectRefused(await transfer({ referer: `${origin}/form` }, false));
      for (const referer of ['https://evil.example/', `${origin}.evil.example/`, 'nonsense']) {
        expectRefused(await transfer({ referer }), 'untrusted_origin');
      }
      // an empty one says nothing
      expect((await transfer({ referer: '' })).status).toBe(201);
      expectRefused(await transfer({ referer: '' }, false), 'no_token');
    });

    it('are in Vary, once, of both responses', async () => {
      for (const answer of [await transfer(), await transfer({ origin: 'null' })]) {
        const names = (answer.headers.vary ?? '').toLowerCase().split(/, */);
        expect(names).toEqual(expect.arrayContaining(['cookie', 'origin', 'sec-fetch-site']));
        expect(new Set(names).size).toBe(names.length);
      }
    });
  });

  describe('tokens', () => {
    it('differ in each response, and all of them work', async () => {
      const login = await alice.post('/auth/login', CREDENTIALS);
      const session = await alice.get('/auth/session');
      const csrf = await alice.get('/auth/csrf');
      const again = await alice.get('/auth/csrf');
      expect(csrf.json).toMatchObject({ headerName: 'x-csrf-token', fieldName: 'csrf_token' });
      const tokens = [login, session, csrf, again].map((answer) => (answer.json as { csrfToken: string }).csrfToken);
      expect(new Set(tokens).size).toBe(4);
      for (const token of tokens) expect((await transfer({}, token)).status).toBe(201);
      for (const { headers } of [login, session, csrf]) expect(headers['cache-control']).toBe('no-store');
      expect(csrf.setCookies).toEqual([]);
    });

    it('of another user, of another session of the same user, and of nobody: refused', async () => {
      const bob = bank.client();
      await bob.login('bob');
      const elsewhere = bank.client();
      await elsewhere.login('alice');
      for (const other of [bob, elsewhere, bank.client()]) {
        expectRefused(await transfer({}, await other.csrfToken()), 'wrong_token');
      }
      // and with both cookies of two people: the token goes by the session
      const mixed = `${alice.cookie}; ${[...bob.cookies].map(([name, value]) => `x${name}=${value}`).join('; ')}`;
      expectRefused(
        await alice.post('/api/transfer', {}, { cookie: mixed, csrf: await bob.csrfToken() }),
        'wrong_token',
      );
    });

    it('of before login, logout, re-authentication, a new login and rotation: refused', async () => {
      const visitor = bank.client();
      const before = await visitor.csrfToken();
      const preSession = visitor.cookies.get(PRE_SESSION_COOKIE);
      expect(preSession).toBeDefined();
      expect((await visitor.post('/auth/login', CREDENTIALS, { csrf: before })).status).toBe(200);
      expect(visitor.cookies.has(PRE_SESSION_COOKIE)).toBe(false);
      alice = visitor;
      expectRefused(await transfer({}, before), 'wrong_token');
      visitor.cookies.set(PRE_SESSION_COOKIE, preSession!);
      expectRefused(await transfer({}, before), 'wrong_token');
      visitor.cookies.delete(PRE_SESSION_COOKIE);

      for (const step of [
        () => alice.post('/auth/reauthenticate', { password: CREDENTIALS.password }),
        () => alice.post('/auth/login', CREDENTIALS),
        () => alice.post('/verbs/rotate'),
      ]) {
        const old = await alice.csrfToken();
        expect((await step()).status).toBeLessThan(300);
        expectRefused(await transfer({}, old), 'wrong_token');
        expect((await transfer()).status).toBe(201);
      }

      const old = await alice.csrfToken();
      await alice.post('/auth/logout');
      expectRefused(await alice.post('/verbs/any', {}, { csrf: old }), 'no_cookie');
      await alice.login('alice');
      expectRefused(await transfer({}, old), 'wrong_token');
    });

    it('unmasked, cut, doubled, padded, of other bits, in other alphabets: refused', async () => {
      const token = await alice.csrfToken();
      const bytes = Buffer.from(token, 'base64url');
      const mac = Buffer.from(bytes.subarray(32).map((byte, at) => byte ^ bytes[at]!));
      const others = [
        mac.toString('base64url'),
        mac.toString('hex'),
        token.slice(0, -1),
        token.slice(1),
        token + token,
        `${token}=`,
        `${token}, ${token}`,
        token.replace(/^./, (first) => (first === 'A' ? 'B' : 'A')),
        bytes.toString('hex'),
        'undefined',
        'null',
        'true',
        '',
        'A'.repeat(86),
      ];
      for (const each of others) expectRefused(await transfer({}, each), 'wrong_token');
      expect((await transfer({}, token)).status).toBe(201);
    });

    it('on two header lines: refused', async () => {
      const token = await alice.csrfToken();
      expectRefused(await transfer({ 'x-csrf-token': [token, token] }, false), 'wrong_token');
      expectRefused(await transfer({ 'x-csrf-token': ['', token] }, false), 'wrong_token');
    });

    it('in a field of a JSON or a form body: accepted; anything but a text: refused', async () => {
      const token = await alice.csrfToken();
      const send = (csrf_token: unknown): Promise<Answer> =>
        alice.post('/api/transfer', { to: 'bob', amount: 1, csrf_token }, { csrf: false });
      expect((await send(token)).status).toBe(201);
      for (const value of [[token], [token, token], { value: token }, { 0: token }, 1, true, null, '', {}, []]) {
        expectRefused(await send(value));
      }
      const form = (body: string): Promise<Answer> =>
        alice.post('/verbs/any', body, {
          csrf: false,
          headers: { 'content-type': 'application/x-www-form-urlencoded' },
        });
      expect((await form(`csrf_token=${token}`)).status).toBe(200);
      for (const body of [`csrf_token=${token}&csrf_token=${token}`, `csrf_token[]=${token}`, `csrf_token=`, `a=b`]) {
        expectRefused(await form(body));
      }
    });

    it('in the header wins over one in the body, also when it is wrong', async () => {
      const token = await alice.csrfToken();
      const body = { to: 'bob', amount: 1, csrf_token: token };
      for (const wrong of ['', 'wrong']) {
        expectRefused(await alice.post('/api/transfer', body, { csrf: wrong }), 'wrong_token');
      }
      const withWrongField = { ...body, csrf_token: 'wrong' };
      expect((await alice.post('/api/transfer', withWrongField, { csrf: token })).status).toBe(201);
    });

    it('in query, path, cookie or an inherited property: not looked for', async () => {
      const token = await alice.csrfToken();
      const cookie = `${alice.cookie}; csrf_token=${token}; XSRF-TOKEN=${token}; x-csrf-token=${token}`;
      const ask = { csrf: false, cookie, headers: { 'x-xsrf-token': token } } as const;
      const body = `{"to":"bob","amount":1,"__proto__":{"csrf_token":"${token}"}}`;
      const answer = await alice.post(`/api/transfer?csrf_token=${token}&x-csrf-token=${token}`, body, ask);
      // Fastify refuses such a body before anybody is asked
      if (adapter !== 'express') expect(answer.status).toBe(400);
      else expectRefused(answer, 'no_token');
    });

    it.each(['text/plain', 'multipart/form-data; boundary=x', 'application/octet-stream', ''])(
      'in JSON that is sent as %p: no way round',
      async (type) => {
        const body = JSON.stringify({ to: 'bob', amount: 1, csrf_token: await alice.csrfToken() });
        const answer = await alice.post('/api/transfer', body, { csrf: false, headers: { 'content-type': type } });
        expect([403, 415]).toContain(answer.status);
      },
    );

    if (adapter === 'express') {
      it('in a multipart body that the application has parsed: accepted', async () => {
        const send = async (field: string): Promise<Answer> =>
          alice.post('/walled/in', undefined, { csrf: false, headers: { 'x-parsed-field': field } });
        expect((await send(await alice.csrfToken())).text).toBe('done');
        expectRefused(await send('wrong'));
      });
    }

    it('are in a hidden field for server-rendered forms, before login as well', async () => {
      const field = /^<form method="post"><input type="hidden" name="csrf_token" value="([\w-]{86})"><\/form>$/;
      for (const client of [alice, bank.client()]) {
        const page = await client.get('/verbs/form');
        const token = field.exec(page.text)?.[1];
        expect(page.headers['cache-control']).toBe('no-store');
        const headers = { 'content-type': 'application/x-www-form-urlencoded' };
        const answer = await client.post('/verbs/any', `csrf_token=${token}`, { csrf: false, headers });
        expect(answer.status).toBe(200);
      }
    });
  });

  describe('login', () => {
    it('without a pre-session token: refused, and no cookie of any kind is set', async () => {
      const visitor = bank.client();
      const token = await visitor.csrfToken();
      const attempts: Ask[] = [
        { csrf: false },
        { csrf: false, cookie: '' },
        { csrf: token, cookie: 'x=y' },
        { csrf: 'A'.repeat(86) },
      ];
      for (const ask of attempts) {
        const answer = await visitor.post('/auth/login', { ...CREDENTIALS, rememberMe: true }, ask);
        expectRefused(answer);
        expect(answer.setCookies).toEqual([]);
      }
      expect(bank.events.filter(({ type }) => type !== 'csrf.rejected')).toEqual([]);
    });

    it('from another site with the attacker’s own pre-session: refused by its headers', async () => {
      const visitor = bank.client();
      const foreign: Record<string, string>[] = [
        { origin: 'https://evil.example' },
        { origin: 'null' },
        { 'sec-fetch-site': 'cross-site' },
        { referer: 'https://evil.example/' },
      ];
      for (const headers of foreign) {
        const answer = await visitor.post('/auth/login', CREDENTIALS, { headers });
        expectRefused(answer);
        expect(answer.setCookies).toEqual([]);
      }
    });

    it('takes its token with its own pre-session cookie only', async () => {
      const [mine, attackers] = [bank.client(), bank.client()];
      await mine.csrfToken();
      const csrf = await attackers.csrfToken();
      expectRefused(await mine.post('/auth/login', CREDENTIALS, { csrf }), 'wrong_token');
      expect((await attackers.post('/auth/login', CREDENTIALS, { csrf })).status).toBe(200);
    });

    it('belongs to the session if there is one, and not to the pre-session', async () => {
      const visitor = bank.client();
      const csrf = await visitor.csrfToken();
      const cookie = `${alice.cookie}; ${visitor.cookie}`;
      expectRefused(await visitor.post('/auth/login', CREDENTIALS, { cookie, csrf }), 'wrong_token');
      const answer = await alice.get('/auth/csrf', { cookie });
      expect(answer.setCookies).toEqual([]);
    });

    it('can be tried again with the same token after a wrong password', async () => {
      const visitor = bank.client();
      const csrf = await visitor.csrfToken();
      expect((await visitor.post('/auth/login', { ...CREDENTIALS, password: 'wrong' }, { csrf })).status).toBe(401);
      expect((await visitor.post('/auth/login', CREDENTIALS, { csrf })).status).toBe(200);
    });
  });

  describe('the pre-session cookie', () => {
    it('is as hardened as the session cookie, and given once', async () => {
      const visitor = bank.client();
      const first = await visitor.get('/auth/csrf');
      expect(first.setCookies).toEqual([
        expect.stringMatching(/^__Host-session-csrf=[\w-]{106}; Path=\/; HttpOnly; Secure; SameSite=Lax$/),
      ]);
      expect((await visitor.get('/auth/csrf')).setCookies).toEqual([]);
      expect(bank.events).toEqual([]);
    });

    it('altered, cut, moved from another name, twice, or replaced by a session cookie: refused', async () => {
      const visitor = bank.client();
      const csrf = await visitor.csrfToken();
      const value = visitor.cookies.get(PRE_SESSION_COOKIE)!;
      const named = (text: string): string => `${PRE_SESSION_COOKIE}=${text}`;
      const cookies = [
        ...Array.from({ length: value.length }, (_, at) => {
          const changed = value[at] === 'A' ? 'B' : 'A';
          return named(value.slice(0, at) + changed + value.slice(at + 1));
        }),
        named(value.slice(0, -1)),
        named(`${value}A`),
        named(''),
        `${named(value)}; ${named(value)}`,
        `${named('x')}; ${named(value)}`,
        named(alice.sealed),
        `${SESSION_COOKIE}=${value}`,
        `__host-session-csrf=${value}`,
        `session-csrf=${value}`,
      ];
      for (const cookie of cookies) {
        expectRefused(await visitor.post('/verbs/any', {}, { cookie, csrf }), 'no_cookie');
      }
      expect((await visitor.post('/verbs/any', {}, { csrf })).status).toBe(200);
    });

    it('makes nobody a session', async () => {
      const visitor = bank.client();
      await visitor.csrfToken();
      const value = visitor.cookies.get(PRE_SESSION_COOKIE)!;
      expect(await visitor.isSignedIn()).toBe(false);
      expect(await visitor.isSignedIn({ cookie: `${SESSION_COOKIE}=${value}` })).toBe(false);
    });
  });

  describe('logout', () => {
    it('needs a token as long as there is a session cookie, and then none, but the headers hold', async () => {
      const { cookie } = alice;
      expectRefused(await alice.post('/auth/logout', undefined, { csrf: false }));
      expect((await alice.post('/auth/logout')).status).toBe(204);
      const again = await alice.post('/auth/logout', undefined, { csrf: false });
      expect(again.status).toBe(204);
      expectRefused(await alice.post('/auth/logout', undefined, { csrf: false, headers: { origin: 'null' } }));
      expectRefused(await alice.post('/auth/logout', undefined, { csrf: false, cookie }));
    });

    it('does not exist for GET and HEAD', async () => {
      for (const method of ['GET', 'HEAD']) expect((await alice.ask(method, '/auth/logout')).status).toBe(404);
      expect(await alice.isSignedIn()).toBe(true);
    });
  });

  describe('a remembered device without a session cookie', () => {
    beforeEach(async () => {
      await alice.post('/auth/login', { ...CREDENTIALS, rememberMe: true });
      alice.cookies.delete(SESSION_COOKIE);
      bank.events.length = 0;
    });

    it('is signed in by its first request, and needs a token of that session from then on', async () => {
      expectRefused(await transfer({ origin: 'https://evil.example' }), 'untrusted_origin');
      alice.cookies.delete(SESSION_COOKIE);
      expectRefused(await transfer({}, false), 'no_token');
      alice.cookies.delete(SESSION_COOKIE);
      expect((await alice.get('/auth/session')).status).toBe(200);
      expect((await transfer()).status).toBe(201);
    });

    it('is not spoken for by the token of a pre-session, which somebody else may have put there', async () => {
      const attacker = bank.client();
      const csrf = await attacker.csrfToken();
      alice.cookies.set(PRE_SESSION_COOKIE, attacker.cookies.get(PRE_SESSION_COOKIE)!);
      expectRefused(await transfer({}, csrf), 'no_cookie');
      expect((await transfer()).status).toBe(201);
    });

    it('is not forgotten by a logout without a token', async () => {
      expectRefused(await alice.post('/auth/logout', undefined, { csrf: false }), 'no_token');
      expect(await alice.isSignedIn()).toBe(true);
      alice.cookies.delete(SESSION_COOKIE);
      expect((await alice.post('/auth/logout')).status).toBe(204);
      expect(await alice.isSignedIn()).toBe(false);
    });
  });

  it('tells the audit log why, and nobody a token', async () => {
    const token = await alice.csrfToken();
    await transfer({ origin: 'https://evil.example' }, token);
    expect(bank.events).toEqual([
      {
        type: 'csrf.rejected',
        realm: 'default',
        reason: 'untrusted_origin',
        method: 'POST',
        origin: 'https://evil.example',
        client: { ip: '127.0.0.1', userAgent: undefined },
        at: expect.any(Date),
      },
    ]);
    expect(bank.log.join('\n')).not.toContain(token);
  });
});
