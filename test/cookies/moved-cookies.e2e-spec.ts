import { afterEach, describe, expect, it } from '@jest/globals';
import { Controller, Get, UseGuards } from '@nestjs/common';
import { SessionAuthGuard, type SessionAuthOptions, type SessionEvent } from 'nestjs-session-auth';
import { openBackend, SERVERS, startBank, STORES, type Backend, type Bank } from '../support/bank.js';
import { Browser } from '../support/browser.js';

const BANK = 'https://www.bank.example';
const SIBLING = 'https://blog.bank.example';
const NAME = 'bank-session';

type Cookie = NonNullable<SessionAuthOptions['cookie']>;

const MOVES: readonly (readonly [what: string, before: Cookie, after: Cookie])[] = [
  ['to a wider domain', {}, { domain: 'bank.example' }],
  ['back to this host only', { domain: 'bank.example' }, {}],
  ['to another path', { path: '/' }, { path: '/auth' }],
  ['back to all paths', { path: '/auth' }, { path: '/' }],
  ['to another domain and path at once', { path: '/auth' }, { domain: 'bank.example' }],
];

@Controller('pages')
@UseGuards(SessionAuthGuard)
class PagesController {
  @Get('*')
  page(): void {}
}

const EVERYWHERE = SERVERS.flatMap((adapter) => STORES.map((store) => ({ adapter, store })));

describe.each(EVERYWHERE)('two cookies of our name on $adapter with $store', ({ adapter, store }) => {
  let backend: Backend;
  let bank: Bank;

  afterEach(async () => {
    await bank.close();
    await backend.close();
  });

  const start = async (cookie: Cookie): Promise<void> => {
    bank = await startBank({
      adapter,
      backend,
      options: { cookie: { name: NAME, ...cookie }, csrf: { publicOrigin: BANK } },
      module: { controllers: [PagesController] },
    });
  };
  const ambiguous = (): SessionEvent[] => bank.events.filter(({ type }) => type === 'session.ambiguous_cookie');
  const sentTo = (browser: Browser, path: string, name = NAME): number =>
    (browser.jar.header(`${BANK}${path}`) ?? '').split('; ').filter((pair) => pair.startsWith(`${name}=`)).length;
  /** Of the browser that the first application knew, at the second one. */
  const move = async (before: Cookie, after: Cookie, rememberMe = false): Promise<Browser> => {
    backend = await openBackend(store);
    await start(before);
    const browser = new Browser(bank);
    await browser.login(BANK, 'alice', rememberMe);
    await bank.close();
    await start(after);
    const here = new Browser(bank);
    here.jar.takeAll(browser.jar);
    return here;
  };

  const userOf = async (browser: Browser): Promise<unknown> =>
    ((await browser.visit(`${BANK}/auth/session`, { from: BANK })).json as { userId?: string }).userId;

  it.each(MOVES)(
    '%s: the answer takes them all, nothing ends in the store, and the next login heals',
    async (_, before, after) => {
      const browser = await move(before, after);
      // what the new application had given this browser before
      const other = new Browser(bank);
      await other.login(BANK, 'alice');
      browser.jar.takeAll(other.jar);
      expect(sentTo(browser, '/auth/session')).toBe(2);
      expect(await userOf(browser)).toBeUndefined();
      expect(ambiguous()).toEqual([expect.objectContaining({ cookie: 'session', client: expect.anything() })]);
      expect(sentTo(browser, '/auth/session')).toBe(0);
      expect(await userOf(other)).toBe('alice');
      expect((await browser.login(BANK, 'alice')).status).toBe(200);
      expect(await userOf(browser)).toBe('alice');
      expect(sentTo(browser, '/auth/session')).toBe(1);
    },
  );

  it('are healed by a login at once, of the pre-session and the device as well', async () => {
    const browser = await move({}, { domain: 'bank.example' }, true);
    const other = new Browser(bank);
    await other.login(BANK, 'alice', true);
    browser.jar.takeAll(other.jar);
    await browser.visit(`${BANK}/auth/csrf`, { from: BANK });
    for (const name of ['-csrf', '-remember', '-device', ''].map((kind) => NAME + kind)) {
      browser.jar.set(BANK, `${name}=x; Path=/; Secure; HttpOnly`);
      browser.jar.set(BANK, `${name}=y; Path=/; Secure; HttpOnly; Domain=bank.example`);
    }
    expect((await browser.login(BANK, 'alice', true)).status).toBe(200);
    expect(await browser.user(BANK)).toBe('alice');
    for (const kind of ['', '-remember', '-device'])
      expect([kind, sentTo(browser, '/api/me', NAME + kind)]).toEqual([kind, 1]);
    browser.jar.restart();
    expect(await browser.user(BANK)).toBe('alice');
  });

  it('that remember the device: taken, told, no token used, no session ended', async () => {
    const browser = await move({}, { domain: 'bank.example' }, true);
    const other = new Browser(bank);
    await other.login(BANK, 'alice', true);
    browser.jar.restart();
    browser.jar.takeAll(other.jar, `${NAME}-remember`);
    expect(sentTo(browser, '/api/me', `${NAME}-remember`)).toBe(2);
    bank.events.length = 0;
    expect(await browser.user(BANK)).toBeUndefined();
    expect(bank.events.map((event) => [event.type, 'cookie' in event && event.cookie])).toEqual([
      ['session.ambiguous_cookie', 'remember-me'],
    ]);
    expect(sentTo(browser, '/api/me', `${NAME}-remember`)).toBe(0);
    other.jar.restart();
    expect(await other.user(BANK)).toBe('alice');
  });

  it('one of them of a sibling host: nobody is signed out, and nobody is signed in as the sibling', async () => {
    backend = await openBackend(store);
    await start({});
    const victim = new Browser(bank);
    const attacker = new Browser(bank);
    await attacker.login(BANK, 'bob');
    const tossed = /bank-session=([^;]*)/.exec(attacker.jar.header(`${BANK}/`)!)![1]!;
    for (const path of ['/', '/api', '/api/', '/api/me']) {
      await victim.login(BANK, 'alice');
      const own = victim.jar.header(`${BANK}/`)!;
      victim.jar.set(SIBLING, `${NAME}=${tossed}; Domain=bank.example; Path=${path}; Secure`);
      expect(await victim.user(BANK)).toBeUndefined();
      // the session that the victim had lives on
      expect((await bank.send('GET', '/api/me', { cookie: own })).json).toMatchObject({ userId: 'alice' });
      expect(await victim.user(BANK)).toBeUndefined();
      expect((await victim.login(BANK, 'alice')).status).toBe(200);
      expect(await victim.user(BANK)).toBe('alice');
    }
    expect(await attacker.user(BANK)).toBe('bob');
  });

  it('are cleared by a head of bounded size, for any host and path', async () => {
    backend = await openBackend(store);
    await start({ domain: 'bank.example' });
    const cookie = ['', '-remember'].map((kind) => `${NAME}${kind}=x; ${NAME}${kind}=y`).join('; ');
    const headers = { host: `${`${'a'.repeat(60)}.`.repeat(3)}bank.example` };
    const answer = await bank.send('GET', `/pages${`/${'b'.repeat(1500)}`.repeat(4)}`, { headers, cookie });
    expect(answer.status).toBe(401);
    expect(answer.setCookies.length).toBeGreaterThan(8);
    expect(answer.setCookies.join().length).toBeLessThan(16_000);
    for (const kind of ['', '-remember']) {
      const hostOnly = answer.setCookies.filter((line) => line.startsWith(`${NAME}${kind}=`) && !/domain/i.test(line));
      expect(hostOnly.some((line) => line.includes('Path=/;'))).toBe(true);
    }
  });
});
