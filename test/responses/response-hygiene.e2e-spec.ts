import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Controller, Get, Inject, Post, Req, Res } from '@nestjs/common';
import {
  CurrentSession,
  CsrfService,
  MemorySessionStore,
  SessionAuthError,
  SessionAuthService,
  type Session,
} from 'nestjs-session-auth';
import { SESSION_COOKIE, type Answer, type BankClient } from '../support/bank-client.js';
import { openBackend, SERVERS, startBank, type Bank } from '../support/bank.js';

/** What Express and Fastify both have, each under its own name. */
interface AnyResponse {
  setHeader?(name: string, value: string | string[]): void;
  header?(name: string, value: string | string[]): void;
  readonly raw?: RawResponse;
}
interface RawResponse {
  setHeader(name: string, value: string): void;
  writeHead(status: number, ...rest: unknown[]): RawResponse;
  end(body?: string): void;
}

const USER = { id: 'alice', email: 'alice@example.com', roles: [] };
const SECRETS = 'select * from accounts where key = 0xdeadbeef';

@Controller('pages')
class PagesController {
  constructor(
    @Inject(SessionAuthService) private readonly auth: SessionAuthService,
    @Inject(CsrfService) private readonly csrf: CsrfService,
  ) {}

  /** Logs in, and means to have the answer cached. */
  @Post('public')
  async public(@Req() request: object, @Res({ passthrough: true }) response: AnyResponse): Promise<string> {
    set(response, 'Cache-Control', 'public, max-age=3600');
    await this.auth.loginUser(request, USER);
    set(response, 'Cache-Control', 'public, max-age=3600');
    set(response, 'CDN-Cache-Control', 'max-age=3600');
    set(response, 'Surrogate-Control', 'max-age=3600');
    return 'done';
  }

  /** Logs in and out and in, next to cookies of its own. */
  @Post('cookies')
  async cookies(@Req() request: object, @Res({ passthrough: true }) response: AnyResponse): Promise<string> {
    set(response, 'Set-Cookie', ['theme=dark', 'language=en']);
    await this.auth.loginUser(request, USER);
    await this.auth.rotate(request);
    await this.auth.reauthenticate(request, { password: 'alice-demo-password' });
    return 'done';
  }

  /** Overwrites all cookies that there are. */
  @Post('overwrite')
  async overwrite(@Req() request: object, @Res({ passthrough: true }) response: AnyResponse): Promise<string> {
    await this.auth.loginUser(request, USER);
    response.setHeader?.('Set-Cookie', 'theme=dark');
    response.header?.('Set-Cookie', 'theme=dark');
    return 'done';
  }

  /** Answers past the framework, in each form that Node takes headers in. */
  @Get('raw/object')
  rawObject(@Req() request: object, @Res() response: AnyResponse): void {
    this.csrf.issue(request);
    rawOf(response).setHeader('Vary', 'Accept-Encoding');
    rawOf(response)
      .writeHead(200, { 'Cache-Control': 'public', Vary: 'Accept', 'X-Own': ['1', '2'] })
      .end('raw');
  }

  @Get('raw/flat')
  rawFlat(@Req() request: object, @Res() response: AnyResponse): void {
    this.csrf.issue(request);
    rawOf(response).setHeader('Vary', 'Accept-Encoding');
    const headers = ['Cache-Control', 'public', 'Vary', 'Accept', 'X-Own', '1', 'X-Own', '2'];
    rawOf(response).writeHead(200, 'Fine', headers).end('raw');
  }

  @Get('vary')
  vary(@CurrentSession() session: Session | undefined, @Res({ passthrough: true }) response: AnyResponse): string {
    set(response, 'Vary', 'Accept-Encoding, cookie');
    return session?.id ?? 'nobody';
  }

  @Get('vary/all')
  varyAll(@CurrentSession() _: Session | undefined, @Res({ passthrough: true }) response: AnyResponse): string {
    set(response, 'Vary', '*');
    return 'done';
  }

  @Get('plain')
  plain(@Res({ passthrough: true }) response: AnyResponse): string {
    set(response, 'Cache-Control', 'public, max-age=3600');
    return 'done';
  }

  /** Says itself how long caches may keep what it shows of the session. */
  @Get('cacheable')
  cacheable(@CurrentSession() session: Session | undefined, @Res({ passthrough: true }) response: AnyResponse): string {
    set(response, 'Cache-Control', 'private, max-age=60');
    return session?.id ?? 'nobody';
  }

  @Get('raw/private')
  rawPrivate(@CurrentSession() _: Session | undefined, @Res() response: AnyResponse): void {
    rawOf(response).writeHead(200, { 'Cache-Control': 'private' }).end('raw');
  }

  @Get('raw/silent')
  rawSilent(@CurrentSession() _: Session | undefined, @Res() response: AnyResponse): void {
    rawOf(response).writeHead(200).end('raw');
  }

  /** Is logged in and out again before the answer. */
  @Get('in-and-out')
  async inAndOut(@Req() request: object): Promise<string> {
    this.csrf.issue(request);
    await this.auth.loginUser(request, USER, 'custom', { rememberMe: true });
    await this.auth.logout(request);
    return 'done';
  }

  @Get('broken')
  broken(): never {
    throw new Error(SECRETS);
  }

  @Get('misused')
  misused(): never {
    throw new SessionAuthError('not_configured', SECRETS, { cause: new Error(SECRETS) });
  }
}

function set(response: AnyResponse, name: string, value: string | string[]): void {
  if (response.setHeader) response.setHeader(name, value);
  else response.header!(name, value);
}

function rawOf(response: AnyResponse): RawResponse {
  return response.raw ?? (response as unknown as RawResponse);
}

describe.each(SERVERS)('responses on %s', (adapter) => {
  let bank: Bank;
  let store: MemorySessionStore;
  let alice: BankClient;

  beforeEach(async () => {
    store = new MemorySessionStore();
    const backend = { ...(await openBackend('memory')), storage: { sessions: { useValue: store } } };
    bank = await startBank({ adapter, backend, module: { controllers: [PagesController] } });
    alice = bank.client();
  });

  afterEach(() => bank.close());

  const varyOf = ({ headers }: Answer): string[] =>
    (headers.vary ?? '')
      .toLowerCase()
      .split(/, */)
      .filter((name) => name !== '')
      .sort();

  it('that set a cookie of ours are not stored by caches, even if the handler allows it', async () => {
    const answer = await alice.post('/pages/public');
    expect(answer.setCookies).toContainEqual(expect.stringContaining(`${SESSION_COOKIE}=`));
    expect(answer.headers['cache-control']).toBe('no-store');
    expect(answer.headers['cdn-cache-control']).toBeUndefined();
    expect(answer.headers['surrogate-control']).toBeUndefined();
  });

  it('of every endpoint that sets a cookie or shows a token are no-store', async () => {
    const answers = {
      csrf: await alice.get('/auth/csrf'),
      login: await alice.tryLogin('alice'),
      session: await alice.get('/auth/session'),
      reauthenticate: await alice.post('/auth/reauthenticate', { password: 'alice-demo-password' }),
      logout: await alice.post('/auth/logout'),
    };
    for (const answer of Object.values(answers)) {
      expect(answer.status).toBeLessThan(300);
      expect(answer.headers['cache-control']).toBe('no-store');
      expect(varyOf(answer)).toContain('cookie');
    }
  });

  it('that used the session are not stored by caches, refusals too, unless the handler sets Cache-Control', async () => {
    const cacheControl = async (path: string): Promise<unknown> => (await alice.get(path)).headers['cache-control'];
    for (const path of ['/api/me', '/api/admin/sessions', '/pages/vary', '/pages/raw/silent', '/auth/sessions']) {
      expect([path, await cacheControl(path)]).toEqual([path, 'no-store']);
    }
    expect(await cacheControl('/pages/cacheable')).toBe('private, max-age=60');
    await alice.login('alice');
    for (const path of ['/api/me', '/api/admin/sessions', '/pages/vary', '/pages/raw/silent', '/auth/sessions']) {
      expect([path, await cacheControl(path)]).toEqual([path, 'no-store']);
    }
    expect(await cacheControl('/pages/cacheable')).toBe('private, max-age=60');
    expect(await cacheControl('/pages/raw/private')).toBe('private');
    expect(await cacheControl('/pages/broken')).toBeUndefined();
  });

  it('that used the session are left to the application if it says so', async () => {
    await bank.close();
    const options = { http: { noStore: false } };
    bank = await startBank({
      adapter,
      backend: await openBackend('memory'),
      options,
      module: { controllers: [PagesController] },
    });
    alice = bank.client();
    await alice.login('alice');
    expect((await alice.get('/api/me')).headers['cache-control']).toBeUndefined();
    expect((await alice.get('/auth/csrf')).headers['cache-control']).toBe('no-store');
    expect((await alice.post('/pages/public')).headers['cache-control']).toBe('no-store');
  });

  it('to a client that sent no cookie set none: refusals, logout, and a login that is taken back', async () => {
    const ask = async (method: string, path: string, body?: object): Promise<readonly string[]> =>
      (await bank.send(method, path, { body })).setCookies;
    for (const path of ['/api/me', '/auth/session', '/auth/sessions', '/api/admin/sessions', '/pages/vary']) {
      expect([path, await ask('GET', path)]).toEqual([path, []]);
    }
    for (const path of ['/auth/logout', '/auth/login', '/auth/reauthenticate', '/api/transfer']) {
      expect([path, await ask('POST', path, {})]).toEqual([path, []]);
    }
    expect(await ask('DELETE', '/auth/sessions')).toEqual([]);
    expect((await bank.send('GET', '/pages/in-and-out')).text).toBe('done');
    expect(await ask('GET', '/pages/in-and-out')).toEqual([]);
  });

  it('to a client that sent a cookie take that one at logout, and set no other', async () => {
    const named = ({ setCookies }: Answer): string[] =>
      setCookies.map((line) => line.slice(0, line.indexOf('='))).sort();
    await alice.login('alice', { rememberMe: true });
    const csrf = await alice.csrfToken();
    const session = `${SESSION_COOKIE}=${alice.sealed}`;
    const logout = await bank.send('POST', '/auth/logout', { cookie: session, csrf });
    expect([logout.status, named(logout)]).toEqual([204, [SESSION_COOKIE]]);
    expect(named(await bank.send('POST', '/auth/logout', { cookie: `${SESSION_COOKIE}=x` }))).toEqual([SESSION_COOKIE]);
  });

  it('without a cookie of ours are left alone', async () => {
    const answer = await alice.get('/pages/plain');
    expect(answer.headers['cache-control']).toBe('public, max-age=3600');
    expect(varyOf(answer)).toEqual([]);
  });

  it('set each cookie once, next to the application’s own', async () => {
    const answer = await alice.post('/pages/cookies');
    expect(answer.text).toBe('done');
    const names = answer.setCookies.map((line) => line.slice(0, line.indexOf('=')));
    expect(names.sort()).toEqual([
      '__Host-session',
      '__Host-session-csrf',
      '__Host-session-device',
      'language',
      'theme',
    ]);
    expect(await alice.isSignedIn()).toBe(true);
  });

  it('keep our cookie where a handler overwrites them all', async () => {
    const answer = await alice.post('/pages/overwrite');
    expect(answer.setCookies).toContain('theme=dark');
    expect(await alice.isSignedIn()).toBe(true);
  });

  it.each(['object', 'flat'])('that a handler writes past the framework (%s) get the same headers', async (form) => {
    const answer = await alice.get(`/pages/raw/${form}`);
    expect(answer.text).toBe('raw');
    expect(answer.headers['cache-control']).toBe('no-store');
    expect(varyOf(answer)).toEqual(['accept', 'accept-encoding', 'cookie']);
    expect(answer.headers['x-own']).toBe('1, 2');
    expect(answer.setCookies).toHaveLength(1);
  });

  it('vary by Cookie where a session was read, next to what else they vary by, each once', async () => {
    expect(varyOf(await alice.get('/pages/vary'))).toEqual(['accept-encoding', 'cookie']);
    expect((await alice.get('/pages/vary/all')).headers.vary).toBe('*');
    expect(varyOf(await alice.get('/api/me'))).toEqual(['cookie']);
    await alice.login('alice');
    expect(varyOf(await alice.get('/api/me'))).toEqual(['cookie']);
    const refused = await alice.post('/api/transfer', {}, { csrf: false });
    expect(varyOf(refused)).toEqual(['cookie', 'origin', 'sec-fetch-site']);
  });

  it('have Clear-Site-Data at logout, also a repeated one, and nowhere else', async () => {
    const others = [
      await alice.get('/auth/csrf'),
      await alice.tryLogin('alice'),
      await alice.get('/api/me'),
      await alice.post('/auth/logout', undefined, { csrf: false }),
      await alice.ask('DELETE', '/auth/sessions'),
    ];
    expect(others.map(({ status }) => status)).toEqual([200, 200, 200, 403, 200]);
    for (const { headers } of others) expect(headers['clear-site-data']).toBeUndefined();
    for (const answer of [await alice.post('/auth/logout'), await alice.post('/auth/logout')]) {
      expect(answer.headers['clear-site-data']).toBe('"cookies", "storage"');
    }
  });

  it('tell nothing of an error but its code', async () => {
    await alice.login('alice');
    store.find = () => Promise.reject(new Error(SECRETS));
    const answers = [await alice.get('/pages/broken'), await alice.get('/pages/misused'), await alice.get('/api/me')];
    expect(answers.map(({ status }) => status)).toEqual([500, 500, 503]);
    for (const { text, headers } of answers) {
      expect(text).not.toMatch(/select|deadbeef|Error:|\bat .*:\d+|node_modules|stack|cause/);
      expect(JSON.stringify(headers)).not.toMatch(/select|deadbeef/);
    }
    expect(answers[2]!.json).toEqual({
      statusCode: 503,
      code: 'session_store_unavailable',
      message: 'Sessions are unavailable at the moment',
      realm: 'default',
    });
    expect(answers[1]!.json).toEqual({
      statusCode: 500,
      code: 'not_configured',
      message: 'Internal server error',
      realm: 'default',
    });
  });
});
