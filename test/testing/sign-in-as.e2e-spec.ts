import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { Server } from 'node:http';
import { Controller, Get, UseGuards, type INestApplication } from '@nestjs/common';
import { RequireFactor, RequireFullAuth, RequireRecentAuth, SessionAuthGuard } from 'nestjs-session-auth';
import { signInAs } from 'nestjs-session-auth/testing';
import request from 'supertest';
import { EVERYWHERE, openBackend, startBank, type Backend, type Bank, type BankSetup } from '../support/bank.js';
import * as door from '../support/door-app.js';

@Controller('doors')
@UseGuards(SessionAuthGuard)
class DoorsController {
  @Get('full')
  @RequireFullAuth()
  full(): object {
    return {};
  }

  @Get('factor')
  @RequireFactor('totp', '10m')
  factor(): object {
    return {};
  }

  @Get('recent')
  @RequireRecentAuth('10m')
  recent(): object {
    return {};
  }
}

const serverOf = (app: INestApplication): Server => app.getHttpServer() as Server;
const DAY = 24 * 60 * 60_000;
const ALICE = { id: 'alice', email: 'alice@example.com', roles: ['customer'] };

describe.each(EVERYWHERE)('signInAs on $adapter with $store', ({ adapter, store }) => {
  let backend: Backend;
  let bank: Bank;

  beforeAll(async () => {
    backend = await openBackend(store);
  });

  afterAll(() => backend.close());
  afterEach(() => bank.close());

  async function start(options: BankSetup['options'] = {}): Promise<Bank> {
    bank = await startBank({ adapter, backend, options, module: { controllers: [DoorsController] } });
    return bank;
  }

  const status = async (path: string, headers: Readonly<Record<string, string>>): Promise<number> =>
    (await fetch(`http://127.0.0.1:${bank.port}${path}`, { headers })).status;

  it('is one line for fetch', async () => {
    const { app, port } = await start();
    const { headers } = await signInAs(app, 'alice@example.com');
    const me = await fetch(`http://127.0.0.1:${port}/api/me`, { headers });
    expect(await me.json()).toEqual({ userId: 'alice', email: 'alice@example.com', roles: ['customer'] });
    const body = JSON.stringify({ to: 'bob', amount: 1 });
    const transfer = (given: object): Promise<Response> =>
      fetch(`http://127.0.0.1:${port}/api/transfer`, {
        method: 'POST',
        headers: { ...given, 'content-type': 'application/json' },
        body,
      });
    expect((await transfer(headers)).status).toBe(201);
    expect((await transfer({ cookie: headers['cookie'] })).status).toBe(403);
  });

  it('is one line for supertest, with the roles that the test gives the user', async () => {
    const { app } = await start();
    const admin = await signInAs(app, { ...ALICE, roles: ['admin'] });
    const answer = await request(serverOf(app)).get('/api/admin/sessions').set('Cookie', admin.cookie).expect(200);
    expect((answer.body as { id: string }[]).map(({ id }) => id)).toContain(admin.session.id);
    const alice = await signInAs(app, ALICE);
    await request(serverOf(app)).get('/api/admin/sessions').set(alice.headers).expect(403);
  });

  it('makes a session of the application’s own: its limit holds, its logout ends it', async () => {
    const { app, events } = await start({ concurrency: 1 });
    const first = await signInAs(app, ALICE);
    const second = await signInAs(app, ALICE);
    expect([await status('/api/me', first.headers), await status('/api/me', second.headers)]).toEqual([401, 200]);
    await request(serverOf(app)).post('/auth/logout').set(second.headers).expect(204);
    expect(await status('/api/me', second.headers)).toBe(401);
    expect(events.map(({ type }) => type)).toEqual(
      expect.arrayContaining(['session.created', 'session.evicted', 'session.destroyed']),
    );
  });

  it('follows the names of cookie, header and field that the application has', async () => {
    const { app } = await start({ cookie: { name: 'bank-id', secure: false }, csrf: { header: 'x-guard' } });
    const { cookie, headers, csrfToken } = await signInAs(app, ALICE);
    expect(cookie).toMatch(/^bank-id=[\w-]+$/);
    expect(headers).toEqual({ cookie, 'x-guard': csrfToken });
    await request(serverOf(app)).patch('/api/preferences').set(headers).send({ a: 1 }).expect(200, { a: 1 });
  });

  it('makes a session that has proved further factors', async () => {
    const { app } = await start();
    const proved = await signInAs(app, ALICE, { factors: ['passkey', 'totp'] });
    expect(Object.keys(proved.session.factors)).toEqual(['passkey', 'totp']);
    expect(await status('/doors/factor', proved.headers)).toBe(200);
    await request(serverOf(app)).patch('/api/preferences').set(proved.headers).send({ a: 1 }).expect(200);
    expect(await status('/doors/factor', (await signInAs(app, ALICE)).headers)).toBe(401);
  });

  it('binds the session to the given headers, or to none', async () => {
    const { app } = await start();
    const free = await signInAs(app, ALICE);
    expect(await status('/api/me', { ...free.headers, 'user-agent': 'one' })).toBe(200);
    expect(await status('/api/me', { ...free.headers, 'user-agent': 'another' })).toBe(200);
    const bound = await signInAs(app, ALICE, { headers: { 'User-Agent': 'Phone/1.0' } });
    expect(bound.session.userAgent).toBe('Phone/1.0');
    expect(await status('/api/me', bound.headers)).toBe(200);
    expect(await status('/api/me', { ...bound.headers, 'user-agent': 'another' })).toBe(401);
    expect(await status('/api/me', bound.headers)).toBe(401);
  });

  it('takes how and when the user has signed in, from where, and what the session holds', async () => {
    const { app, clock } = await start();
    const full = await signInAs(app, ALICE, { ip: '192.0.2.7', data: { theme: 'dark' } });
    expect(full.session).toMatchObject({ ip: '192.0.2.7', authentication: 'password', data: { theme: 'dark' } });
    await request(serverOf(app)).get('/api/preferences').set(full.headers).expect(200, { theme: 'dark' });
    expect([await status('/doors/full', full.headers), await status('/doors/recent', full.headers)]).toEqual([
      200, 200,
    ]);
    const remembered = await signInAs(app, ALICE, { authentication: 'remember-me' });
    expect(await status('/doors/full', remembered.headers)).toBe(401);
    const old = await signInAs(app, ALICE, { authenticatedAt: new Date(clock.now() - DAY) });
    expect([await status('/doors/full', old.headers), await status('/doors/recent', old.headers)]).toEqual([200, 401]);
  });
});

describe('signInAs', () => {
  afterEach(door.closeApps);

  it('takes any user, and a login name only of one that the application knows', async () => {
    await door.start(door.forRoot({ imports: [door.UsersModule], users: { useExisting: door.Users } }));
    const [app] = door.apps;
    await expect(signInAs(app!, 'nobody@example.com')).rejects.toMatchObject({ code: 'not_found' });
    const { cookie } = await signInAs(app!, { id: 7 });
    await request(serverOf(app!)).get('/guarded').set({ cookie }).expect(200, { userId: '7' });
  });

  it('says what a login name needs', async () => {
    await door.start(door.forRoot());
    await expect(signInAs(door.apps[0]!, 'alice@example.com')).rejects.toMatchObject({
      code: 'not_configured',
      message: expect.stringContaining('users'),
    });
  });
});
