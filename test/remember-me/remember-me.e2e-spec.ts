import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Controller, Get, Inject, Req } from '@nestjs/common';
import {
  CurrentSession,
  RequireFullAuth,
  RememberMeTokenStore,
  RequireRecentAuth,
  SessionAuthService,
  SessionStore,
  type SessionListItem,
  type SessionAuthentication,
} from 'nestjs-session-auth';
import { BankUsersService } from '../../src/users/bank-users.service.js';
import {
  DEVICE_COOKIE,
  REMEMBER_COOKIE,
  SESSION_COOKIE,
  type Answer,
  type BankClient,
} from '../support/bank-client.js';
import {
  ON_EVERY_STACK,
  openBackend,
  startBank,
  TEST_SECRETS,
  type Backend,
  type Bank,
  type BankSetup,
} from '../support/bank.js';
import { ManualClock } from '../support/manual-clock.js';
import { watchCalls } from '../support/watched-store.js';

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

/** Where the token is in the bytes of a sealed cookie: behind version, key id and nonce. */
const TOKEN_AT = 1 + 4 + 12;
const TOKEN_LENGTH = 68;

@Controller('sensitive')
class SensitiveController {
  @RequireFullAuth()
  @Get('full')
  full(@CurrentSession('authentication') authentication: SessionAuthentication): { authentication: string } {
    return { authentication };
  }

  @RequireRecentAuth('10m')
  @Get('recent')
  recent(): { recent: boolean } {
    return { recent: true };
  }
}

/** Signs Alice in and remembers the device. */
@Controller('enter')
class EnterController {
  constructor(@Inject(SessionAuthService) private readonly auth: SessionAuthService) {}

  @Get()
  async enter(@Req() request: object): Promise<void> {
    await this.auth.loginUser(request, { id: 'alice' }, 'custom', { rememberMe: true });
  }
}

describe.each(ON_EVERY_STACK)('remember-me on $adapter with $store', ({ adapter, store }) => {
  let backend: Backend;
  let bank: Bank;
  let alice: BankClient;
  let clock: ManualClock;
  const nodes: Bank[] = [];

  const start = async (setup: Partial<BankSetup> = {}): Promise<Bank> => {
    const node = await startBank({ adapter, backend, clock, module: { controllers: [SensitiveController] }, ...setup });
    nodes.push(node);
    return node;
  };

  beforeEach(async () => {
    clock = new ManualClock();
    backend = await openBackend(store);
    bank = await start();
    alice = bank.client();
  });

  afterEach(async () => {
    for (const node of nodes.splice(0)) await node.close();
    await backend.close();
  });

  const thefts = (): number => bank.events.filter(({ type }) => type === 'remember_me.theft').length;

  it('keeps a cookie for 30 days where the login asks for it, hardened like the session cookie', async () => {
    const answer = await alice.tryLogin('alice', { rememberMe: true });
    const line = answer.setCookies.find((cookie) => cookie.startsWith(REMEMBER_COOKIE));
    expect(line).toMatch(
      /^__Host-session-remember=[\w-]{175}; Max-Age=2592000; Path=\/; HttpOnly; Secure; SameSite=Lax$/,
    );
    const without = await bank.client().tryLogin('alice');
    expect(without.setCookies.some((cookie) => cookie.startsWith(REMEMBER_COOKIE))).toBe(false);
  });

  it('signs a device in again after its browser was closed: both cookies in one response, the token replaced', async () => {
    await alice.login('alice', { rememberMe: true });
    const remembered = alice.cookies.get(REMEMBER_COOKIE);
    alice.restart();
    const answer = await alice.get('/auth/session');
    expect(answer.status).toBe(200);
    expect(answer.json).toMatchObject({ userId: 'alice', authentication: 'remember-me' });
    expect(answer.setCookies).toHaveLength(2);
    expect(alice.cookies.get(REMEMBER_COOKIE)).not.toBe(remembered);
    expect(alice.cookies.has(SESSION_COOKIE)).toBe(true);
    expect((await alice.get('/auth/session')).setCookies).toEqual([]);
    expect(bank.events.filter(({ type }) => type === 'remember_me.used')).toHaveLength(1);
  });

  it('goes on through many closings over weeks, and ends 30 days after the login', async () => {
    await alice.login('alice', { rememberMe: true });
    for (let day = 3; day < 30; day += 3) {
      bank.clock.advance(3 * DAY);
      expect(await alice.isSignedIn()).toBe(true);
    }
    bank.clock.advance(3 * DAY);
    expect(await alice.isSignedIn()).toBe(false);
    expect(alice.cookies.has(REMEMBER_COOKIE)).toBe(false);
  });

  it('survives an outage of the users behind it that lasts longer than the grace, without an alarm', async () => {
    let isDown = false;
    const user = { id: 'alice', email: 'alice@example.com', roles: ['customer'] };
    const findById = (): Promise<typeof user> =>
      isDown ? Promise.reject(new Error('the database of users is down')) : Promise.resolve(user);
    const node = await start({
      module: { controllers: [EnterController] },
      options: { users: { useValue: { findById, findByEmail: findById } } },
    });
    const device = node.client();
    await device.get('/enter');
    device.restart();
    isDown = true;
    for (let i = 0; i < 3; i += 1) {
      expect((await device.get('/api/me')).status).toBe(500);
      clock.advance(MINUTE);
    }
    isDown = false;
    expect(await device.isSignedIn()).toBe(true);
    expect(node.events.filter(({ type }) => type === 'remember_me.theft')).toEqual([]);
  });

  it('signs in twenty tabs that start at once: one series, one session, no theft', async () => {
    await alice.login('alice', { rememberMe: true });
    alice.restart();
    const second = await start();
    const tabs = Array.from({ length: 20 }, (_, i) => {
      const tab = (i % 2 === 0 ? bank : second).client();
      tab.cookies.set(REMEMBER_COOKIE, alice.cookies.get(REMEMBER_COOKIE)!);
      return tab;
    });
    const answers = await Promise.all(tabs.map((tab) => tab.get('/auth/session')));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    expect(new Set(answers.map(({ json }) => (json as { id: string }).id)).size).toBe(1);
    // whatever order the answers come in: the browser ends up with cookies that work
    const signedIn = await Promise.all(tabs.map((tab) => tab.isSignedIn()));
    expect(signedIn).not.toContain(false);
    bank.clock.advance(5 * MINUTE);
    for (const tab of [tabs[0]!, tabs[19]!]) {
      tab.restart();
      expect(await tab.isSignedIn()).toBe(true);
      bank.clock.advance(1000);
    }
    expect(thefts()).toBe(0);
    expect((await tabs[0]!.get('/auth/sessions')).json).toHaveLength(1);
  });

  it('signs nobody in by a late tab whose session has proved more under another token: there is one session', async () => {
    await alice.login('alice', { rememberMe: true });
    alice.restart();
    const late = bank.client();
    late.cookies.set(REMEMBER_COOKIE, alice.cookies.get(REMEMBER_COOKIE)!);
    expect(await alice.isSignedIn()).toBe(true);
    expect((await alice.post('/auth/reauthenticate', { password: 'alice-demo-password' })).status).toBe(200);
    bank.clock.advance(1000);

    const answer = await late.get('/api/me');
    expect([answer.status, answer.setCookies]).toEqual([401, []]);
    expect(bank.events.filter(({ type }) => type === 'session.used_after_end')).toEqual([]);
    expect(thefts()).toBe(0);
    const list = (await alice.get('/auth/sessions')).json as SessionListItem[];
    expect(list.map(({ authentication }) => authentication)).toEqual(['password']);
    expect((await alice.ask('DELETE', '/auth/sessions?include=current')).json).toEqual({ revoked: 1 });
    expect(await alice.isSignedIn()).toBe(false);
    expect(await late.isSignedIn()).toBe(false);
  });

  it('does not write the token of a late tab over the newer one', async () => {
    await alice.login('alice', { rememberMe: true });
    alice.restart();
    const late = bank.client();
    late.cookies.set(REMEMBER_COOKIE, alice.cookies.get(REMEMBER_COOKIE)!);
    const { json } = await alice.get('/auth/session');
    await bank.app.get(SessionAuthService).rolesChanged('alice', ['customer', 'premium']);
    expect((await alice.get('/auth/session')).setCookies).toHaveLength(1);
    bank.clock.advance(1000);

    const answer = await late.get('/auth/session');
    expect(answer.json).toMatchObject({ id: (json as { id: string }).id });
    expect(answer.setCookies.map((line) => line.split('=')[0])).toEqual([REMEMBER_COOKIE]);
  });

  it('is no full login: refused if a full or recent login is required, until the password is entered', async () => {
    await alice.login('alice', { rememberMe: true });
    expect((await alice.get('/sensitive/full')).json).toEqual({ authentication: 'password' });
    expect((await alice.get('/sensitive/recent')).status).toBe(200);
    alice.restart();
    for (const path of ['/sensitive/full', '/sensitive/recent']) {
      const answer = await alice.get(path);
      expect(answer.json).toMatchObject({ statusCode: 401, code: 'recent_authentication_required' });
    }
    expect((await alice.post('/auth/reauthenticate', { password: 'alice-demo-password' })).status).toBe(200);
    expect((await alice.get('/sensitive/full')).json).toEqual({ authentication: 'password' });
    expect((await alice.get('/sensitive/recent')).status).toBe(200);
  });

  it('ends with the logout of its own device only', async () => {
    const phone = bank.client();
    await phone.login('alice', { rememberMe: true });
    await alice.login('alice', { rememberMe: true });
    const stolen = alice.cookies.get(REMEMBER_COOKIE)!;
    const logout = await alice.post('/auth/logout');
    expect(logout.setCookies.map((line) => line.split('=')[0]).sort()).toEqual(
      [SESSION_COOKIE, REMEMBER_COOKIE].sort(),
    );
    expect([...alice.cookies.keys()]).toEqual([DEVICE_COOKIE]);
    alice.cookies.set(REMEMBER_COOKIE, stolen);
    expect(await alice.isSignedIn()).toBe(false);
    phone.restart();
    expect(await phone.isSignedIn()).toBe(true);
    expect(thefts()).toBe(0);
  });

  it('does not sign a device in again that was ended from another', async () => {
    const laptop = bank.client();
    const phone = bank.client();
    for (const device of [phone, laptop, alice]) {
      await device.login('alice', { rememberMe: true });
      bank.clock.advance(1000);
    }
    const list = (await alice.get('/auth/sessions')).json as SessionListItem[];
    expect((await alice.ask('DELETE', `/auth/sessions/${list[2]!.id}`)).status).toBe(204);
    expect(await phone.isSignedIn()).toBe(false);
    expect(await laptop.isSignedIn()).toBe(true);
    expect((await alice.ask('DELETE', '/auth/sessions')).json).toEqual({ revoked: 1 });
    expect(await laptop.isSignedIn()).toBe(false);
    alice.restart();
    expect(await alice.isSignedIn()).toBe(true);
    await alice.post('/auth/reauthenticate', { password: 'alice-demo-password' });
    expect((await alice.ask('DELETE', '/auth/sessions?include=current')).json).toEqual({ revoked: 1 });
    expect(await alice.isSignedIn()).toBe(false);
  });

  it('forgets the device at a login that does not ask for it, also as another user', async () => {
    for (const name of ['alice', 'bob']) {
      await alice.login('alice', { rememberMe: true });
      const before = alice.cookies.get(REMEMBER_COOKIE)!;
      await alice.login(name);
      expect(alice.cookies.has(REMEMBER_COOKIE)).toBe(false);
      const thief = bank.client();
      thief.cookies.set(REMEMBER_COOKIE, before);
      expect(await thief.isSignedIn()).toBe(false);
    }
    expect(thefts()).toBe(0);
  });

  it('does not remember who is disabled or gone', async () => {
    await alice.login('alice', { rememberMe: true });
    alice.restart();
    const users = bank.app.get(BankUsersService);
    const findById = users.findById.bind(users);
    users.findById = async (id) => {
      const user = await findById(id);
      return user && { ...user, disabled: true };
    };
    expect(await alice.isSignedIn()).toBe(false);
    expect(alice.cookies.has(REMEMBER_COOKIE)).toBe(false);
    users.findById = findById;
    expect(await alice.isSignedIn()).toBe(false);
  });

  it('signs nobody in on an open route that does not ask for the session', async () => {
    await alice.login('alice', { rememberMe: true });
    alice.restart();
    expect((await alice.get('/health')).setCookies).toEqual([]);
    expect(bank.events.filter(({ type }) => type === 'remember_me.used')).toEqual([]);
  });

  it('refuses every cookie that we did not issue in the same way, clears it, and does not use the store', async () => {
    await alice.login('alice', { rememberMe: true });
    const sealed = alice.cookies.get(REMEMBER_COOKIE)!;
    const values = [
      'a:b',
      'selector',
      'a:b:c',
      ':',
      '%3A',
      `${'A'.repeat(24)}:${'B'.repeat(43)}`,
      'not/base64+url=',
      'A'.repeat(60_000),
      sealed.slice(1),
      `${sealed}A`,
      sealed.slice(0, -1) + (sealed.endsWith('A') ? 'B' : 'A'),
      alice.sealed,
    ];
    // every character of the token changed, in cookies of the genuine one's form: nothing but the seal tells them
    for (let at = TOKEN_AT; at < TOKEN_AT + TOKEN_LENGTH; at += 1) {
      const bytes = Buffer.from(sealed, 'base64url');
      bytes[at]! ^= 1;
      values.push(bytes.toString('base64url'));
    }
    const asked: string[] = [];
    for (const port of [SessionStore, RememberMeTokenStore]) {
      watchCalls(bank.app.get<object>(port, { strict: false }), (name) => asked.push(name));
    }
    let reference: Answer | undefined;
    for (const value of values) {
      const answer = await bank.client().get('/api/me', { cookie: `${REMEMBER_COOKIE}=${value}` });
      expect(answer.status).toBe(401);
      expect(answer.setCookies).toEqual([expect.stringMatching(/^__Host-session-remember=; Max-Age=0; Path=\/;/)]);
      reference ??= answer;
      expect(answer.text).toBe(reference.text);
    }
    const empty = await bank.client().get('/api/me', { cookie: `${REMEMBER_COOKIE}=` });
    expect([empty.status, empty.text]).toEqual([401, reference!.text]);
    const twice = `${REMEMBER_COOKIE}=${sealed}; ${REMEMBER_COOKIE}=${sealed}`;
    expect((await bank.client().get('/api/me', { cookie: twice })).status).toBe(401);
    // the session cookie's seal is worth nothing here, nor this one's there
    expect(await bank.client().isSignedIn({ cookie: `${SESSION_COOKIE}=${sealed}` })).toBe(false);
    expect(asked).toEqual([]);
    expect(await bank.client().isSignedIn({ cookie: `${REMEMBER_COOKIE}=${sealed}` })).toBe(true);
  });

  it('goes on over a change of keys', async () => {
    const next = 'the secret that comes next, long enough';
    const ready = await start({ secrets: [...TEST_SECRETS, next] });
    const changed = await start({ secrets: [next, ...TEST_SECRETS] });
    await alice.login('alice', { rememberMe: true });
    alice.restart();
    const old = new Map(alice.cookies);
    alice.port = changed.port;
    const { json } = await alice.get('/auth/session');
    // tabs that are served by nodes before their change: one that knows the new key, and one that does not yet
    for (const [node, expected] of [
      [ready, 200],
      [bank, 401],
    ] as const) {
      const tab = node.client();
      for (const [name, value] of old) tab.cookies.set(name, value);
      const answer = await tab.get('/auth/session');
      expect(answer.status).toBe(expected);
      if (expected === 200) expect(answer.json).toMatchObject({ id: (json as { id: string }).id });
      else expect(answer.setCookies).toEqual([]);
    }
    alice.restart();
    expect(await alice.isSignedIn()).toBe(true);
    for (const { events } of [bank, ready, changed]) {
      expect(events.map(({ type }) => type)).not.toContain('remember_me.theft');
    }
  });

  it('is off with rememberMe: false', async () => {
    const node = await start({ options: { rememberMe: false } });
    const client = node.client();
    await client.login('alice', { rememberMe: true });
    expect(client.cookies.has(REMEMBER_COOKIE)).toBe(false);
  });
});
