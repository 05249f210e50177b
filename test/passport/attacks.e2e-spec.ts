import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { AuthGuard, PassportStrategy } from '@nestjs/passport';
import {
  Body,
  Controller,
  Get,
  Inject,
  Injectable,
  Patch,
  Post,
  Req,
  Res,
  UseGuards,
  type MiddlewareConsumer,
} from '@nestjs/common';
import type { RequestHandler, Response } from 'express';
import { promisify } from 'node:util';
import { Passport } from 'passport';
import { Strategy as LocalStrategy } from 'passport-local';
import { Strategy as OAuth2Strategy } from 'passport-oauth2';
import {
  CsrfProtected,
  MemoryLoginThrottleStore,
  MemorySessionStore,
  SessionAuthService,
  type EndedSession,
  type UpdateOutcome,
} from 'nestjs-session-auth';
import { SessionPassport, SessionStateStore } from 'nestjs-session-auth/passport';
import { AuthorizationServer } from '../support/authorization-server.js';
import { PRE_SESSION_COOKIE, SESSION_COOKIE, type BankClient } from '../support/bank-client.js';
import { openBackend, type Backend } from '../support/bank.js';
import { closeApps } from '../support/door-app.js';
import { PEOPLE, startPassport, type Asked, type Handler, type PassportApp } from '../support/passport-app.js';

const assign: Handler = (request, response) => {
  Object.assign(request.session, request.body);
  response.json({});
};

const logIn: Handler = async (request, response) => {
  const { as = 'alice', keepSessionInfo } = request.query as Record<string, string>;
  const options = { keepSessionInfo: keepSessionInfo !== undefined };
  await promisify((done: (error?: unknown) => void) => request.logIn(PEOPLE[as]!, options, done))();
  response.json(request.session);
};

const logOut: Handler = (request, response, _, next) =>
  request.logout((error) => (error === undefined ? response.json({}) : next(error)));

describe('fixation', () => {
  afterEach(closeApps);

  it.each(['view', 'plain'])('gives a login a new token, and ends the one from before, on /%s', async (place) => {
    const { client } = await startPassport({ handlers: { assign, logIn } });
    const attacker = client();
    await attacker.post('/view/assign', { planted: true });
    const { cookie } = attacker;
    const victim = client();
    for (const [name, value] of attacker.cookies) victim.cookies.set(name, value);
    await victim.get(`/${place}/logIn`);
    expect((await victim.get('/plain/user')).json).toMatchObject({ isAuthenticated: true });
    expect((await client().get('/plain/user', { cookie })).json).toMatchObject({ isAuthenticated: false });
    // nor has the victim what the attacker has put there
    expect((await victim.get('/plain/stored')).json).toEqual({});
  });

  it('keeps what was there by keepSessionInfo, and never what was another user’s', async () => {
    const { client } = await startPassport({ handlers: { assign, logIn } });
    const browser = client();
    await browser.post('/view/assign', { returnTo: '/cart' });
    expect((await browser.get('/view/logIn?keepSessionInfo')).json).toEqual({ returnTo: '/cart' });
    expect((await browser.get('/plain/stored')).json).toEqual({ returnTo: '/cart' });
    expect((await browser.get('/view/logIn?as=bob&keepSessionInfo')).json).toEqual({});
    expect((await browser.get('/plain/stored')).json).toEqual({});
  });

  /** A store that fails in what it is told to, as one that goes away in the middle of a login. */
  class FailingStore extends MemorySessionStore {
    readonly failing = new Set<string>();

    override async update(...given: Parameters<MemorySessionStore['update']>): Promise<UpdateOutcome> {
      if (this.failing.has('update')) throw new Error('the store is down');
      return super.update(...given);
    }

    override async delete(...given: Parameters<MemorySessionStore['delete']>): Promise<EndedSession | undefined> {
      if (this.failing.has('delete')) throw new Error('the store is down');
      return super.delete(...given);
    }
  }

  /** A login whose errors the application overlooks. */
  const carelessly: Handler = (request, response) =>
    request.logIn(PEOPLE['alice']!, () => response.json({ user: request.user ?? null }));

  describe.each(['view', 'plain'])('and a store that goes away in the middle of a login on /%s', (place) => {
    it.each(['update', 'delete'])('leaves nobody signed in with what was planted: %s', async (operation) => {
      const store = new FailingStore();
      const { client } = await startPassport({
        storage: { sessions: { useValue: store } },
        handlers: { assign, carelessly },
      });
      const attacker = client();
      await attacker.post('/view/assign', { planted: true });
      const victim = client();
      for (const [name, value] of attacker.cookies) victim.cookies.set(name, value);
      store.failing.add(operation);
      await victim.get(`/${place}/carelessly`);
      store.failing.clear();
      const { isAuthenticated } = (await victim.get('/plain/user')).json as { isAuthenticated: boolean };
      const stored = (await victim.get('/plain/stored')).json;
      // without the session of before the victim has none; with it they are not signed in
      expect([isAuthenticated, stored]).toEqual(operation === 'update' ? [true, {}] : [false, { planted: true }]);
    });

    it('drops what was in a session of the same user, and the session', async () => {
      const store = new FailingStore();
      const { client } = await startPassport({
        storage: { sessions: { useValue: store } },
        handlers: { assign, carelessly },
      });
      const alice = client();
      await alice.get('/plain/enter');
      await alice.post('/view/assign', { planted: true });
      const { cookie } = alice;
      store.failing.add('update');
      await alice.get(`/${place}/carelessly`);
      expect((await alice.get('/plain/user')).json).toMatchObject({ user: { id: 'alice' } });
      expect((await alice.get('/plain/stored')).json).toEqual({});
      expect((await client().get('/plain/user', { cookie })).json).toMatchObject({ isAuthenticated: false });
    });
  });

  it('takes no place of another device at the limit when a user logs in again', async () => {
    const { client, clock } = await startPassport({ handlers: { assign, logIn } });
    const devices = Array.from({ length: 5 }, client);
    for (const device of devices) {
      await device.get('/plain/logIn');
      await device.post('/view/assign', { kept: true });
      clock.advance(1000);
    }
    await devices[4]!.get('/plain/logIn');
    for (const device of devices) {
      expect((await device.get('/plain/user')).json).toMatchObject({ isAuthenticated: true });
    }
  });

  it('has a form of a signed-in user sent twice: both answers have a token that works', async () => {
    const { client, clock } = await startPassport({ handlers: { assign, logIn } });
    const browser = client();
    await browser.get('/plain/logIn');
    await browser.post('/view/assign', { kept: true });
    clock.advance(60_000);
    const twice = [client(), client()];
    for (const each of twice) for (const [name, value] of browser.cookies) each.cookies.set(name, value);
    await Promise.all(twice.map((each) => each.get('/plain/logIn')));
    for (const each of twice) {
      expect((await each.get('/plain/user')).json).toMatchObject({ isAuthenticated: true });
    }
  });

  it('does not hand over by a login of the service what was another user’s', async () => {
    const { client } = await startPassport({
      handlers: {
        assign,
        swap: async (request, response, auth) => {
          (request.session['cart'] as string[]).push('of alice');
          await auth.loginUser(request, PEOPLE['bob']!);
          response.json({});
        },
      },
    });
    const browser = client();
    await browser.get('/plain/enter');
    await browser.post('/view/assign', { cart: ['first'] });
    await browser.get('/view/swap');
    expect((await browser.get('/plain/user')).json).toMatchObject({ user: { id: 'bob' } });
    expect((await browser.get('/plain/stored')).json).toEqual({});
  });
});

/** Merges a body into the session's data by the library itself, as an application may do. */
@Controller('preferences')
class PreferencesController {
  constructor(@Inject(SessionAuthService) private readonly auth: SessionAuthService) {}

  @Patch()
  async save(@Req() request: object, @Body() body: Record<string, unknown>): Promise<void> {
    await (await this.auth.ensureSession(request)).update(body);
  }
}

describe('mass assignment', () => {
  afterEach(closeApps);

  /** What remains of passport's own sessions in an application that was not cleaned up. */
  const passport = new Passport();
  passport.deserializeUser((id: string, done) => done(null, PEOPLE[id]));
  const leftovers = [passport.initialize(), passport.session()] as unknown as RequestHandler[];
  const planted = { passport: { user: 'bob' } };

  it.each(['PATCH /preferences', 'POST /view/assign'])(
    'signs nobody in by a passport.user in data: %s',
    async (how) => {
      const { client } = await startPassport({
        handlers: { assign },
        behind: leftovers,
        module: { controllers: [PreferencesController] },
      });
      const [method = '', path = ''] = how.split(' ');
      for (const enters of [false, true]) {
        const browser = client();
        if (enters) await browser.get('/plain/enter');
        await browser.ask(method, path, { body: { ...planted, other: 1 } });
        const { json } = await browser.get('/view/user');
        expect(json).toMatchObject({ isAuthenticated: enters });
        expect(JSON.stringify(json)).not.toContain('bob');
        expect((await browser.get('/view/data')).json).toEqual({ other: 1 });
      }
    },
  );

  it('signs nobody in within the request that plants it', async () => {
    const plant: RequestHandler = (request, _, next) => {
      Object.assign((request as unknown as Asked).session, planted);
      next();
    };
    const { client } = await startPassport({ behind: [plant, ...leftovers] });
    expect((await client().get('/view/user')).json).toEqual({ user: null, isAuthenticated: false });
  });

  it('replaces no method of the session, nor where it has them from', async () => {
    const { client } = await startPassport({
      handlers: {
        assign,
        save: (request, response) => void request.session.save(() => response.json(request.session)),
      },
      module: { controllers: [PreferencesController] },
    });
    const browser = client();
    const names = { save: 1, regenerate: 1, destroy: 1, touch: 1, id: 1, constructor: 1, toString: 1 };
    await browser.ask('PATCH', '/preferences', { body: { ...names, kept: 1 } });
    expect((await browser.get('/view/save')).json).toEqual({ kept: 1 });
    await browser.post('/view/assign', '{"__proto__":{"isAdmin":true},"more":1}');
    expect((await browser.get('/view/save')).json).toEqual({ kept: 1, more: 1 });
    const admin: Handler = (request, response) => {
      Object.assign(request.session, JSON.parse('{"__proto__":{"isAdmin":true,"save":1}}'));
      response.json({ isAdmin: request.session['isAdmin'] ?? null, save: typeof request.session.save });
    };
    const other = await startPassport({ handlers: { admin } });
    expect((await other.client().get('/view/admin')).json).toEqual({ isAdmin: null, save: 'function' });
  });
});

describe('logout by GET', () => {
  afterEach(closeApps);

  it.each<[string, Record<string, string>, number]>([
    ['a link of our own', { 'sec-fetch-site': 'same-origin', 'sec-fetch-mode': 'navigate' }, 200],
    ['an address that was typed', { 'sec-fetch-site': 'none', 'sec-fetch-mode': 'navigate' }, 200],
    ['no browser', {}, 200],
    ['a link of another site', { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate' }, 403],
    ['an image of a sibling', { 'sec-fetch-site': 'same-site', 'sec-fetch-mode': 'no-cors' }, 403],
    ['a page of another origin in an old browser', { referer: 'https://attacker.example/' }, 403],
  ])('is done for %s, or refused', async (_, headers, status) => {
    const { client } = await startPassport({ handlers: { logOut } });
    for (const place of ['view', 'plain']) {
      const alice = client();
      await alice.get('/plain/enter');
      const { cookie } = alice;
      expect((await alice.get(`/${place}/logOut`, { headers })).status).toBe(status);
      const { json } = await client().get('/plain/user', { cookie });
      expect(json).toMatchObject({ isAuthenticated: status === 403 });
    }
  });
});

describe('logout by POST, where no guard asks for a CSRF token', () => {
  afterEach(closeApps);

  const form = { 'sec-fetch-mode': 'navigate' };

  it.each<[string, Record<string, string>, number]>([
    ['a form of our own', { ...form, 'sec-fetch-site': 'same-origin' }, 200],
    ['a form of our own that hides its origin', { ...form, 'sec-fetch-site': 'same-origin', origin: 'null' }, 200],
    ['no browser', {}, 200],
    ['a form of another site', { ...form, 'sec-fetch-site': 'cross-site', origin: 'https://attacker.example' }, 403],
    ['a form of a page in a sandbox', { ...form, 'sec-fetch-site': 'cross-site', origin: 'null' }, 403],
    ['a form of another site in an old browser', { origin: 'https://attacker.example' }, 403],
  ])('is done for %s, or refused', async (_, headers, status) => {
    const { client } = await startPassport({ handlers: { logOut } });
    for (const place of ['view', 'plain']) {
      // such a form comes without the cookies, which are lax: the answer would have the browser clear them
      const answer = await client().post(`/${place}/logOut`, {}, { headers, csrf: false });
      expect([answer.status, 'clear-site-data' in answer.headers]).toEqual([status, status === 200]);
    }
  });
});

describe('req.session.destroy by GET', () => {
  afterEach(closeApps);

  const destroy: Handler = (request, response, _, next) =>
    request.session.destroy((error) => (error === undefined ? response.json({}) : next(error)));

  it.each<[string, Record<string, string>, number]>([
    ['a link of our own', { 'sec-fetch-site': 'same-origin', 'sec-fetch-mode': 'navigate' }, 200],
    ['no browser', {}, 200],
    ['a link of another site', { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate' }, 403],
  ])('is done for %s, or refused', async (_, headers, status) => {
    const { client } = await startPassport({ handlers: { destroy } });
    const alice = client();
    await alice.get('/plain/enter');
    const { cookie } = alice;
    expect((await alice.get('/view/destroy', { headers })).status).toBe(status);
    const { json } = await client().get('/plain/user', { cookie });
    expect(json).toMatchObject({ isAuthenticated: status === 403 });
  });
});

describe('login CSRF', () => {
  afterEach(closeApps);

  @Injectable()
  class Local extends PassportStrategy(LocalStrategy, 'csrf-local') {
    validate(name: string, password: string): object | undefined {
      return password === 'right' ? PEOPLE[name] : undefined;
    }
  }

  @Controller('local')
  class LocalController {
    @CsrfProtected()
    @UseGuards(AuthGuard('csrf-local'))
    @Post()
    async login(@Req() request: Asked): Promise<void> {
      const { user } = request;
      await promisify((done: (error?: unknown) => void) => request.logIn(user!, done))();
    }
  }

  it('is refused by the token of the form, with passport-local', async () => {
    const { client } = await startPassport({ module: { controllers: [LocalController], providers: [Local] } });
    const victim = client();
    const body = { username: 'bob', password: 'right' };
    expect(await victim.post('/local', body, { csrf: false })).toMatchObject({
      status: 403,
      json: { code: 'csrf_failed' },
    });
    const attacker = client();
    expect((await victim.post('/local', body, { csrf: await attacker.csrfToken() })).status).toBe(403);
    expect(victim.cookies.has(SESSION_COOKIE)).toBe(false);
    expect((await victim.post('/local', { ...body, password: 'wrong' })).status).toBe(401);
    expect((await victim.post('/local', body)).status).toBe(201);
    expect((await victim.get('/plain/guarded/user')).status).toBe(200);
  });
});

describe.each(['memory', 'redis', 'postgres'] as const)('a state of SessionStateStore, on %s', (name) => {
  let provider: AuthorizationServer;
  let backend: Backend;
  let started: PassportApp;
  let throttle: MemoryLoginThrottleStore | undefined;

  @Injectable()
  class Provider extends PassportStrategy(OAuth2Strategy, 'state-provider') {
    constructor(store: SessionStateStore) {
      super({
        authorizationURL: `${provider.origin}/authorize`,
        tokenURL: `${provider.origin}/token`,
        clientID: 'the-client',
        clientSecret: 'a secret',
        callbackURL: '/oauth/callback',
        pkce: true,
        state: true,
        store,
      });
    }

    validate(): object {
      return PEOPLE[provider.user]!;
    }
  }
  Reflect.defineMetadata('design:paramtypes', [SessionStateStore], Provider);

  @Controller('oauth')
  class OAuthController {
    @UseGuards(AuthGuard('state-provider'))
    @Get('login')
    login(): void {
      // the guard leads to the provider
    }

    @UseGuards(AuthGuard('state-provider'))
    @Get('callback')
    async callback(@Req() request: Asked, @Res() response: Response): Promise<void> {
      const { user } = request;
      await promisify((done: (error?: unknown) => void) => request.logIn(user!, done))();
      response.redirect('/');
    }
  }

  beforeAll(async () => {
    provider = await AuthorizationServer.start();
    backend = await openBackend(name);
    throttle = name === 'memory' ? new MemoryLoginThrottleStore() : undefined;
    const storage = { ...backend.storage, ...(throttle && { throttle: { useValue: throttle } }) };
    started = await startPassport({ storage, module: { controllers: [OAuthController], providers: [Provider] } });
  });
  afterAll(async () => {
    await closeApps();
    await backend.close();
    await provider.close();
  });

  const begin = async (browser: BankClient): Promise<string> =>
    provider.visit((await browser.get('/oauth/login')).headers.location!);

  it('signs in the browser that it was made for', async () => {
    const browser = started.client();
    const back = await begin(browser);
    expect((await browser.get(back)).status).toBe(302);
    expect((await browser.get('/plain/user')).json).toMatchObject({ user: { id: 'alice' } });
  });

  it('works once, even if the browser keeps its cookies', async () => {
    const browser = started.client();
    const back = await begin(browser);
    const { cookie } = browser;
    expect((await browser.get(back, { cookie })).status).toBe(302);
    const before = provider.redeemed.length;
    const respelled = back.replace(/(state=[^&]*)/, '$1%3D');
    for (const path of [back, respelled]) expect((await started.client().get(path, { cookie })).status).toBe(401);
    expect(provider.redeemed).toHaveLength(before);
  });

  it('is good once for two requests at the same time', async () => {
    const browser = started.client();
    const back = await begin(browser);
    const { cookie } = browser;
    const answers = await Promise.all([1, 2, 3].map(() => started.client().get(back, { cookie })));
    expect(answers.map(({ status }) => status).sort()).toEqual([302, 401, 401]);
  });

  it('is refused in another browser, with a cookie of its own and without (login CSRF)', async () => {
    const attacker = started.client();
    const back = await begin(attacker);
    const victim = started.client();
    expect((await victim.get(back)).status).toBe(401);
    await begin(victim);
    expect(victim.cookies.has(PRE_SESSION_COOKIE)).toBe(true);
    expect((await victim.get(back)).status).toBe(401);
    expect((await victim.get('/plain/user')).json).toMatchObject({ isAuthenticated: false });
  });

  it('is refused when it was altered, cut, or is not a state', async () => {
    const browser = started.client();
    const back = new URL(await begin(browser), 'http://localhost');
    const state = back.searchParams.get('state')!;
    const middle = state.length / 2;
    const flipped = state.slice(0, middle) + (state[middle] === 'A' ? 'B' : 'A') + state.slice(middle + 1);
    for (const wrong of [flipped, state.slice(0, -8), '', 'x', 'A'.repeat(64)]) {
      back.searchParams.set('state', wrong);
      expect((await browser.get(back.pathname + back.search)).status).toBe(401);
    }
    back.searchParams.delete('state');
    expect((await browser.get(back.pathname + back.search)).status).toBe(401);
  });

  it('redeems no code by the verifier of another login (PKCE)', async () => {
    const attacker = started.client();
    const stolen = new URL(await begin(started.client()), 'http://localhost').searchParams.get('code')!;
    const own = new URL(await begin(attacker), 'http://localhost');
    own.searchParams.set('code', stolen);
    expect((await attacker.get(own.pathname + own.search)).status).toBeGreaterThanOrEqual(400);
    expect(provider.redeemed.at(-1)!.get('code')).toBe(stolen);
    expect((await attacker.get('/plain/user')).json).toMatchObject({ isAuthenticated: false });
  });

  it('shows no verifier on the way', async () => {
    const browser = started.client();
    const { headers } = await browser.get('/oauth/login');
    const state = new URL(headers.location!).searchParams.get('state')!;
    await browser.get(await provider.visit(headers.location!));
    const verifier = provider.redeemed.at(-1)!.get('code_verifier')!;
    expect(verifier).toMatch(/^[\w-]{43}$/);
    expect(Buffer.from(state, 'base64url').toString('latin1')).not.toContain(verifier);
  });

  it('is over after an hour', async () => {
    const browser = started.client();
    const back = await begin(browser);
    started.clock.advance(60 * 60_000);
    expect((await browser.get(back)).status).toBe(401);
  });

  it('is refused with 503 where its use cannot be counted', async () => {
    if (throttle === undefined) return;
    const browser = started.client();
    const back = await begin(browser);
    const add = throttle.add.bind(throttle);
    throttle.add = () => Promise.reject(new Error('the store is down'));
    expect(await browser.get(back)).toMatchObject({ status: 503, json: { code: 'session_store_unavailable' } });
    throttle.add = add;
  });

  it('is refused for another provider or client (mix-up)', async () => {
    const store = new SessionStateStore();
    const mixed: Record<string, Handler> = {
      make: (request, response) =>
        store.store(request, 'v', { a: 1 }, { clientID: 'one' }, (_, state) => response.json({ state })),
      look: (request, response) => {
        const { state, of } = request.query as Record<string, string>;
        const meta = of === undefined ? undefined : { clientID: of };
        store.verify(request, state, meta, (_, ok, value) => response.json({ ok, value }));
      },
      old: (request, response) =>
        (store.verify as unknown as (...args: unknown[]) => void)(
          request,
          request.query['state'],
          (_: unknown, ok: unknown) => response.json({ ok }),
        ),
    };
    const { client } = await startPassport({ handlers: mixed });
    const browser = client();
    const make = async (): Promise<string> => ((await browser.get('/plain/make')).json as { state: string }).state;
    expect((await browser.get(`/plain/look?of=two&state=${await make()}`)).json).toMatchObject({ ok: false });
    expect((await browser.get(`/plain/look?of=one&state=${await make()}`)).json).toEqual({ ok: 'v', value: { a: 1 } });
    expect((await browser.get(`/plain/look?state=${await make()}`)).json).toMatchObject({ ok: 'v' });
    expect((await browser.get(`/plain/old?state=${await make()}`)).json).toEqual({ ok: 'v' });
  });
});

describe('visitors without a cookie who begin a login', () => {
  const HOUR = 60 * 60_000;
  let backend: Backend;

  beforeAll(async () => {
    backend = await openBackend('redis');
  });
  afterEach(closeApps);
  afterAll(() => backend.close());

  it('leave a record each for an hour with a state in req.session, and none with SessionStateStore', async () => {
    const store = new SessionStateStore();
    const { client } = await startPassport({
      storage: backend.storage,
      handlers: {
        // as passport-oauth2 does without a store
        remember: (request, response) => {
          request.session['oauth2:provider'] = { state: { handle: 'x'.repeat(24) } };
          response.json({});
        },
        seal: (request, response) =>
          store.store(request, 'v', undefined, { clientID: 'one' }, (_, state) => response.json({ state })),
      },
    });
    const keys = (): Promise<string[]> => backend.redis!.keys(`${backend.namespace}*`);
    for (let visit = 0; visit < 5; visit += 1) expect((await client().get('/plain/seal')).status).toBe(200);
    expect(await keys()).toEqual([]);
    for (let visit = 0; visit < 5; visit += 1) expect((await client().get('/view/remember')).status).toBe(200);
    const made = await keys();
    expect(made).toHaveLength(5);
    for (const key of made) {
      const left = await backend.redis!.pttl(key);
      expect([left > 0, left <= HOUR]).toEqual([true, true]);
    }
    const browser = client();
    for (let visit = 0; visit < 5; visit += 1) await browser.get('/view/remember');
    expect(await keys()).toHaveLength(6);
  });
});

describe('SessionPassport', () => {
  afterEach(closeApps);

  it('shows no session of another realm', async () => {
    class OfficeView {
      configure(consumer: MiddlewareConsumer): void {
        consumer.apply(SessionPassport).forRoutes('plain/*path');
      }
    }
    const { SessionAuthModule } = await import('nestjs-session-auth');
    const { People } = await import('../support/passport-app.js');
    const { SECRETS } = await import('../support/door-app.js');
    const staff = SessionAuthModule.forRoot({
      realm: 'staff',
      secrets: SECRETS,
      users: { useClass: People },
      cleanup: false,
    });
    const { client } = await startPassport({ handlers: { assign }, module: { imports: [staff, OfficeView] } });
    const alice = client();
    await alice.post('/view/assign', { a: 1 });
    await alice.get('/plain/enter');
    const moved = alice.cookies.get(SESSION_COOKIE)!;
    const thief = client();
    thief.cookies.set('__Host-staff-session', moved);
    expect((await thief.get('/view/user')).json).toEqual({ user: null, isAuthenticated: false });
    expect((await thief.get('/view/data')).json).toEqual({});
  });
});
