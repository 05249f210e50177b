import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Body, Controller, Get, HttpCode, Inject, Post, Req, UnauthorizedException } from '@nestjs/common';
import {
  CsrfProtected,
  CsrfService,
  Public,
  RequireFactor,
  RequireFullAuth,
  SessionAuthService,
  SessionLifecycleService,
} from 'nestjs-session-auth';
import { SESSION_COOKIE, type Answer, type BankClient } from '../support/bank-client.js';
import { EVERYWHERE, openBackend, startBank, type Backend, type Bank } from '../support/bank.js';
import { ManualClock } from '../support/manual-clock.js';

const MINUTE = 60_000;
const CODES: Readonly<Record<string, string>> = { totp: '123456', passkey: 'signed' };

/** Proofs that the application checks by itself, and doors that ask for them. */
@Controller('factors')
class FactorsController {
  constructor(
    @Inject(SessionAuthService) private readonly auth: SessionAuthService,
    @Inject(CsrfService) private readonly csrf: CsrfService,
  ) {}

  @Post()
  @HttpCode(200)
  @CsrfProtected()
  async prove(
    @Req() request: object,
    @Body() body: { readonly factor: string; readonly code: string },
  ): Promise<object> {
    if (!(body.factor in CODES) || CODES[body.factor] !== body.code) throw new UnauthorizedException();
    const session = await this.auth.factorCompleted(request, body.factor);
    return { session, csrfToken: this.csrf.issue(request) };
  }

  @Public()
  @Post('passkey-login')
  @HttpCode(200)
  @CsrfProtected()
  async passkeyLogin(@Req() request: object): Promise<object> {
    await this.auth.loginUser(request, { id: 'bob' });
    return this.auth.factorCompleted(request, 'passkey');
  }

  @Get('totp')
  @RequireFactor('totp')
  totp(): string {
    return 'in';
  }

  @Get('any-recent')
  @RequireFactor(['totp', 'passkey'], '10m')
  anyRecent(): string {
    return 'in';
  }

  @Get('in-full')
  @RequireFullAuth()
  @RequireFactor('totp')
  inFull(): string {
    return 'in';
  }
}

describe.each(EVERYWHERE)('further factors on $adapter with $store', ({ adapter, store }) => {
  let backend: Backend;
  let nodes: [Bank, Bank];
  let clock: ManualClock;
  let alice: BankClient;

  beforeEach(async () => {
    backend = await openBackend(store);
    clock = new ManualClock();
    const module = { controllers: [FactorsController] };
    nodes = [
      await startBank({ adapter, backend, clock, module }),
      await startBank({ adapter, backend, clock, module }),
    ];
    alice = nodes[0].client();
    await alice.login('alice');
  });

  afterEach(async () => {
    for (const node of nodes) await node.close();
    await backend.close();
  });

  const prove = (client: BankClient, factor: string, ask?: Parameters<BankClient['post']>[2]): Promise<Answer> =>
    client.post('/factors', { factor, code: CODES[factor] }, ask);
  const statusOf = async (client: BankClient, door = 'totp'): Promise<number> =>
    (await client.get(`/factors/${door}`)).status;
  const factorsOf = async (client: BankClient): Promise<object> =>
    ((await client.get('/auth/session')).json as { factors: object }).factors;
  const codeOf = ({ status, json }: Answer): unknown[] => [status, (json as { code?: string }).code];

  it('refuse a session without a proved factor, and name the factors that are enough', async () => {
    const stranger = nodes[0].client();
    expect(codeOf(await stranger.get('/factors/totp'))).toEqual([401, 'session_required']);
    const missing = { statusCode: 401, code: 'further_factor_required', message: expect.any(String), realm: 'default' };
    expect((await alice.get('/factors/totp')).json).toEqual({ ...missing, factors: ['totp'] });
    expect((await alice.get('/factors/any-recent')).json).toEqual({ ...missing, factors: ['totp', 'passkey'] });
    expect(codeOf(await alice.post('/factors', { factor: 'totp', code: '000000' }))[0]).toBe(401);
    expect([await statusOf(alice), await factorsOf(alice)]).toEqual([401, {}]);

    expect((await prove(alice, 'passkey')).status).toBe(200);
    expect([await statusOf(alice), await statusOf(alice, 'any-recent')]).toEqual([401, 200]);
    expect((await prove(alice, 'totp')).status).toBe(200);
    expect([await statusOf(alice), await statusOf(alice, 'any-recent')]).toEqual([200, 200]);
    expect(Object.keys(await factorsOf(alice)).sort()).toEqual(['passkey', 'totp']);
  });

  it('come with a new token: the old one and its CSRF tokens are dead at once, the deadlines stay', async () => {
    const [cookie, csrf] = [alice.cookie, await alice.csrfToken()];
    const before = (await alice.get('/auth/session')).json as object;
    clock.advance(MINUTE / 2);
    const earliest = new Date(clock.now()).toISOString();
    const answer = await prove(alice, 'totp');
    const latest = new Date(clock.now()).toISOString();
    const { session, csrfToken } = answer.json as { session: { factors: { totp: string } }; csrfToken: string };
    const { totp } = session.factors;
    expect([earliest, totp, latest].sort()).toEqual([earliest, totp, latest]);
    expect({ ...session, factors: {} }).toEqual({ ...before, csrfToken: undefined });
    expect(await factorsOf(alice)).toEqual({ totp });
    expect(answer.setCookies.map((line) => line.slice(0, line.indexOf('=')))).toEqual([SESSION_COOKIE]);

    expect(await alice.isSignedIn({ cookie })).toBe(false);
    expect(codeOf(await prove(alice, 'passkey', { cookie, csrf }))).toEqual([401, 'session_required']);
    expect(codeOf(await prove(alice, 'passkey', { csrf }))).toEqual([403, 'csrf_failed']);
    expect((await prove(alice, 'passkey', { csrf: csrfToken })).status).toBe(200);

    const rotations = nodes[0].events.filter(({ type }) => type === 'session.rotated');
    expect(rotations).toEqual([
      expect.objectContaining({ reason: 'factor_completed', factor: 'totp', userId: 'alice' }),
      expect.objectContaining({ reason: 'factor_completed', factor: 'passkey', userId: 'alice' }),
    ]);
  });

  it('cannot be set by a body, a query, a header or session data', async () => {
    const at = clock.now() + 1e9;
    const claims = { factors: { totp: at }, x: { totp: at }, factor: 'totp', aal: 2, amr: ['totp'], acr: 'aal2' };
    const headers = { 'x-factors': 'totp', factors: '{"totp":9e15}', 'x-acr': 'aal2' };
    await alice.ask('PATCH', '/api/preferences', { body: { ...claims, session: claims, '.x': { totp: at } }, headers });
    await alice.ask('PATCH', '/api/preferences', {
      body: `{"__proto__":{"factors":{"totp":${at}},"totp":${at}},"constructor":{"prototype":{"totp":${at}}}}`,
      headers: { 'content-type': 'application/json' },
    });
    await alice.post('/auth/reauthenticate', { password: 'alice-demo-password', ...claims }, { headers });
    expect((await alice.get(`/factors/totp?factors[totp]=${at}&factor=totp`, { headers })).status).toBe(401);
    const bob = nodes[1].client();
    const credentials = { email: 'bob@example.com', password: 'bob-demo-password' };
    await bob.post('/auth/login', { ...credentials, ...claims, session: claims }, { headers });
    for (const client of [alice, bob]) {
      if (!(await client.isSignedIn())) await client.login('bob');
      expect([await statusOf(client), await factorsOf(client)]).toEqual([401, {}]);
    }
    expect((await alice.get('/api/preferences')).json).toMatchObject({ factors: { totp: at } });
  });

  it('are required again after their time, if one is set', async () => {
    await prove(alice, 'totp');
    const first = await factorsOf(alice);
    clock.advance(9 * MINUTE);
    expect(await statusOf(alice, 'any-recent')).toBe(200);
    clock.advance(MINUTE);
    const late = await alice.get('/factors/any-recent');
    expect([codeOf(late), late.json]).toEqual([
      [401, 'further_factor_required'],
      expect.objectContaining({ factors: ['totp', 'passkey'] }),
    ]);
    expect(await statusOf(alice)).toBe(200);
    await prove(alice, 'totp');
    expect(await factorsOf(alice)).not.toEqual(first);
    expect(await statusOf(alice, 'any-recent')).toBe(200);
  });

  it('are one session’s: a login starts without, by whomever, over which session, and by which means', async () => {
    await prove(alice, 'totp');
    const elsewhere = nodes[1].client();
    await elsewhere.login('alice');
    expect([await statusOf(elsewhere), await statusOf(alice)]).toEqual([401, 200]);

    // over the live session of the same user, which goes on under a new token
    const { id } = (await alice.get('/auth/session')).json as { id: string };
    expect((await alice.login('alice')).id).toBe(id);
    expect([await statusOf(alice), await factorsOf(alice)]).toEqual([401, {}]);

    await prove(alice, 'totp');
    await alice.login('bob');
    expect([await statusOf(alice), await factorsOf(alice)]).toEqual([401, {}]);

    await alice.login('alice', { rememberMe: true });
    await prove(alice, 'totp');
    alice.restart();
    expect([await alice.isSignedIn(), await statusOf(alice), await factorsOf(alice)]).toEqual([true, 401, {}]);
    expect((await alice.get('/auth/session')).json).toMatchObject({ authentication: 'remember-me' });
    // what is proved there counts, but makes no full login of it
    await prove(alice, 'totp');
    expect([await statusOf(alice), await statusOf(alice, 'in-full')]).toEqual([200, 401]);
    await alice.post('/auth/reauthenticate', { password: 'alice-demo-password' });
    expect([await statusOf(alice), await statusOf(alice, 'in-full')]).toEqual([200, 200]);
  });

  it('stay with their times through re-authentication, rotation and other roles', async () => {
    await prove(alice, 'totp');
    const factors = await factorsOf(alice);
    clock.advance(MINUTE);
    expect((await alice.post('/auth/reauthenticate', { password: 'alice-demo-password' })).status).toBe(200);
    expect(await factorsOf(alice)).toEqual(factors);
    await nodes[1].app.get(SessionLifecycleService).updateUser('alice', { roles: ['admin'] });
    expect((await alice.get('/api/admin/sessions')).status).toBe(200);
    expect([await factorsOf(alice), await statusOf(alice)]).toEqual([factors, 200]);
  });

  it('can be proved with the login in one step, for one cookie', async () => {
    const bob = nodes[0].client();
    const answer = await bob.post('/factors/passkey-login');
    expect(answer.setCookies.filter((line) => line.startsWith(`${SESSION_COOKIE}=`))).toHaveLength(1);
    expect(answer.json).toMatchObject({ userId: 'bob', factors: { passkey: expect.any(String) } });
    expect([await statusOf(bob, 'any-recent'), await statusOf(bob)]).toEqual([200, 401]);
    expect(await bob.isSignedIn()).toBe(true);
  });

  it('proved at the same time on two nodes: one is recorded, and the second request is refused', async () => {
    const { cookie } = alice;
    const csrf = await alice.csrfToken();
    const factors = Array.from({ length: 6 }, (_, i) => (i % 2 === 0 ? 'totp' : 'passkey'));
    const answers = await Promise.all(
      factors.map((factor, i) => prove(nodes[i % 2]!.client(), factor, { cookie, csrf })),
    );
    const won = answers.findIndex(({ status }) => status === 200);
    const others = answers.filter((_, i) => i !== won);
    expect(others.map(codeOf)).toEqual(others.map(() => [401, 'session_required']));
    const { session } = answers[won]!.json as { session: { factors: object } };
    expect(Object.keys(session.factors)).toEqual([factors[won]]);
    alice.cookies.set(SESSION_COOKIE, /=([^;]+)/.exec(answers[won]!.setCookies[0]!)![1]!);
    expect(await factorsOf(alice)).toEqual(session.factors);
  });
});
