import { afterEach, beforeAll, afterAll, describe, expect, it } from '@jest/globals';
import flash from 'connect-flash';
import type { RequestHandler } from 'express';
import grant from 'grant';
import { Passport } from 'passport';
import { Strategy, type StrategyOptions } from 'passport-oauth2';
import { SessionStateStore } from 'nestjs-session-auth/passport';
import { AuthorizationServer } from '../support/authorization-server.js';
import type { BankClient } from '../support/bank-client.js';
import { closeApps } from '../support/door-app.js';
import { PEOPLE, startPassport, type Handler, type PassportApp } from '../support/passport-app.js';

afterEach(closeApps);

describe('connect-flash on req.session', () => {
  /** What the handlers of its own test suite do, each in a request of its own. */
  const handlers: Record<string, Handler> = {
    put: (request, response) => {
      const counts = (request.body as [string, string | string[]][]).map(([type, text]) => request.flash(type, text));
      response.json(counts);
    },
    take: (request, response) => response.json(request.flash(request.query['type'] as string | undefined)),
    format: (request, response) => {
      (request.flash as (...args: unknown[]) => unknown)('info', 'email has been sent to %s.', 'Ada');
      response.redirect('/');
    },
  };
  const start = (): Promise<PassportApp> => startPassport({ handlers, behind: [flash()] });

  it.each<[string, [string, string | string[]][], [string, unknown][]]>([
    ['one message', [['error', 'wrong']], [['?type=error', ['wrong']]]],
    [
      'several of a type, and none the second time',
      [
        ['info', 'one'],
        ['info', 'two'],
      ],
      [
        ['?type=info', ['one', 'two']],
        ['?type=info', []],
      ],
    ],
    [
      'types one after the other',
      [
        ['info', 'one'],
        ['notice', 'two'],
      ],
      [
        ['?type=info', ['one']],
        ['?type=notice', ['two']],
      ],
    ],
    [
      'all at once, and none the second time',
      [
        ['error', 'one'],
        ['error', 'two'],
        ['notice', 'three'],
      ],
      [
        ['', { error: ['one', 'two'], notice: ['three'] }],
        ['', {}],
      ],
    ],
    ['a list', [['info', ['one', 'two']]], [['?type=info', ['one', 'two']]]],
    ['none of a type that nobody has put', [['info', 'one']], [['?type=what', []]]],
  ])('hands over %s', async (_, put, taken) => {
    const visitor = (await start()).client();
    await visitor.post('/view/put', put);
    for (const [query, messages] of taken) expect((await visitor.get(`/view/take${query}`)).json).toEqual(messages);
  });

  it('counts messages, and formats them', async () => {
    const visitor = (await start()).client();
    expect(
      (
        await visitor.post('/view/put', [
          ['info', 'one'],
          ['info', 'two'],
        ])
      ).json,
    ).toEqual([1, 2]);
    await visitor.get('/view/take');
    expect((await visitor.get('/view/format')).status).toBe(302);
    expect((await visitor.get('/view/take')).json).toEqual({ info: ['email has been sent to Ada.'] });
  });

  it('makes no session for a visitor who has no message', async () => {
    const visitor = (await start()).client();
    expect((await visitor.get('/view/take')).setCookies).toEqual([]);
    expect((await visitor.get('/view/take?type=error')).setCookies).toEqual([]);
  });

  it('says goodbye after a logout, to a session of nobody that the browser keeps', async () => {
    const goodbye: Handler = (request, response) =>
      request.logout(() => {
        request.flash('info', 'goodbye');
        response.redirect('/');
      });
    const { client } = await startPassport({
      handlers: { ...handlers, goodbye },
      behind: [flash()],
    });
    const alice = client();
    await alice.get('/plain/enter');
    const left = await alice.get('/view/goodbye');
    expect(left.headers['clear-site-data']).toBe('"storage"');
    expect((await alice.get('/view/take')).json).toEqual({ info: ['goodbye'] });
    expect((await alice.get('/view/user')).json).toEqual({ user: null, isAuthenticated: false });
  });

  it('works with failureFlash and successFlash of passport', async () => {
    const { Strategy: LocalStrategy } = await import('passport-local');
    const passport = new Passport();
    passport.use(
      new LocalStrategy((name, password, done) =>
        password === 'right'
          ? done(null, PEOPLE[name], { message: 'welcome' })
          : done(null, false, { message: 'wrong' }),
      ),
    );
    const options = { successRedirect: '/in', failureRedirect: '/login', failureFlash: true, successFlash: true };
    const login: Handler = (request, response, _, next) =>
      (passport.authenticate('local', options) as RequestHandler)(request as never, response, next);
    const { client } = await startPassport({
      handlers: { ...handlers, login },
      behind: [flash()],
    });
    const alice = client();
    const ask = (password: string): Promise<{ headers: object }> =>
      alice.post('/view/login', { username: 'alice', password });
    expect((await ask('false')).headers).toMatchObject({ location: '/login' });
    expect((await alice.get('/view/take')).json).toEqual({ error: ['wrong'] });
    expect((await ask('right')).headers).toMatchObject({ location: '/in' });
    expect((await alice.get('/plain/guarded/user')).status).toBe(200);
  });
});

describe('passport-oauth2', () => {
  let provider: AuthorizationServer;
  beforeAll(async () => {
    provider = await AuthorizationServer.start();
  });
  afterAll(() => provider.close());

  const strategy = (port: () => number, options: Partial<StrategyOptions>): Strategy => {
    const made = new Strategy(
      {
        authorizationURL: `${provider.origin}/authorize`,
        tokenURL: `${provider.origin}/token`,
        clientID: 'the-client',
        clientSecret: 'a secret',
        callbackURL: `http://127.0.0.1:${port()}/${options.store === undefined || options.store === (true as never) ? 'view' : 'plain'}/callback`,
        ...options,
      },
      (_access: string, _refresh: string, { id }: { id?: string }, done: (error: null, user: object) => void) =>
        done(null, PEOPLE[id ?? 'alice']!),
    );
    return made;
  };

  /** A login with state, and what the session holds meanwhile. */
  const start = async (options: Partial<StrategyOptions>, use: object = {}): Promise<PassportApp> => {
    let port = 0;
    const passport = new Passport();
    const authenticate: Handler = (request, response, _, next) =>
      (passport.authenticate('oauth2', { ...use, keepSessionInfo: true }) as RequestHandler)(
        request as never,
        response,
        (error?: unknown) =>
          error === undefined ? response.json({ user: request.user, info: request.authInfo ?? null }) : next(error),
      );
    const put: Handler = (request, response) => {
      Object.assign(request.session, request.body);
      response.json({});
    };
    const started = await startPassport({ handlers: { login: authenticate, callback: authenticate, put } });
    port = started.port;
    passport.use(
      'oauth2',
      strategy(() => port, options),
    );
    return started;
  };

  const begin = async (browser: BankClient, path: string): Promise<URL> => {
    const { status, headers } = await browser.get(`${path}/login`);
    expect(status).toBe(302);
    return new URL(headers.location!);
  };

  const key = 'oauth2:127.0.0.1';

  it.each<[string, Partial<StrategyOptions>, object]>([
    ['its nonce', { state: true }, { state: expect.any(String) }],
    ['its store', { store: true as never }, { state: { handle: expect.any(String) } }],
    [
      'its store with PKCE',
      { state: true, pkce: true },
      { state: { handle: expect.any(String), code_verifier: expect.any(String) } },
    ],
  ])('keeps %s in req.session, beside what is there, and takes it out again', async (_, options, kept) => {
    const { client } = await start(options);
    const browser = client();
    await browser.post('/view/put', { [key]: { more: 'of its own' }, other: 1 });
    const asked = await begin(browser, '/view');
    expect(asked.searchParams.get('state')).toMatch(/^[\w-]{24}$/);
    expect((await browser.get('/plain/stored')).json).toEqual({ [key]: { more: 'of its own', ...kept }, other: 1 });
    const back = await provider.visit(asked.href);
    expect(await browser.get(back)).toMatchObject({ status: 200, json: { user: { id: 'alice' } } });
    expect((await browser.get('/plain/stored')).json).toEqual({ [key]: { more: 'of its own' }, other: 1 });
    expect((await browser.get('/plain/guarded/user')).status).toBe(200);
  });

  it('hands the state of the application through its store, with PKCE and without', async () => {
    for (const options of [{ store: true as never }, { state: true, pkce: true }]) {
      const { client } = await start(options, { state: { returnTo: '/cart' } });
      const browser = client();
      const back = await provider.visit((await begin(browser, '/view')).href);
      expect((await browser.get(back)).json).toMatchObject({ info: { state: { returnTo: '/cart' } } });
    }
  });

  it.each<[string, (url: URL) => void]>([
    ['another state', (url) => url.searchParams.set('state', 'x'.repeat(24))],
    ['no state', (url) => url.searchParams.delete('state')],
  ])('fails with %s, and with the right one after that: it is used up', async (_, change) => {
    const { client } = await start({ state: true });
    const browser = client();
    const back = await provider.visit((await begin(browser, '/view')).href);
    const changed = new URL(back, 'http://localhost');
    change(changed);
    expect((await browser.get(changed.pathname + changed.search)).status).toBe(403);
    expect((await browser.get('/plain/stored')).json).toEqual({});
    expect((await browser.get(back)).status).toBe(403);
  });

  it('fails without a session', async () => {
    const { client } = await start({ state: true, pkce: true });
    const back = await provider.visit((await begin(client(), '/view')).href);
    const answer = await client().get(back);
    expect(answer.status).toBe(403);
    expect(answer.setCookies).toEqual([]);
  });

  describe.each([
    ['with PKCE', { pkce: true, state: true }],
    ['without PKCE', { state: true }],
  ] as const)('with SessionStateStore and no req.session, %s', (_, more) => {
    const options = (): Partial<StrategyOptions> => ({ ...more, store: new SessionStateStore() });

    it('logs in, and keeps nothing on the server on the way', async () => {
      const { client, events } = await start(options(), { state: { returnTo: '/cart' } });
      const browser = client();
      const asked = await begin(browser, '/plain');
      expect(events).toEqual([]);
      expect([...browser.cookies.keys()]).toEqual(['__Host-session-csrf']);
      expect(asked.searchParams.has('code_challenge')).toBe('pkce' in more);
      const answer = await browser.get(await provider.visit(asked.href));
      expect(answer.json).toMatchObject({ user: { id: 'alice' }, info: { state: { returnTo: '/cart' } } });
      expect(provider.redeemed.at(-1)!.has('code_verifier')).toBe('pkce' in more);
      expect((await browser.get('/plain/guarded/user')).status).toBe(200);
    });

    it('lets several tabs sign in', async () => {
      const { client } = await start(options());
      const browser = client();
      const tabs = [await begin(browser, '/plain'), await begin(browser, '/plain')];
      expect((await browser.get(await provider.visit(tabs[0]!.href))).status).toBe(200);
    });
  });
});

describe('grant on req.session', () => {
  it('keeps its session, saves it before it leads on, and reads it at the callback', async () => {
    const provider = await AuthorizationServer.start();
    let port = 0;
    const middleware: RequestHandler = (request, response, next) => {
      const config = {
        defaults: {
          origin: `http://127.0.0.1:${port}`,
          prefix: '/view/connect',
          transport: 'session',
          state: true,
          pkce: true,
        },
        local: {
          authorize_url: `${provider.origin}/authorize`,
          access_url: `${provider.origin}/token`,
          oauth: 2,
          key: 'the-client',
          secret: 'a secret',
          callback: '/view/done',
        },
      };
      void (grant as unknown as { express(given: object): RequestHandler }).express(config)(request, response, next);
    };
    const done: Handler = (request, response) =>
      response.json((request.session['grant'] as { response: object }).response);
    const started = await startPassport({ handlers: { done }, behind: [middleware] });
    port = started.port;
    const browser = started.client();
    const { headers } = await browser.get('/view/connect/local');
    const kept = ((await browser.get('/plain/stored')).json as { grant: object }).grant;
    expect(kept).toMatchObject({ provider: 'local', state: expect.any(String), code_verifier: expect.any(String) });
    const back = await provider.visit(headers.location!);
    expect(await browser.get(back)).toMatchObject({ status: 302, headers: { location: '/view/done' } });
    expect((await browser.get('/view/done')).json).toMatchObject({ access_token: expect.any(String) });
    // another browser has nothing to compare the state with
    expect((await started.client().get(back)).headers.location).toMatch(/^\/\?error=Grant.*missing.*session/);
    await provider.close();
  });
});
