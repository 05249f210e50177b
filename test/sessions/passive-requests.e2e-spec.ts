import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Controller, Get, Head, Inject, Post, Req, UseGuards } from '@nestjs/common';
import {
  CurrentSession,
  Passive,
  Public,
  type Session,
  SessionAuthGuard,
  SessionAuthService,
} from 'nestjs-session-auth';
import { REMEMBER_COOKIE, SESSION_COOKIE, type BankClient } from '../support/bank-client.js';
import { EVERYWHERE, openBackend, startBank, type Backend, type Bank } from '../support/bank.js';

const MINUTE = 60_000;

@Controller('notices')
@UseGuards(SessionAuthGuard)
class NoticesController {
  @Passive()
  @Get()
  poll(@CurrentSession() session: Session): object {
    return { userId: session.userId, lastActivityAt: session.lastActivityAt };
  }

  @Passive()
  @Head('head')
  head(): void {}

  @Passive()
  @Post()
  post(): object {
    return {};
  }
}

@Passive()
@Controller('status')
@UseGuards(SessionAuthGuard)
class StatusController {
  @Get()
  status(): object {
    return {};
  }
}

/** A shop: every visitor has a cart. */
@Public()
@Controller('cart')
class CartController {
  constructor(@Inject(SessionAuthService) private readonly auth: SessionAuthService) {}

  @Get()
  async cart(@Req() request: object): Promise<object> {
    const { userId } = await this.auth.ensureSession(request);
    return { userId };
  }
}

@Passive()
@Controller('gain')
@UseGuards(SessionAuthGuard)
class GainController {
  constructor(@Inject(SessionAuthService) private readonly auth: SessionAuthService) {}

  @Get('privilege')
  privilege(@Req() request: object): Promise<void> {
    return this.auth.rotate(request, { grace: 0 });
  }

  @Get('factor')
  async factor(@Req() request: object): Promise<object> {
    return (await this.auth.factorCompleted(request, 'totp')).factors;
  }
}

const PREFETCH = { 'sec-purpose': 'prefetch' };

/** Each reads the session and is no sign of its user. */
const PASSIVE: readonly (readonly [what: string, ask: (client: BankClient) => Promise<{ status: number }>])[] = [
  ['a handler that is @Passive()', (client) => client.get('/notices')],
  ['a HEAD of one', (client) => client.ask('HEAD', '/notices/head')],
  ['a controller that is @Passive()', (client) => client.get('/status')],
  ['a prefetch', (client) => client.get('/api/me', { headers: PREFETCH })],
  ['a prerendered page', (client) => client.get('/api/me', { headers: { 'sec-purpose': 'prefetch;prerender' } })],
  ['a prefetch by HEAD', (client) => client.ask('HEAD', '/api/me', { headers: PREFETCH })],
  ['a script that says so', (client) => client.get('/api/me', { headers: { 'x-session-passive': '1' } })],
];

describe.each(EVERYWHERE)('requests that are no activity on $adapter with $store', ({ adapter, store }) => {
  let backend: Backend;
  let bank: Bank;
  let alice: BankClient;

  const start = async (options: Parameters<typeof startBank>[0]['options'] = {}): Promise<void> => {
    bank = await startBank({
      adapter,
      backend,
      options,
      module: { controllers: [NoticesController, StatusController, CartController, GainController] },
    });
    alice = bank.client();
  };
  const lastActivity = async (): Promise<string> =>
    ((await alice.get('/notices')).json as { lastActivityAt: string }).lastActivityAt;

  beforeEach(async () => (backend = await openBackend(store)));
  afterEach(async () => {
    await bank.close();
    await backend.close();
  });

  it('do not keep the session alive, at any frequency', async () => {
    await start();
    await alice.login('alice');
    const before = await lastActivity();
    for (const [what, ask] of PASSIVE) {
      bank.clock.advance(8 * MINUTE);
      expect([what, (await ask(alice)).status]).toEqual([what, 200]);
    }
    expect(await lastActivity()).toBe(before);
    bank.clock.advance(6 * MINUTE);
    for (const [what, ask] of PASSIVE) expect([what, (await ask(alice)).status]).toEqual([what, 401]);
  });

  it('are an exception: an ordinary request at the same moment keeps it alive', async () => {
    await start();
    await alice.login('alice');
    bank.clock.advance(50 * MINUTE);
    const [, polled] = await Promise.all([alice.get('/api/me'), alice.get('/notices')]);
    expect(polled.status).toBe(200);
    bank.clock.advance(50 * MINUTE);
    expect(await alice.isSignedIn()).toBe(true);
  });

  it('get no new token when one is due, and use none up', async () => {
    await start({ lifetime: { rotateEvery: '10m' } });
    await alice.login('alice');
    const token = alice.sealed;
    bank.clock.advance(11 * MINUTE);
    for (const [, ask] of PASSIVE) expect(await ask(alice)).toMatchObject({ status: 200, setCookies: [] });
    expect(alice.sealed).toBe(token);
    // the token that is due comes with the next ordinary request, and a passive one by it leaves the old one good
    expect((await alice.get('/api/me')).setCookies).toHaveLength(1);
    for (const [, ask] of PASSIVE) expect((await ask(alice)).status).toBe(200);
    bank.clock.advance(MINUTE);
    expect((await alice.get('/notices', { cookie: `${SESSION_COOKIE}=${token}` })).status).toBe(200);
    expect(bank.events.filter(({ type }) => type === 'session.token_reused')).toEqual([]);
  });

  it('are checked like all others: reuse of a replaced token is reported, a different fingerprint ends the session', async () => {
    await start({ lifetime: { rotateEvery: '10m' } });
    alice.headers['user-agent'] = 'Browser/1.0';
    await alice.login('alice');
    const token = alice.sealed;
    bank.clock.advance(11 * MINUTE);
    for (let count = 0; count < 2; count += 1) await alice.get('/api/me');
    bank.clock.advance(MINUTE);
    expect((await alice.get('/notices', { cookie: `${SESSION_COOKIE}=${token}` })).status).toBe(401);
    expect(bank.events.at(-1)).toMatchObject({ type: 'session.token_reused' });
    expect((await alice.get('/notices')).status).toBe(200);
    const cookie = alice.cookie;
    const stranger = { 'user-agent': 'curl/8.0 (other)', ...PREFETCH };
    expect((await alice.get('/api/me', { headers: stranger })).status).toBe(401);
    expect(bank.events.some(({ type }) => type === 'session.fingerprint_mismatch')).toBe(true);
    expect((await alice.get('/notices', { cookie })).status).toBe(401);
  });

  it('do not sign a remembered device in: it is nobody, and its token goes unused', async () => {
    await start();
    await alice.login('alice', { rememberMe: true });
    alice.restart();
    const token = alice.cookies.get(REMEMBER_COOKIE);
    bank.events.length = 0;
    for (const [what, ask] of PASSIVE) {
      expect([what, await ask(alice)]).toEqual([what, expect.objectContaining({ status: 401, setCookies: [] })]);
    }
    expect(alice.cookies.get(REMEMBER_COOKIE)).toBe(token);
    expect(bank.events).toEqual([]);
    expect(await alice.isSignedIn()).toBe(true);
    expect(alice.cookies.get(REMEMBER_COOKIE)).not.toBe(token);
  });

  it.each(['privilege', 'factor'])(
    'are no way to gain a %s without a new token, also by the first use of one',
    async (what) => {
      await start({ lifetime: { rotateEvery: '10m' } });
      await alice.login('alice');
      const old = alice.cookie;
      bank.clock.advance(11 * MINUTE);
      await alice.get('/api/me');
      const successor = alice.cookie;
      expect(successor).not.toBe(old);
      expect(await alice.get(`/gain/${what}`)).toMatchObject({ status: 200, setCookies: [expect.anything()] });
      expect(await alice.isSignedIn()).toBe(true);
      for (const cookie of [old, successor])
        expect(await bank.send('GET', '/notices', { cookie })).toMatchObject({ status: 401 });
      expect(await alice.isSignedIn()).toBe(true);
    },
  );

  it('give a remembered device no session of nobody, which would keep it from being signed in', async () => {
    await start();
    await alice.login('alice', { rememberMe: true });
    alice.restart();
    expect((await alice.get('/cart', { headers: PREFETCH })).json).toEqual({ userId: 'alice' });
    expect(await alice.isSignedIn()).toBe(true);
    const visitor = bank.client();
    expect((await visitor.get('/cart', { headers: PREFETCH })).json).toEqual({});
    const { sealed } = visitor;
    expect(await visitor.get('/cart', { headers: PREFETCH })).toMatchObject({ status: 200, setCookies: [] });
    expect(visitor.sealed).toBe(sealed);
  });

  it('are GETs and HEADs: nothing makes another verb one', async () => {
    await start();
    await alice.login('alice');
    bank.clock.advance(50 * MINUTE);
    expect((await alice.post('/notices', {}, { headers: PREFETCH, csrf: false })).status).toBe(201);
    bank.clock.advance(50 * MINUTE);
    for (const purpose of ['', 'prefetchx', 'none', 'x prefetch']) {
      expect((await alice.get('/api/me', { headers: { 'sec-purpose': purpose } })).status).toBe(200);
      bank.clock.advance(50 * MINUTE);
    }
  });
});
