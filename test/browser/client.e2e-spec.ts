import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { Browser, Page, Request } from 'playwright-core';
import type { SessionAuthExtras, SessionAuthOptions } from 'nestjs-session-auth';
import { addressOf, openDevice } from '../support/bank-pages.js';
import { ADAPTERS, openBackend, startBank, type Bank } from '../support/bank.js';
import { launchChromium } from '../support/chromium.js';
import { ClientPageController, ELSEWHERE, heard, inPage, loginOf, openClientPage } from '../support/client-page.js';
import { until } from '../support/patience.js';
import { SteeredStore } from '../support/steered-store.js';

const MINUTE = 60_000;
const TRANSFER = `statusOf(post('/api/transfer', { to: 'bob', amount: 1 }))`;
const ME = `statusOf(client.fetch('/api/me'))`;
const EMAIL = `statusOf(post('/api/settings/email', { email: 'alice@example.com' }))`;

let browser: Browser;

beforeAll(async () => {
  browser = await launchChromium();
});
afterAll(() => browser.close());

describe.each(ADAPTERS)('a page with the client in Chromium on %s', (adapter) => {
  const store = new SteeredStore();
  let bank: Bank;
  let page: Page;
  /** What the tab has asked of `/auth`. */
  let asked: string[];

  const open = async (options: Partial<SessionAuthOptions & SessionAuthExtras> = {}, office = false): Promise<void> => {
    const backend = { ...(await openBackend('memory')), storage: { sessions: { useValue: store } } };
    bank = await startBank({ adapter, backend, options, office, module: { controllers: [ClientPageController] } });
    page = await openDevice(browser, bank);
    await openClientPage(page, bank);
    watchRequests();
  };
  const watchRequests = (): void => {
    asked = [];
    page.on('request', (request: Request) => {
      const { pathname } = new URL(request.url());
      if (pathname.startsWith('/auth/')) asked.push(`${request.method()} ${pathname.slice(6)}`);
    });
  };
  /** Another tab of the same browser. */
  const openTab = async (): Promise<Page> => {
    const tab = await page.context().newPage();
    await openClientPage(tab, bank);
    return tab;
  };
  const hears = async (tab: Page, ...hooks: string[]): Promise<void> => {
    await until(() => inPage<boolean>(tab, `heard.length >= ${hooks.length}`));
    expect(await heard(tab)).toEqual(hooks);
  };
  const logIn = async (name = 'alice', tab = page): Promise<void> => {
    await inPage(tab, loginOf(name));
    await hears(tab, 'login');
  };
  /** Time passes at the bank and in the page. */
  const pass = async (milliseconds: number): Promise<void> => {
    bank.clock.advance(milliseconds);
    await page.clock.runFor(milliseconds);
  };

  afterEach(async () => {
    store.before = undefined;
    store.after = undefined;
    for (const context of browser.contexts()) await context.close();
    await bank.close();
  });

  describe('login', () => {
    beforeEach(() => open());

    it('returns the response of the endpoint, and later requests have the new token', async () => {
      expect(await inPage(page, loginOf('alice'))).toMatchObject({
        user: { id: 'alice', email: 'alice@example.com', roles: ['customer'] },
        session: { userId: 'alice', authentication: 'password' },
        csrfToken: expect.any(String),
      });
      await hears(page, 'login');
      expect(asked).toEqual(['GET csrf', 'POST login']);
      expect([await inPage(page, TRANSFER), await inPage(page, TRANSFER)]).toEqual([201, 201]);
      expect(asked).toEqual(['GET csrf', 'POST login']);
      expect(await inPage(page, 'client.session()')).toMatchObject({ userId: 'alice' });
      expect(await inPage(page, '[localStorage.length, sessionStorage.length, document.cookie]')).toEqual([0, 0, '']);
    });

    it('rejects with the code of the answer, and tells nobody', async () => {
      const refused = `client.login({ email: 'alice@example.com', password: 'wrong' }).catch((error) =>
        [error instanceof Error, error.statusCode, error.code, error.message, error.retryAfter])`;
      const [isError, ...told] = await inPage<unknown[]>(page, refused);
      expect([isError, ...told.slice(0, 2), typeof told[2], told[3]]).toEqual([
        true,
        401,
        'invalid_credentials',
        'string',
        0,
      ]);
      expect([await inPage(page, 'client.session()'), await heard(page)]).toEqual([undefined, []]);
      await logIn();
    });

    it('hands the time of a 429 to its hook, and to the caller', async () => {
      const wrong = `client.login({ email: 'alice@example.com', password: 'wrong' }).catch((error) =>
        error.code === 'too_many_attempts' && error.retryAfter)`;
      await until(async () => (await inPage<number | false>(page, wrong)) !== false);
      const [[, hook, time]] = await inPage<[[string, string, number]]>(page, 'heard.splice(0)');
      expect([hook, time > 0]).toEqual(['tooManyAttempts', true]);
    });

    it('whose response is lost rejects; the next request finds out who is signed in', async () => {
      await page.route('**/auth/login', async (route) => {
        const cookies = await page.context().cookies();
        await route.fetch();
        await page.context().clearCookies();
        await page.context().addCookies(cookies);
        await route.abort();
      });
      const name = `${loginOf('alice')}.then(() => 'signed in', (error) => error.name)`;
      expect([await inPage(page, name), await heard(page)]).toEqual(['TypeError', []]);
      await page.unroute('**/auth/login');
      expect(await inPage(page, TRANSFER)).toBe(401);
      await hears(page, 'sessionRequired');
      await logIn();
      expect(await inPage(page, TRANSFER)).toBe(201);
    });

    it('whose response is cut after its head rejects, and the session that it made works', async () => {
      await page.route('**/auth/login', async (route) => {
        const response = await route.fetch();
        await route.fulfill({ response, body: '{"user":' });
      });
      const name = `${loginOf('alice')}.then(() => 'signed in', (error) => error.name)`;
      expect([await inPage(page, name), await heard(page)]).toEqual(['SyntaxError', []]);
      await page.unroute('**/auth/login');
      expect(await inPage(page, TRANSFER)).toBe(201);
      expect(await inPage(page, 'client.session()')).toMatchObject({ userId: 'alice' });
    });

    it('as another user while a request is under way does not do that in the name of the other', async () => {
      await logIn('alice');
      // it has the token of Alice when it leaves, and the cookie of Bob
      await inPage(
        page,
        `void (globalThis.fetch = async (...request) => {
          globalThis.fetch = send;
          await ${loginOf('bob')};
          return send(...request);
        })`,
      );
      expect(await inPage(page, TRANSFER)).toBe(403);
      await hears(page, 'login');
      expect(await inPage(page, `client.fetch('/api/me').then((r) => r.json())`)).toMatchObject({ userId: 'bob' });
      expect(await inPage(page, TRANSFER)).toBe(201);
    });
  });

  describe('expiry', () => {
    beforeEach(() => open());

    it('is reported once, even if several requests find out, and each gets its response', async () => {
      await logIn();
      bank.clock.advance(61 * MINUTE);
      expect(await inPage(page, `Promise.all([${[ME, ME, TRANSFER, ME].join()}])`)).toEqual([401, 401, 401, 401]);
      await hears(page, 'sessionRequired');
      expect(asked.filter((each) => each === 'GET session')).toHaveLength(1);
      // and again, for whoever goes on
      expect(await inPage(page, ME)).toBe(401);
      await hears(page, 'sessionRequired');
      await logIn();
      expect(await inPage(page, TRANSFER)).toBe(201);
    });

    it('is not reported to a page that only asks who is signed in', async () => {
      expect([await inPage(page, 'client.session()'), await heard(page)]).toEqual([undefined, []]);
    });

    it('is foreseen and noticed while the page lies idle, and the page does not put it off', async () => {
      await page.clock.install();
      await openClientPage(page, bank);
      await logIn();
      await pass(57 * MINUTE);
      expect(await heard(page)).toEqual([]);
      await pass(MINUTE + 20_000);
      await hears(page, 'expiring');
      await pass(MINUTE);
      expect(await heard(page)).toEqual([]);
      await pass(MINUTE);
      await hears(page, 'sessionRequired');
      expect(await inPage(page, 'client.session()')).toBeUndefined();
    });

    it('is put off by what the user does, in another tab too, and then foreseen anew', async () => {
      await page.clock.install();
      await openClientPage(page, bank);
      await logIn();
      const tab = await openTab();
      bank.clock.advance(30 * MINUTE);
      expect(await inPage(tab, ME)).toBe(200);
      bank.clock.advance(-30 * MINUTE);
      await pass(59 * MINUTE);
      expect(await heard(page)).toEqual([]);
      await pass(29 * MINUTE + 30_000);
      await hears(page, 'expiring');
      expect(await inPage(page, 'client.session()')).toMatchObject({ userId: 'alice' });
      await pass(57 * MINUTE);
      expect(await heard(page)).toEqual([]);
      await pass(2 * MINUTE);
      await hears(page, 'expiring');
    });

    it('is foreseen by the server’s clock, where that of the device is wrong', async () => {
      await page.clock.install({ time: Date.now() + 7 * 60 * MINUTE });
      await openClientPage(page, bank);
      await logIn();
      await pass(57 * MINUTE);
      expect(await heard(page)).toEqual([]);
      await pass(2 * MINUTE);
      await hears(page, 'expiring');
    });

    it('is noticed by a tab that slept past it', async () => {
      await page.clock.install();
      await openClientPage(page, bank);
      await logIn();
      bank.clock.advance(10 * 60 * MINUTE);
      await page.clock.fastForward(10 * 60 * MINUTE);
      await hears(page, 'sessionRequired');
    });
  });

  it('foresees the end of a session of months: no timer is set too far', async () => {
    await open({ lifetime: { idle: '60d', absolute: '60d' } });
    await logIn();
    expect(await inPage(page, ME)).toBe(200);
    expect(await heard(page)).toEqual([]);
    // a timer of more than 2^31 ms fires at once
    expect(asked).toEqual(['GET csrf', 'POST login']);
  });

  it('signs a remembered device in at the end of the session, and tells nobody', async () => {
    await open();
    await page.clock.install();
    await openClientPage(page, bank);
    await inPage(page, loginOf('alice').replace(' })', ', rememberMe: true })'));
    await hears(page, 'login');
    await pass(58 * MINUTE + 20_000);
    await hears(page, 'expiring');
    await pass(2 * MINUTE);
    await until(() => asked.includes('GET session'));
    expect(await inPage(page, TRANSFER)).toBe(201);
    expect(await heard(page)).toEqual([]);
  });

  describe('rotation', () => {
    beforeEach(() => open({ lifetime: { rotateEvery: '15m' } }));

    it('costs one more request, for any number of requests that need the new token', async () => {
      await logIn();
      bank.clock.advance(16 * MINUTE);
      expect(await inPage(page, ME)).toBe(200);
      // by the new cookie
      expect(await inPage(page, ME)).toBe(200);
      asked.length = 0;
      expect(await inPage(page, `Promise.all([${Array(5).fill(TRANSFER).join()}])`)).toEqual(Array(5).fill(201));
      expect(asked).toEqual(['GET session']);
      expect(await heard(page)).toEqual([]);
    });

    it('repeats a request with the whole body, of every type', async () => {
      const large = `new Blob(['{"text":"' + 'x'.repeat(90_000) + '"}'], { type: 'application/json' })`;
      const json = `{ 'content-type': 'application/json' }`;
      const rows: [string, string][] = [
        ['text', `client.fetch('/client-page/echo', { method: 'POST', headers: ${json}, body: '{"text":"a"}' })`],
        ['blob', `client.fetch('/client-page/echo', { method: 'POST', body: ${large} })`],
        ['form', `client.fetch('/client-page/echo', { method: 'POST', body: new URLSearchParams({ text: 'b' }) })`],
        [
          'request',
          `client.fetch(new Request('/client-page/echo', { method: 'POST', headers: ${json}, body: '{"text":"c"}' }))`,
        ],
        ['url', `client.fetch(new URL('/client-page/echo', location), { method: 'POST', body: ${large} })`],
      ];
      for (const [what, request] of rows) {
        await logIn();
        bank.clock.advance(16 * MINUTE);
        await inPage(page, ME);
        asked.length = 0;
        const text = await inPage<string>(page, `${request}.then(async (r) => (await r.json()).text ?? 'no text')`);
        expect([what, text.length, asked]).toEqual([
          what,
          ['blob', 'url'].includes(what) ? 90_000 : 1,
          ['GET session'],
        ]);
      }
    });
  });

  describe('step-up', () => {
    beforeEach(() => open());

    it('asks for the password once for all requests that need it, and repeats them', async () => {
      await logIn();
      bank.clock.advance(11 * MINUTE);
      await inPage(
        page,
        `void (answers.recentAuthenticationRequired = () =>
          client.reauthenticate({ password: 'alice-demo-password' }).then(() => true))`,
      );
      expect(await inPage(page, `Promise.all([${EMAIL}, ${EMAIL}])`)).toEqual([200, 200]);
      await hears(page, 'recentAuthenticationRequired');
    });

    it('repeats nothing unless the hook resolves to true', async () => {
      await logIn();
      bank.clock.advance(11 * MINUTE);
      for (const answer of ['undefined', 'false', `Promise.resolve('true')`]) {
        await inPage(page, `void (answers.recentAuthenticationRequired = () => ${answer})`);
        const sent: string[] = [];
        page.on('request', (request) => void sent.push(request.url()));
        expect(await inPage(page, EMAIL)).toBe(401);
        expect(sent).toHaveLength(1);
        page.removeAllListeners('request');
        await hears(page, 'recentAuthenticationRequired');
      }
    });

    it('asks once: who did not prove it gets the second answer', async () => {
      await logIn();
      bank.clock.advance(11 * MINUTE);
      await inPage(page, 'void (answers.recentAuthenticationRequired = () => true)');
      expect(await inPage(page, EMAIL)).toBe(401);
      await hears(page, 'recentAuthenticationRequired');
    });

    it('has a further factor proved, and goes on by the new token', async () => {
      await logIn();
      await inPage(
        page,
        `void (answers.furtherFactorRequired = ({ factors }) =>
          post('/client-page/factor').then(({ ok }) => ok && factors.includes('totp')))`,
      );
      expect(await inPage(page, `statusOf(post('/client-page/with-factor'))`)).toBe(201);
      await hears(page, 'furtherFactorRequired');
      await inPage(page, 'client.logout()');
      await hears(page, 'logout');
    });

    it('in one tab leaves what another has under way alone', async () => {
      await logIn();
      const tab = await openTab();
      expect(await inPage(tab, TRANSFER)).toBe(201);
      await inPage(page, `client.reauthenticate({ password: 'alice-demo-password' })`);
      // by the token of before, as when it was under way
      expect(await inPage(tab, TRANSFER)).toBe(201);
      expect([await heard(page), await heard(tab)]).toEqual([[], []]);
    });
  });

  describe('two tabs', () => {
    beforeEach(() => open());

    it('learn of each other’s login and logout', async () => {
      const tab = await openTab();
      await logIn();
      await hears(tab, 'login');
      expect(await inPage(tab, TRANSFER)).toBe(201);
      await inPage(tab, 'client.logout()');
      await hears(tab, 'logout');
      await hears(page, 'logout');
      expect([await inPage(page, 'client.session()'), await inPage(page, ME)]).toEqual([undefined, 401]);
    });

    it('receive no secret', async () => {
      const tab = await openTab();
      await inPage(
        tab,
        `void (new BroadcastChannel('session ' + location.origin + '/auth')
        .onmessage = ({ data }) => heard.push(['/auth', Object.keys(data ?? {}).join()]))`,
      );
      const answer = await inPage<{ csrfToken: string }>(page, loginOf('alice'));
      await until(() => inPage<boolean>(tab, 'heard.length > 1'));
      expect(await inPage<string>(tab, 'JSON.stringify(heard)')).not.toContain(answer.csrfToken);
      expect(await inPage<string>(tab, 'JSON.stringify(heard)')).not.toMatch(/csrf|token/i);
    });

    it('work without BroadcastChannel: each finds out by its next request', async () => {
      await page.context().addInitScript('delete globalThis.BroadcastChannel');
      await openClientPage(page, bank);
      const tab = await openTab();
      await logIn();
      expect(await inPage(tab, 'client.session()')).toMatchObject({ userId: 'alice' });
      await inPage(page, 'client.logout()');
      expect(await inPage(tab, TRANSFER)).toBe(401);
      await hears(tab, 'sessionRequired');
    });

    it('do not act for another user who signed in by other means', async () => {
      await logIn('alice');
      const form = await page.context().newPage();
      await form.goto('/login');
      await page.context().clearCookies();
      await form.goto('/login');
      await form.getByLabel('E-mail').fill('bob@example.com');
      await form.getByLabel('Password').fill('bob-demo-password');
      await form.getByRole('button', { name: 'Sign in' }).click();
      await form.waitForURL('**/account');
      expect(await inPage(page, TRANSFER)).toBe(403);
      await hears(page, 'login');
      expect(await inPage(page, TRANSFER)).toBe(201);
    });

    it('notice that the cookies were cleared', async () => {
      await logIn();
      await page.context().clearCookies();
      expect(await inPage(page, TRANSFER)).toBe(401);
      await hears(page, 'sessionRequired');
      await logIn();
    });
  });

  describe('outages', () => {
    beforeEach(() => open());

    it('offline and back: fetch rejects, and nobody is signed out', async () => {
      await page.clock.install();
      await openClientPage(page, bank);
      await logIn();
      await page.context().setOffline(true);
      expect([await inPage(page, ME), await inPage(page, TRANSFER)]).toEqual(['TypeError', 'TypeError']);
      const failed = '.then(() => 0, ({ name }) => name)';
      expect(await inPage(page, `client.session()${failed}`)).toBe('TypeError');
      expect(await inPage(page, `client.logout()${failed}`)).toBe('TypeError');
      expect(await inPage(page, `${loginOf('bob')}${failed}`)).toBe('TypeError');
      await page.clock.runFor(59 * MINUTE);
      expect(await heard(page)).toEqual([]);
      await page.context().setOffline(false);
      expect([await inPage(page, ME), await inPage(page, TRANSFER)]).toEqual([200, 201]);
      expect(await heard(page)).toEqual([]);
    });

    it('a store that is down signs nobody out', async () => {
      await logIn();
      store.before = () => Promise.reject(new Error('down'));
      expect([await inPage(page, ME), await inPage(page, TRANSFER)]).toEqual([503, 503]);
      const refused = `.then(() => 0, ({ statusCode, code, retryAfter }) => [statusCode, code, retryAfter > 0])`;
      expect(await inPage(page, `client.session()${refused}`)).toEqual([503, 'session_store_unavailable', true]);
      expect(await heard(page)).toEqual([]);
      store.before = undefined;
      expect([await inPage(page, ME), await inPage(page, TRANSFER)]).toEqual([200, 201]);
      expect(await heard(page)).toEqual([]);
    });
  });

  describe('other origins', () => {
    /** What the other origin was sent: one that allows every page everything. */
    const seen: { method?: string; headers: IncomingHttpHeaders }[] = [];
    const other = createServer(({ method, headers }, response) => {
      seen.push({ method, headers });
      response.setHeader('access-control-allow-origin', headers.origin === 'null' ? 'null' : (headers.origin ?? '*'));
      response.setHeader('access-control-allow-credentials', 'true');
      response.setHeader('access-control-allow-headers', 'content-type, x-csrf-token');
      response.writeHead(method === 'OPTIONS' ? 204 : 401, { 'content-type': 'application/json' });
      response.end(method === 'OPTIONS' ? undefined : '{"code":"session_required"}');
    });

    beforeEach(async () => {
      other.listen(0);
      await once(other, 'listening');
      ELSEWHERE.address = `http://localhost:${(other.address() as AddressInfo).port}/`;
      seen.length = 0;
      await open();
      await logIn();
    });
    afterEach(async () => {
      other.closeAllConnections();
      other.close();
      await once(other, 'close');
    });

    it('never get the token: not by an address, nor by a redirect', async () => {
      expect(await inPage(page, `statusOf(post('${ELSEWHERE.address}'))`)).toBe(401);
      expect(seen.map(({ method }) => method)).toEqual(['OPTIONS', 'POST']);
      expect(await inPage(page, `statusOf(post('/client-page/led-away'))`)).toBe('TypeError');
      expect(
        await inPage(page, `statusOf(client.fetch(new Request('/client-page/led-away', { method: 'POST' })))`),
      ).toBe('TypeError');
      expect(seen).toHaveLength(2);
      expect(JSON.stringify(seen)).not.toContain('"x-csrf-token":');
      expect(await heard(page)).toEqual([]);
    });

    it('are not trusted, and a redirect to the own origin is followed', async () => {
      expect(await inPage(page, `statusOf(client.fetch('/client-page/led-away', { credentials: 'omit' }))`)).toBe(401);
      expect(await inPage(page, `post('/client-page/led-on', { a: 1 }).then((r) => r.json())`)).toEqual({ a: 1 });
      expect(await heard(page)).toEqual([]);
    });
  });

  it('finds out what has happened while the browser kept the page', async () => {
    const keeping = await launchChromium([], ['--disable-back-forward-cache']);
    await open();
    page = await openDevice(keeping, bank);
    try {
      await openClientPage(page, bank);
      await logIn();
      await inPage(page, 'void (globalThis.isKept = true)');
      await page.goto(`${addressOf(bank)}/client-page/elsewhere`);
      await page.context().clearCookies();
      // a page that was kept is not loaded again
      await page.goBack({ waitUntil: 'commit' });
      expect(await inPage(page, 'globalThis.isKept')).toBe(true);
      await hears(page, 'sessionRequired');
    } finally {
      await keeping.close();
    }
  });

  it('sends the token in the header that the endpoint names', async () => {
    await open({ csrf: { header: 'x-bank-token' } });
    await inPage(page, 'client.session()');
    await logIn();
    await openClientPage(page, bank);
    const sent = page.waitForRequest('**/api/transfer');
    expect(await inPage(page, `client.session().then(() => ${TRANSFER})`)).toBe(201);
    expect((await (await sent).allHeaders())['x-bank-token']).toEqual(expect.any(String));
  });

  it('keeps two realms of one page apart', async () => {
    await open({}, true);
    const olga = `{ email: 'olga@office.example.com', password: 'olga-demo-password' }`;
    const tab = await openTab();
    for (const each of [page, tab])
      await inPage(each, `void (globalThis.staff = openClient({ path: '/office/auth' }))`);
    await inPage(page, `staff.login(${olga})`);
    await hears(page, '/office/auth login');
    await hears(tab, '/office/auth login');
    await logIn();
    await hears(tab, 'login');
    await inPage(tab, 'client.logout()');
    await hears(tab, 'logout');
    await hears(page, 'logout');
    expect(await inPage(page, 'staff.session()')).toMatchObject({ realm: 'office' });
    // the client of the bank, for a route of the office's
    expect(await inPage(page, `statusOf(staff.fetch('/office/api/customers'))`)).toBe(200);
  });
});
