import { afterEach, describe, expect, it } from '@jest/globals';
import { Injectable } from '@nestjs/common';
import { BcryptPasswordHasher, type SessionUser, type SessionUserProvider } from 'nestjs-session-auth';
import { PRE_SESSION_COOKIE, REMEMBER_COOKIE, SESSION_COOKIE, type Answer, type Ask } from '../support/bank-client.js';
import type { BankClient } from '../support/bank-client.js';
import { closeApps, expectError, forRoot, start, type Options } from '../support/door-app.js';
import { SERVERS } from '../support/bank.js';

const PASSWORD = 'a password of the tests';
const passwordHash = new BcryptPasswordHasher(4).hash(PASSWORD);

@Injectable()
class Users implements SessionUserProvider {
  async findByEmail(name: string): Promise<SessionUser | undefined> {
    return name === 'alice' ? this.findById(name) : undefined;
  }

  async findById(id: string): Promise<SessionUser> {
    return { id, email: `${id}@example.com`, passwordHash: await passwordHash };
  }
}

const redirects = {
  login: '/account?from=login',
  loginFailed: '/login?form=login',
  logout: '/',
  reauthenticate: '/account',
  reauthenticateFailed: '/confirm',
};
const BROWSER = 'text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8';

/** The header lines of a browser that sends a plain form. */
const form = (headers: Record<string, string> = {}): Record<string, string> => ({
  'content-type': 'application/x-www-form-urlencoded',
  accept: BROWSER,
  ...headers,
});

afterEach(closeApps);

describe.each(SERVERS)('a plain HTML form on %s', (adapter) => {
  let browser: BankClient;
  let here: string;

  const open = async (endpoints: Options['endpoints'] = { redirects }, more: Partial<Options> = {}): Promise<void> => {
    browser = await start(forRoot({ users: { useClass: Users }, endpoints, ...more }), { adapter });
    here = `http://127.0.0.1:${browser.port}`;
  };

  const post = async (path: string, fields: Record<string, string> = {}, ask: Ask = {}): Promise<Answer> => {
    const csrf = ask.csrf ?? (await browser.csrfToken());
    const body = new URLSearchParams({ ...fields, ...(csrf === false ? {} : { csrf_token: csrf }) });
    const headers = form({ origin: here, ...(ask.headers as Record<string, string> | undefined) });
    return browser.post(path, String(body), { ...ask, csrf: false, headers });
  };

  const logIn = (fields: Record<string, string> = {}, ask?: Ask): Promise<Answer> =>
    post('/auth/login', { email: 'alice', password: PASSWORD, ...fields }, ask);

  const expectSeeOther = ({ status, headers, text }: Answer, location: string): void =>
    expect({ status, location: headers.location, text }).toEqual({ status: 303, location, text: '' });

  it('signs in, confirms and signs out, and leads to the paths of endpoints.redirects', async () => {
    await open();
    const login = await logIn();
    expectSeeOther(login, '/account?from=login');
    expect(login.headers['cache-control']).toBe('no-store');
    expect(login.setCookies.join()).toContain(`${SESSION_COOKIE}=`);
    expect((await browser.get('/guarded')).status).toBe(200);

    const before = browser.sealed;
    expectSeeOther(await post('/auth/reauthenticate', { password: PASSWORD }), '/account');
    expect(browser.sealed).not.toBe(before);

    const logout = await post('/auth/logout');
    expectSeeOther(logout, '/');
    expect(logout.headers['clear-site-data']).toBe('"cookies", "storage"');
    expect((await browser.get('/guarded')).status).toBe(401);
  });

  it('that is refused leads to a page too, with the code and nothing that tells accounts apart', async () => {
    await open({ redirects }, { loginThrottle: { account: { failures: 2 } } });
    const wrong = await logIn({ password: 'wrong' });
    expectSeeOther(wrong, '/login?form=login&error=invalid_credentials');
    expect(wrong.setCookies.join()).not.toContain(`${SESSION_COOKIE}=`);
    const unknown = await logIn({ email: 'nobody' });
    expectSeeOther(unknown, '/login?form=login&error=invalid_credentials');
    const namesOf = ({ headers }: Answer): string[] => Object.keys(headers).sort();
    expect(namesOf(unknown)).toEqual(namesOf(wrong));

    expectSeeOther(await logIn({ email: '' }), '/login?form=login&error=invalid_request');
    expectSeeOther(await logIn({ password: 'x'.repeat(100) }), '/login?form=login&error=password_too_long');
    await logIn({ password: 'wrong' });
    const throttled = await logIn();
    expect(throttled.status).toBe(303);
    expect(throttled.headers.location).toMatch(/^\/login\?form=login&error=too_many_attempts&retryAfter=[1-9]\d*$/);
    expectSeeOther(await post('/auth/reauthenticate', { password: PASSWORD }), '/confirm?error=session_required');
  });

  it('never redirects to another origin, with any request', async () => {
    await open();
    const evil = 'https://evil.example';
    const places = ['redirect', 'redirects', 'next', 'returnTo', 'return_to', 'continue', 'url', 'location', 'login'];
    for (const to of [evil, '//evil.example', '/\\evil.example', '/%2f%2fevil.example', '/\t/evil.example']) {
      const fields = Object.fromEntries(places.map((place) => [place, to]));
      const query = String(new URLSearchParams(fields));
      expectSeeOther(await logIn(fields), '/account?from=login');
      const csrf = await browser.csrfToken();
      const body = String(new URLSearchParams({ email: 'alice', password: PASSWORD, csrf_token: csrf }));
      const answer = await browser.post(`/auth/login?${query}`, body, { csrf: false, headers: form({ origin: here }) });
      expectSeeOther(answer, '/account?from=login');
    }
    // a host that the request names is an origin of its own, and no part of the answer
    const host = { host: 'evil.example', origin: 'http://evil.example', 'x-forwarded-host': 'evil.example' };
    expectSeeOther(await logIn({}, { headers: host }), '/account?from=login');
    const method = {
      'x-original-url': '//evil.example',
      'x-rewrite-url': '//evil.example',
      referer: `${here}//evil.example`,
    };
    expectSeeOther(
      await logIn({ password: 'wrong' }, { headers: method }),
      '/login?form=login&error=invalid_credentials',
    );
  });

  it('of another site signs nobody in or out, and gets 403', async () => {
    await open();
    const csrf = await browser.csrfToken();
    for (const origin of ['https://evil.example', 'null', `${here}.evil.example`]) {
      expectError(await logIn({}, { csrf, headers: { origin } }), 403, 'csrf_failed');
    }
    expectError(await logIn({}, { csrf, headers: { 'sec-fetch-site': 'cross-site' } }), 403, 'csrf_failed');
    expectError(await logIn({}, { csrf: false }), 403, 'csrf_failed');
    expectError(await logIn({}, { csrf: 'x'.repeat(csrf.length) }), 403, 'csrf_failed');
    // a token of the attacker's own visit: login CSRF
    const foreign = await browser.csrfToken({ cookie: '' });
    browser.cookies.delete(PRE_SESSION_COOKIE);
    await browser.csrfToken();
    expectError(await logIn({}, { csrf: foreign }), 403, 'csrf_failed');
    expect((await browser.get('/guarded')).status).toBe(401);

    expectSeeOther(await logIn(), '/account?from=login');
    expectError(await post('/auth/logout', {}, { csrf: false }), 403, 'csrf_failed');
    expect((await browser.get('/guarded')).status).toBe(200);
  });

  it.each(['on', '1', 'true'])('with rememberMe=%s remembers the device', async (rememberMe) => {
    await open();
    expectSeeOther(await logIn({ rememberMe }), '/account?from=login');
    expect(browser.cookies.has(REMEMBER_COOKIE)).toBe(true);
  });

  it.each(['off', '0', 'false', ''])('with rememberMe=%s is refused, and signs nobody in', async (rememberMe) => {
    await open();
    expectSeeOther(await logIn({ rememberMe }), '/login?form=login&error=invalid_request');
    expect((await browser.get('/guarded')).status).toBe(401);
  });

  it('without rememberMe does not remember the device', async () => {
    await open();
    expectSeeOther(await logIn(), '/account?from=login');
    expect(browser.cookies.has(REMEMBER_COOKIE)).toBe(false);
  });

  it('has the login name in endpoints.loginField, and so has JSON', async () => {
    await open({ redirects, loginField: 'username' });
    const byMail = { email: 'alice', password: PASSWORD };
    expectSeeOther(await post('/auth/login', byMail), '/login?form=login&error=invalid_request');
    expectError(await browser.post('/auth/login', byMail), 400, 'invalid_request');
    expectSeeOther(await post('/auth/login', { username: 'alice', password: PASSWORD }), '/account?from=login');
    await post('/auth/logout');
    expect((await browser.post('/auth/login', { username: 'alice', password: PASSWORD })).status).toBe(200);
  });

  it.each([
    ['JSON', { 'content-type': 'application/json' }, true],
    ['a script that asks for JSON', { accept: 'application/json' }, false],
    ['a script of axios', { accept: 'application/json, text/plain, */*' }, false],
    ['a script in a browser', { accept: '*/*', 'sec-fetch-mode': 'cors' }, false],
    ['a program that refuses HTML', { accept: 'text/html;q=0, text/plain' }, false],
  ])('is not what %s sends: that gets the session', async (_what, headers, isJson) => {
    await open();
    const csrf = await browser.csrfToken();
    const fields = { email: 'alice', password: PASSWORD, csrf_token: csrf };
    const body = isJson ? JSON.stringify(fields) : String(new URLSearchParams(fields));
    const answer = await browser.post('/auth/login', body, { csrf: false, headers: { ...form(), ...headers } });
    expect(answer).toMatchObject({ status: 200, json: { user: { id: 'alice' } } });
    expect(answer.headers.location).toBeUndefined();
  });

  it.each<[string, Record<string, string>]>([
    ['any type', { accept: '*/*' }],
    ['a charset', { 'content-type': 'application/x-www-form-urlencoded; charset=utf-8' }],
    ['a navigation', { 'sec-fetch-mode': 'navigate' }],
  ])('is one with %s', async (_what, headers) => {
    await open();
    expectSeeOther(await logIn({}, { headers }), '/account?from=login');
  });

  it('is one without Accept', async () => {
    await open();
    const fields = { email: 'alice', password: PASSWORD, csrf_token: await browser.csrfToken() };
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    const body = String(new URLSearchParams(fields));
    expectSeeOther(await browser.post('/auth/login', body, { csrf: false, headers }), '/account?from=login');
  });

  it('gets the answer of a script where no path is set for it', async () => {
    await open({ redirects: { logout: '/bye' } });
    expectError(await logIn({ password: 'wrong' }), 401, 'invalid_credentials');
    expect(await logIn()).toMatchObject({ status: 200, json: { user: { id: 'alice' } } });
    expectSeeOther(await post('/auth/logout'), '/bye');
    await closeApps();
    await open({});
    expect(await logIn()).toMatchObject({ status: 200, json: { user: { id: 'alice' } } });
    expect((await post('/auth/logout')).status).toBe(204);
  });

  it('gets the response of its own realm', async () => {
    const users = { useClass: Users };
    const staff = forRoot({ realm: 'staff', users, endpoints: { redirects: { login: '/staff' } } });
    browser = await start(forRoot({ users, endpoints: { redirects } }), { adapter, module: { imports: [staff] } });
    here = `http://127.0.0.1:${browser.port}`;
    expectSeeOther(await logIn(), '/account?from=login');
    const csrf = ((await browser.get('/staff/auth/csrf')).json as { csrfToken: string }).csrfToken;
    expectSeeOther(await post('/staff/auth/login', { email: 'alice', password: PASSWORD }, { csrf }), '/staff');
  });
});
