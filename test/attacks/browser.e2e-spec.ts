import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Controller, Inject, Post, Req } from '@nestjs/common';
import { CsrfProtected, SessionAuthService, type SessionAuthOptions } from 'nestjs-session-auth';
import { PRE_SESSION_COOKIE, REMEMBER_COOKIE, SESSION_COOKIE } from '../support/bank-client.js';
import { SERVERS, startBank, type Bank } from '../support/bank.js';
import { Browser } from '../support/browser.js';
import { CookieJar } from '../support/cookie-jar.js';
import { forgeries, tokenIn } from '../support/forged-cookies.js';
import { watchedBackend } from '../support/watched-store.js';

const BANK = 'https://www.bank.example';
/** Another host below the same registrable domain, in the attacker's hands. */
const SIBLING = 'https://blog.bank.example';
const EVIL = 'https://evil.example';

/** A login by other means than a password. */
@Controller('single-sign-on')
class SingleSignOnController {
  constructor(@Inject(SessionAuthService) private readonly auth: SessionAuthService) {}

  @CsrfProtected()
  @Post()
  async enter(@Req() request: object): Promise<void> {
    await this.auth.loginUser(request, { id: 'alice', email: 'alice@example.com', roles: ['customer'] });
  }
}

describe('the cookie jar of these tests', () => {
  it('keeps the rules of browsers: prefixes, Secure, HttpOnly, Domain, Path, SameSite and order', () => {
    const jar = new CookieJar();
    expect(jar.set(BANK, '__Host-a=1; Path=/; Secure')).toBe(true);
    for (const line of [
      '__Host-a=2; Path=/',
      '__Host-a=2; Path=/x; Secure',
      '__Host-a=2; Path=/; Secure; Domain=bank.example',
      '__HOST-a=2; Path=/; Secure; Domain=bank.example',
      '__Secure-a=2; Path=/',
      '=__Host-a=2; Path=/; Secure; Domain=bank.example',
      'a=1; Domain=example',
      'a=1; Domain=other.example',
      'a=1; SameSite=None',
      'a=\x001',
    ]) {
      expect([line, jar.set(BANK, line)]).toEqual([line, false]);
    }
    expect(jar.set('http://www.bank.example', '__Host-a=2; Path=/; Secure')).toBe(false);
    expect(jar.set(SIBLING, 'a=tossed; Domain=bank.example; Path=/api')).toBe(true);
    expect(jar.set(BANK, 'a=own; Path=/; HttpOnly; Secure; SameSite=Strict')).toBe(true);
    expect(jar.header(`${BANK}/api/me`)).toBe('a=tossed; __Host-a=1; a=own');
    expect(jar.header(`${BANK}/api/me`, { from: EVIL, navigation: true })).toBe('a=tossed; __Host-a=1');
    expect(jar.header(`${BANK}/api/me`, { from: EVIL, navigation: true, method: 'POST' })).toBeUndefined();
    expect(jar.header(`${BANK}/apiary`)).toBe('__Host-a=1; a=own');
    expect(jar.header('http://www.bank.example/api')).toBe('a=tossed');
    expect(jar.readByScript(`${BANK}/`)).toBe('__Host-a=1');
    expect(jar.setByScript(BANK, 'a=script; Path=/; Secure')).toBe(false);
    jar.restart();
    expect(jar.header(BANK)).toBeUndefined();
  });
});

describe.each(SERVERS)('attacks by way of the browser on %s', (adapter) => {
  let bank: Bank;
  let victim: Browser;
  let attacker: Browser;

  const start = async (options: Partial<SessionAuthOptions> = {}): Promise<void> => {
    await bank?.close();
    bank = await startBank({
      adapter,
      backend: watchedBackend(),
      module: { controllers: [SingleSignOnController] },
      options: { csrf: { publicOrigin: BANK }, ...options },
    });
    victim = new Browser(bank);
    attacker = new Browser(bank);
  };

  beforeEach(() => start());
  afterEach(() => bank.close());

  const cookieOf = (browser: Browser, name: string): string =>
    new RegExp(`(?:^|; )${name}=([^;]*)`).exec(browser.jar.header(BANK) ?? '')?.[1] ?? '';
  const transfer = (browser: Browser, csrf: string | false, from = BANK): Promise<{ status: number }> =>
    browser.visit(`${BANK}/api/transfer`, { method: 'POST', from, csrf, body: { to: 'mallory', amount: 1 } });

  describe('session fixation', () => {
    /** Puts the attacker's cookies into the victim's browser, as a flaw of another kind would let them. */
    const plant = (): string => {
      for (const name of [SESSION_COOKIE, PRE_SESSION_COOKIE, REMEMBER_COOKIE]) {
        const value = cookieOf(attacker, name);
        if (value !== '') expect(victim.jar.set(BANK, `${name}=${value}; Path=/; Secure; HttpOnly`)).toBe(true);
      }
      return cookieOf(attacker, SESSION_COOKIE);
    };
    const isAlive = async (sealed: string): Promise<boolean> => {
      const { status } = await bank.client().get('/api/me', { cookie: `${SESSION_COOKIE}=${sealed}` });
      return status === 200;
    };

    it.each(['login', 'login with remember-me', 're-authentication', 'single sign-on'])(
      'by %s: the planted token is dead afterwards, and the victim has another',
      async (path) => {
        await attacker.login(BANK, path === 're-authentication' ? 'alice' : 'bob');
        const planted = plant();
        expect(await isAlive(planted)).toBe(true);
        const page = { 're-authentication': 'auth/reauthenticate', 'single sign-on': 'single-sign-on' }[path];
        if (page !== undefined) {
          const csrf = await victim.csrfToken(BANK);
          const body = { password: 'alice-demo-password' };
          const answer = await victim.visit(`${BANK}/${page}`, { method: 'POST', from: BANK, csrf, body });
          expect(answer.status).toBeLessThan(300);
        } else {
          expect((await victim.login(BANK, 'alice', path.endsWith('remember-me'))).status).toBe(200);
        }
        expect(tokenIn(bank, cookieOf(victim, SESSION_COOKIE))).not.toBe(tokenIn(bank, planted));
        expect(await victim.user(BANK)).toBe('alice');
        expect(await isAlive(planted)).toBe(false);
        expect(await attacker.user(BANK)).toBeUndefined();
      },
    );

    it('by a remembered login: neither a planted token that has ended nor one known before is the new one', async () => {
      await victim.login(BANK, 'alice', true);
      const remembered = cookieOf(victim, REMEMBER_COOKIE);
      const before = tokenIn(bank, cookieOf(victim, SESSION_COOKIE));
      await attacker.login(BANK, 'bob');
      victim.jar.restart();
      const planted = plant();
      const csrf = await attacker.csrfToken(BANK);
      await attacker.visit(`${BANK}/auth/logout`, { method: 'POST', from: BANK, csrf });
      expect(await victim.user(BANK)).toBe('alice');
      const token = tokenIn(bank, cookieOf(victim, SESSION_COOKIE));
      expect(token).toBeDefined();
      expect([before, tokenIn(bank, planted)]).not.toContain(token);
      expect(cookieOf(victim, REMEMBER_COOKIE)).not.toBe(remembered);
      expect(await isAlive(planted)).toBe(false);
    });

    it('by a made-up, an ended or an empty cookie: never adopted', async () => {
      await attacker.login(BANK, 'bob');
      const ended = cookieOf(attacker, SESSION_COOKIE);
      const csrf = await attacker.csrfToken(BANK);
      await attacker.visit(`${BANK}/auth/logout`, { method: 'POST', from: BANK, csrf });
      for (const value of ['', 'chosen', 'A'.repeat(ended.length), ...forgeries(ended, 3), ended]) {
        const browser = new Browser(bank);
        browser.jar.set(BANK, `${SESSION_COOKIE}=${value}; Path=/; Secure; HttpOnly`);
        expect((await browser.login(BANK, 'alice')).status).toBe(200);
        const token = tokenIn(bank, cookieOf(browser, SESSION_COOKIE));
        expect(token).toBeDefined();
        expect(token).not.toBe(tokenIn(bank, value));
        expect(await isAlive(value)).toBe(false);
      }
    });
  });

  describe('cookies tossed from a sibling', () => {
    it('do not reach an application with the __Host- prefix', async () => {
      await victim.login(BANK, 'alice');
      await attacker.login(BANK, 'bob');
      const sealed = cookieOf(attacker, SESSION_COOKIE);
      for (const name of [SESSION_COOKIE, '__host-session', '__HOST-SESSION', `=${SESSION_COOKIE}`]) {
        for (const path of ['/', '/api', '/auth/login']) {
          const line = `${name}=${sealed}; Domain=bank.example; Path=${path}; Secure`;
          expect(victim.jar.set(SIBLING, line)).toBe(false);
          expect(victim.jar.setByScript(SIBLING, line)).toBe(false);
        }
      }
      expect(await victim.user(BANK)).toBe('alice');
    });

    it('with a name that has no such prefix: the victim is never signed in as the attacker, but locked out', async () => {
      await start({ cookie: { name: 'bank-session' } });
      await attacker.login(BANK, 'bob');
      const sealed = cookieOf(attacker, 'bank-session');
      await victim.login(BANK, 'alice');
      expect(victim.jar.set(SIBLING, `bank-session=${sealed}; Domain=bank.example; Path=/api; Secure`)).toBe(true);
      // the browser sends the attacker's first: who took the first of two would be signed in as bob
      expect(victim.jar.header(`${BANK}/api/me`)).toMatch(new RegExp(`^bank-session=${sealed}; `));
      expect(await victim.user(BANK)).toBeUndefined();
      expect((await transfer(victim, await victim.csrfToken(BANK))).status).toBe(401);
    });

    it('alone, with a name that has no such prefix, do sign the victim in as the attacker: the prefix is the protection', async () => {
      await start({ cookie: { name: 'bank-session' } });
      await attacker.login(BANK, 'bob');
      const sealed = cookieOf(attacker, 'bank-session');
      victim.jar.set(SIBLING, `bank-session=${sealed}; Domain=bank.example; Path=/; Secure`);
      expect(await victim.user(BANK)).toBe('bob');
    });
  });

  describe('a request of another site', () => {
    beforeEach(() => victim.login(BANK, 'alice'));

    it('carries no session where it embeds, and gets nothing', async () => {
      for (const dest of ['image', 'script', 'iframe', 'style', 'object', 'video', 'empty']) {
        const answer = await victim.visit(`${BANK}/api/me`, { from: EVIL, headers: { 'sec-fetch-dest': dest } });
        expect([answer.status, answer.json]).toEqual([401, expect.objectContaining({ code: 'session_required' })]);
        expect(answer.headers['access-control-allow-origin']).toBeUndefined();
      }
      // a link still leads to where one is signed in
      expect((await victim.visit(`${BANK}/api/me`, { from: EVIL, navigation: true })).status).toBe(200);
      expect(await victim.user(BANK)).toBe('alice');
    });

    it('changes nothing, as a form, a script or a frame, with a token of the attacker’s own', async () => {
      await attacker.login(BANK, 'bob');
      const tokens = [false, await attacker.csrfToken(BANK), 'A'.repeat(86)] as const;
      for (const csrf of tokens) {
        for (const from of [EVIL, SIBLING]) {
          for (const navigation of [false, true]) {
            const answer = await victim.visit(`${BANK}/api/transfer`, {
              method: 'POST',
              from,
              navigation,
              csrf,
              body: { to: 'mallory', amount: 1 },
            });
            expect([401, 403]).toContain(answer.status);
          }
        }
      }
      expect((await transfer(victim, await victim.csrfToken(BANK))).status).toBe(201);
    });

    it('is refused by its headers also where the cookie goes along: SameSite=None', async () => {
      await start({ cookie: { sameSite: 'none' } });
      await victim.login(BANK, 'alice');
      const csrf = await victim.csrfToken(BANK);
      // read, it can be: that is what the option allows
      expect((await victim.visit(`${BANK}/api/me`, { from: EVIL })).status).toBe(200);
      for (const from of [EVIL, SIBLING]) expect((await transfer(victim, csrf, from)).status).toBe(403);
      expect((await transfer(victim, csrf)).status).toBe(201);
    });

    it('does not log the victim in as the attacker, out, or as anybody', async () => {
      const csrf = await attacker.csrfToken(BANK);
      const body = { email: 'bob@example.com', password: 'bob-demo-password', rememberMe: true };
      for (const from of [EVIL, SIBLING]) {
        for (const browser of [victim, new Browser(bank)]) {
          for (const path of ['login', 'logout', 'reauthenticate']) {
            const answer = await browser.visit(`${BANK}/auth/${path}`, {
              method: 'POST',
              from,
              navigation: true,
              csrf,
              body,
            });
            expect([401, 403]).toContain(answer.status);
            expect(answer.setCookies).toEqual([]);
          }
        }
      }
      expect(await victim.user(BANK)).toBe('alice');
    });

    it('by a page of our own that the attacker only got to send text through has no token', async () => {
      expect((await transfer(victim, false)).status).toBe(403);
      expect((await transfer(victim, cookieOf(victim, SESSION_COOKIE))).status).toBe(403);
    });
  });

  describe('scripts in a page', () => {
    it('cannot see our cookies, and cannot overwrite them', async () => {
      await victim.login(BANK, 'alice', true);
      expect(victim.jar.readByScript(`${BANK}/`)).toBe('');
      for (const name of [SESSION_COOKIE, REMEMBER_COOKIE]) {
        expect(victim.jar.setByScript(`${BANK}/`, `${name}=x; Path=/; Secure`)).toBe(false);
      }
      expect(await victim.user(BANK)).toBe('alice');
    });
  });

  describe('cookies of two users in one browser', () => {
    /** What only a flaw of another kind could bring about. */
    const mix = async (names: Partial<Record<string, Browser>>): Promise<Browser> => {
      const browser = new Browser(bank);
      for (const [name, from] of Object.entries(names)) {
        browser.jar.set(BANK, `${name}=${cookieOf(from!, name)}; Path=/; Secure; HttpOnly; Max-Age=3600`);
      }
      return Promise.resolve(browser);
    };

    it('a session of one with a remember-me of the other: the session counts, the other is not touched', async () => {
      await victim.login(BANK, 'alice', true);
      await attacker.login(BANK, 'bob', true);
      const mixed = await mix({ [SESSION_COOKIE]: attacker, [REMEMBER_COOKIE]: victim });
      expect(await mixed.user(BANK)).toBe('bob');
      expect(bank.events.some(({ type }) => type === 'remember_me.used')).toBe(false);
      victim.jar.restart();
      expect(await victim.user(BANK)).toBe('alice');
    });

    it('a CSRF token of one with the cookies of the other: refused', async () => {
      await victim.login(BANK, 'alice', true);
      await attacker.login(BANK, 'bob', true);
      expect((await transfer(victim, await attacker.csrfToken(BANK))).status).toBe(403);
    });

    it('an ended session of one, its CSRF token, and a remember-me of the other: refused', async () => {
      await victim.login(BANK, 'alice', true);
      await attacker.login(BANK, 'bob');
      const csrf = await attacker.csrfToken(BANK);
      const mixed = await mix({ [SESSION_COOKIE]: attacker, [REMEMBER_COOKIE]: victim });
      await attacker.visit(`${BANK}/auth/logout`, { method: 'POST', from: BANK, csrf });
      const answer = await transfer(mixed, csrf);
      expect([401, 403]).toContain(answer.status);
      expect(bank.events.some(({ type }) => type === 'remember_me.used')).toBe(false);
    });

    it('an ended session and a remember-me of the same user: the form that lay open still goes through', async () => {
      await victim.login(BANK, 'alice', true);
      const csrf = await victim.csrfToken(BANK);
      bank.clock.advance(2 * 3_600_000);
      expect((await transfer(victim, csrf)).status).toBe(201);
    });
  });
});
