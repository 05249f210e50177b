import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Controller, Get, Inject, Post, Req } from '@nestjs/common';
import { CurrentSession, Public, type Session, SessionAuthService, SessionStore } from 'nestjs-session-auth';
import { CookieSet } from '../../libs/session-auth/src/http/cookie-set.js';
import type { SessionListItem } from 'nestjs-session-auth';
import { DEVICE_COOKIE, PRE_SESSION_COOKIE, SESSION_COOKIE, type BankClient } from '../support/bank-client.js';
import { ON_EVERY_STACK, openBackend, startBank, type Backend, type Bank } from '../support/bank.js';
import { tokenIn } from '../support/forged-cookies.js';
import { watchCalls } from '../support/watched-store.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** A shop in front of the login: the only thing that makes an anonymous session. */
@Controller('basket')
class BasketController {
  constructor(@Inject(SessionAuthService) private readonly auth: SessionAuthService) {}

  @Post()
  async add(@Req() request: object): Promise<{ id: string }> {
    const session = await this.auth.ensureSession(request);
    await session.update({ basket: ['apple'] });
    return { id: session.id };
  }

  @Public()
  @Get()
  basket(@CurrentSession() session: Session<{ basket: string[] }> | undefined): { basket: string[]; userId?: string } {
    return { basket: session?.data.basket ?? [], userId: session?.userId };
  }

  @Post('rotate')
  async rotate(@Req() request: object): Promise<void> {
    await this.auth.rotate(request);
  }
}

describe.each(ON_EVERY_STACK)('sessions on $adapter with $store', ({ adapter, store }) => {
  let backend: Backend;
  let bank: Bank;
  let alice: BankClient;

  beforeEach(async () => {
    backend = await openBackend(store);
    bank = await startBank({ adapter, backend, module: { controllers: [BasketController] } });
    alice = bank.client();
  });

  afterEach(async () => {
    await bank.close();
    await backend.close();
  });

  it('admit nobody without a login, and are not made by a visit', async () => {
    const created: unknown[] = [];
    watchCalls(bank.app.get<object>(SessionStore, { strict: false }), (name) => {
      if (name === 'create') created.push(name);
    });
    const answer = await alice.get('/api/me');
    expect(answer.status).toBe(401);
    expect(answer.json).toEqual({
      statusCode: 401,
      code: 'session_required',
      message: expect.any(String),
      realm: 'default',
    });
    expect((await alice.get('/health')).setCookies).toEqual([]);
    expect(answer.setCookies).toEqual([]);
    expect(created).toEqual([]);
    if (backend.redis) expect(await backend.redis.keys(`${backend.namespace}*`)).toEqual([]);
    if (backend.dataSource) expect(await backend.dataSource.query('SELECT * FROM session_auth_session')).toEqual([]);
  });

  it('answer a login with the user and the session, and the cookie as hardened as can be', async () => {
    const answer = await alice.tryLogin('alice');
    expect(answer.status).toBe(200);
    expect(answer.json).toMatchObject({
      user: { id: 'alice', email: 'alice@example.com', roles: ['customer'] },
      session: { userId: 'alice', authentication: 'password' },
    });
    expect(answer.setCookies.map((line) => line.slice(0, line.indexOf('=')))).toEqual([
      SESSION_COOKIE,
      PRE_SESSION_COOKIE,
      DEVICE_COOKIE,
    ]);
    expect(answer.setCookies[0]).toMatch(/^__Host-session=[\w-]{174}; Path=\/; HttpOnly; Secure; SameSite=Lax$/);
    expect(answer.headers['cache-control']).toBe('no-store');
    expect((await alice.get('/api/me')).json).toEqual({
      userId: 'alice',
      email: 'alice@example.com',
      roles: ['customer'],
    });
  });

  it.each([
    ['an unknown user', { email: 'nobody@example.com', password: 'alice-demo-password' }, 401, 'invalid_credentials'],
    ['a wrong password', { email: 'alice@example.com', password: 'wrong' }, 401, 'invalid_credentials'],
    ['no body', undefined, 400, 'invalid_request'],
    ['an array', [], 400, 'invalid_request'],
    ['an e-mail that is an object', { email: { $ne: '' }, password: 'x' }, 400, 'invalid_request'],
    [
      'a password of 73 bytes',
      { email: 'alice@example.com', password: 'é'.repeat(36) + 'x' },
      400,
      'password_too_long',
    ],
  ])('refuse a login with %s and set no cookie', async (_, body, status, code) => {
    const answer = await alice.post('/auth/login', body);
    expect(answer.status).toBe(status);
    expect(answer.json).toMatchObject({ statusCode: status, code });
    expect(answer.setCookies).toEqual([]);
  });

  it('give the same response, byte for byte, to an unknown user and a wrong password', async () => {
    const unknown = await alice.post('/auth/login', { email: 'nobody@example.com', password: 'wrong' });
    const wrong = await alice.post('/auth/login', { email: 'alice@example.com', password: 'wrong' });
    expect(wrong.text).toBe(unknown.text);
    const steady = ({ date: _, ...rest }: Record<string, unknown>): unknown => rest;
    expect(steady(wrong.headers)).toEqual(steady(unknown.headers));
  });

  it('end at logout: the cookie is cleared, and refused when replayed', async () => {
    await alice.login('alice');
    const stolen = alice.cookie;
    const logout = await alice.post('/auth/logout');
    expect(logout.status).toBe(204);
    expect(logout.headers['clear-site-data']).toBe('"cookies", "storage"');
    expect(logout.setCookies).toEqual([
      expect.stringMatching(
        /^__Host-session=; Max-Age=0; Path=\/; Expires=Thu, 01 Jan 1970 00:00:00 GMT; HttpOnly; Secure; SameSite=Lax$/,
      ),
    ]);
    expect([...alice.cookies.keys()]).toEqual([DEVICE_COOKIE]);
    expect(await alice.isSignedIn({ cookie: stolen })).toBe(false);
    expect(bank.events.map((event) => event.type)).toEqual([
      'session.created',
      'session.destroyed',
      'session.used_after_end',
    ]);
    expect((await alice.post('/auth/logout', undefined, { cookie: stolen })).status).toBe(204);
    expect((await alice.post('/auth/logout')).status).toBe(204);
  });

  it('do not end by GET or HEAD', async () => {
    await alice.login('alice');
    for (const method of ['GET', 'HEAD']) expect((await alice.ask(method, '/auth/logout')).status).toBe(404);
    expect(await alice.isSignedIn()).toBe(true);
  });

  it('get a new token at login: the anonymous one from before is dead, its data stays', async () => {
    await alice.post('/basket');
    const before = alice.cookie;
    expect((await alice.get('/basket')).json).toEqual({ basket: ['apple'] });
    expect(await alice.isSignedIn()).toBe(false);
    await alice.login('alice');
    expect(alice.cookie).not.toBe(before);
    expect((await alice.get('/basket')).json).toEqual({ basket: ['apple'], userId: 'alice' });
    expect((await alice.get('/basket', { cookie: before })).json).toEqual({ basket: [] });
  });

  it('get a new token at re-authentication, with the absolute deadline kept', async () => {
    const session = await alice.login('alice');
    const before = alice.cookie;
    bank.clock.advance(20 * MINUTE);
    expect((await alice.post('/api/settings/email', { email: 'alice2@example.com' })).json).toMatchObject({
      statusCode: 401,
      code: 'recent_authentication_required',
    });
    expect((await alice.post('/auth/reauthenticate', { password: 'wrong' })).json).toMatchObject({
      statusCode: 401,
      code: 'invalid_credentials',
    });
    expect(alice.cookie).toBe(before);
    const answer = await alice.post('/auth/reauthenticate', { password: 'alice-demo-password' });
    expect(answer.status).toBe(200);
    const { session: renewed } = answer.json as { session: typeof session };
    expect(renewed.id).toBe(session.id);
    expect(renewed.absoluteExpiresAt).toBe(session.absoluteExpiresAt);
    expect(Date.parse(renewed.authenticatedAt)).toBeGreaterThanOrEqual(
      Date.parse(session.authenticatedAt) + 20 * MINUTE,
    );
    expect(await alice.isSignedIn({ cookie: before })).toBe(false);
    expect(await alice.isSignedIn()).toBe(true);
    expect((await alice.post('/api/settings/email', { email: 'alice2@example.com' })).status).toBe(200);
    expect((await alice.get('/api/me')).json).toMatchObject({ email: 'alice2@example.com' });
  });

  it('are replaced when another user logs in over them: old data and token no longer exist', async () => {
    await alice.login('alice');
    await alice.ask('PATCH', '/api/preferences', { body: { secret: 'of alice' } });
    const before = alice.cookie;
    await alice.login('bob');
    expect((await alice.get('/api/preferences')).json).toEqual({});
    expect((await alice.get('/api/me')).json).toMatchObject({ userId: 'bob' });
    expect(await alice.isSignedIn({ cookie: before })).toBe(false);
    expect(bank.events.at(-2)).toMatchObject({ type: 'session.destroyed', userId: 'alice', reason: 'replaced' });
  });

  it('rotate when the same user logs in again: data stays, the old token is dead, the list has one entry', async () => {
    const first = await alice.login('alice');
    await alice.ask('PATCH', '/api/preferences', { body: { theme: 'dark' } });
    const before = alice.cookie;
    bank.clock.advance(30 * MINUTE);
    const second = await alice.login('alice');
    expect(second.id).toBe(first.id);
    expect(Date.parse(second.absoluteExpiresAt)).toBeGreaterThanOrEqual(
      Date.parse(first.absoluteExpiresAt) + 30 * MINUTE,
    );
    expect((await alice.get('/api/preferences')).json).toEqual({ theme: 'dark' });
    expect(await alice.isSignedIn({ cookie: before })).toBe(false);
    expect((await alice.get('/auth/sessions')).json).toHaveLength(1);
  });

  it('end after an idle hour although the cookie lives, and slide with use until then', async () => {
    await alice.login('alice');
    for (let i = 0; i < 3; i += 1) {
      bank.clock.advance(59 * MINUTE);
      expect(await alice.isSignedIn()).toBe(true);
    }
    bank.clock.advance(HOUR);
    expect(await alice.isSignedIn()).toBe(false);
    bank.clock.advance(-HOUR);
    // what was found expired is gone for good, whatever the clocks say afterwards
    expect(await alice.isSignedIn()).toBe(false);
  });

  it('end after the absolute deadline through any number of requests, rotations and re-authentications', async () => {
    await alice.login('alice');
    for (let i = 0; i < 47; i += 1) {
      bank.clock.advance(30 * MINUTE);
      expect(await alice.isSignedIn()).toBe(true);
      if (i % 9 === 4)
        expect((await alice.post('/auth/reauthenticate', { password: 'alice-demo-password' })).status).toBe(200);
      if (i % 9 === 8) expect((await alice.post('/basket/rotate')).status).toBe(201);
    }
    bank.clock.advance(29 * MINUTE);
    expect(await alice.isSignedIn()).toBe(true);
    // the session's own deadline, and not that of the cookie alone: sealed anew, its token has no longer life either
    const { session } = bank.app.get(CookieSet, { strict: false });
    const owner = { userId: 'alice', absoluteExpiresAt: new Date(bank.clock.now() + HOUR) };
    const line = session.issue(tokenIn(bank, alice.sealed)!, owner, bank.clock.now());
    const resealed = { cookie: line.split(';')[0]! };
    expect(await bank.client().isSignedIn(resealed)).toBe(true);
    bank.clock.advance(MINUTE);
    expect(await bank.client().isSignedIn(resealed)).toBe(false);
    expect(await alice.isSignedIn()).toBe(false);
  });

  it('let the old token of a plain rotation live until the new one is used and its grace is over', async () => {
    await alice.login('alice');
    const before = alice.cookie;
    await alice.post('/basket/rotate');
    const after = alice.cookie;
    expect(after).not.toBe(before);
    expect(await alice.isSignedIn({ cookie: before })).toBe(true);
    // the old token cannot be turned into a newer one
    const again = await alice.post('/basket/rotate', undefined, { cookie: before });
    expect(again.setCookies).toEqual([]);
    expect(await alice.isSignedIn({ cookie: after })).toBe(true);
    expect(await alice.isSignedIn({ cookie: before })).toBe(true);
    bank.clock.advance(10_000);
    expect(await alice.isSignedIn({ cookie: before })).toBe(false);
    expect(await alice.isSignedIn({ cookie: after })).toBe(true);
    // a logout by the old token ends the session all the same
    await alice.post('/basket/rotate', undefined, { cookie: after });
    await alice.post('/auth/logout', undefined, { cookie: after });
    expect(await alice.isSignedIn({ cookie: alice.cookie })).toBe(false);
  });

  it('are listed for their user, and ended one by one or all at once', async () => {
    const devices = [bank.client(), bank.client(), bank.client()];
    const ids: string[] = [];
    for (const device of devices) {
      device.headers['user-agent'] = CHROME;
      ids.push((await device.login('alice')).id);
      bank.clock.advance(1000);
    }
    const [first, second, third] = devices as [BankClient, BankClient, BankClient];
    const list = (await third.get('/auth/sessions')).json as SessionListItem[];
    expect(list.map((item) => item.id)).toEqual([...ids].reverse());
    expect(list.map((item) => item.current)).toEqual([true, false, false]);
    expect(list[0]).toEqual({
      id: ids[2],
      current: true,
      device: 'Chrome on Windows',
      ip: '127.0.0.1',
      createdAt: expect.any(String),
      lastActivityAt: expect.any(String),
      expiresAt: expect.any(String),
      authentication: 'password',
    });

    const bob = bank.client();
    const bobs = await bob.login('bob');
    for (const id of [bobs.id, 'A'.repeat(20), 'x', '%00', '..%2f']) {
      expect((await third.ask('DELETE', `/auth/sessions/${id}`)).json).toMatchObject({
        statusCode: 404,
        code: 'not_found',
      });
    }
    expect(await bob.isSignedIn()).toBe(true);

    expect((await third.ask('DELETE', `/auth/sessions/${ids[0]}`)).status).toBe(204);
    expect(await first.isSignedIn()).toBe(false);
    expect((await third.ask('DELETE', `/auth/sessions/${ids[0]}`)).status).toBe(404);
    expect((await third.ask('DELETE', '/auth/sessions')).json).toEqual({ revoked: 1 });
    expect(await second.isSignedIn()).toBe(false);
    expect(await third.isSignedIn()).toBe(true);
    expect((await third.ask('DELETE', '/auth/sessions?include=everything')).status).toBe(400);
    expect((await third.ask('DELETE', '/auth/sessions?include=current')).json).toEqual({ revoked: 1 });
    expect(third.sealed).toBe('');
    expect(await bob.isSignedIn()).toBe(true);
  });

  it('take the cookie of a client that ends its own', async () => {
    const { id } = await alice.login('alice');
    expect((await alice.ask('DELETE', `/auth/sessions/${id}`)).status).toBe(204);
    expect([...alice.cookies.keys()]).toEqual([DEVICE_COOKIE]);
  });

  it('hold what a role allows', async () => {
    await alice.login('alice');
    expect((await alice.get('/api/admin/sessions')).json).toMatchObject({ statusCode: 403, code: 'forbidden' });
    expect((await bank.client().get('/api/admin/sessions')).status).toBe(401);
    const admin = bank.client();
    await admin.login('admin');
    const all = (await admin.get('/api/admin/sessions')).json as { userId: string }[];
    expect(all.map((session) => session.userId).sort()).toEqual(['admin', 'alice']);
  });

  it('have at most three to a user: the oldest goes', async () => {
    const devices = [1, 2, 3, 4].map(() => bank.client());
    for (const device of devices) {
      await device.login('alice');
      bank.clock.advance(1000);
    }
    expect(await Promise.all(devices.map((device) => device.isSignedIn()))).toEqual([false, true, true, true]);
    expect(bank.events.filter((event) => event.type === 'session.evicted')).toHaveLength(1);
  });

  it('carry a transfer and refuse a malformed one', async () => {
    expect((await alice.post('/api/transfer', { to: 'bob', amount: 10 })).status).toBe(401);
    await alice.login('alice');
    const done = await alice.post('/api/transfer', { to: 'bob', amount: 10 });
    expect([done.status, done.json]).toEqual([201, { status: 'success' }]);
    expect((await alice.post('/api/transfer', { to: 'bob', amount: -1 })).status).toBe(400);
  });
});

const CHROME =
  'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36';
