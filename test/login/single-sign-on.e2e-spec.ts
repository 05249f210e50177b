import { createHash } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Body, Controller, Get, HttpCode, Inject, Post, Req } from '@nestjs/common';
import {
  CsrfExempt,
  Public,
  RequireRecentAuth,
  SessionAuthService,
  SessionLifecycleService,
  type UpstreamSession,
} from 'nestjs-session-auth';
import type { Answer, BankClient } from '../support/bank-client.js';
import { EVERYWHERE, openBackend, startBank, TEST_SECRETS, type Backend, type Bank } from '../support/bank.js';
import { ManualClock } from '../support/manual-clock.js';

const MINUTE = 60_000;
const ISSUER = 'https://id.example';

interface ProviderLogin {
  readonly userId: string;
  readonly upstream?: UpstreamSession;
  readonly authenticatedAt?: number;
  readonly rememberMe?: boolean;
}

/** The application's side of an identity provider, whose tokens it has verified. */
@Controller('sso')
class SsoController {
  constructor(
    @Inject(SessionAuthService) private readonly auth: SessionAuthService,
    @Inject(SessionLifecycleService) private readonly lifecycle: SessionLifecycleService,
  ) {}

  @Public()
  @CsrfExempt()
  @Post('login')
  @HttpCode(200)
  async login(@Req() request: object, @Body() { userId, upstream, ...rest }: ProviderLogin): Promise<object> {
    const { authenticatedAt, rememberMe } = rest;
    const at = authenticatedAt === undefined ? undefined : new Date(authenticatedAt);
    const options = { upstream, rememberMe, authenticatedAt: at };
    return (await this.auth.loginUser(request, { id: userId }, 'custom', options)).session;
  }

  @Public()
  @CsrfExempt()
  @Post('logout')
  @HttpCode(200)
  async logout(@Body() { userId, upstream }: Required<Pick<ProviderLogin, 'userId' | 'upstream'>>): Promise<object> {
    return { revoked: await this.lifecycle.revokeUpstream(userId, upstream) };
  }

  @Get('recent')
  @RequireRecentAuth('10m')
  recent(): string {
    return 'in';
  }
}

describe.each(EVERYWHERE)('single sign-on on $adapter with $store', ({ adapter, store }) => {
  let backend: Backend;
  let nodes: [Bank, Bank];
  let clock: ManualClock;

  const start = (secrets = TEST_SECRETS): Promise<Bank> =>
    startBank({
      adapter,
      backend,
      clock,
      secrets,
      options: { concurrency: 10 },
      module: { controllers: [SsoController] },
    });

  beforeEach(async () => {
    backend = await openBackend(store);
    clock = new ManualClock();
    nodes = [await start(), await start()];
  });

  afterEach(async () => {
    for (const node of nodes) await node.close();
    await backend.close();
  });

  const signIn = async (login: ProviderLogin, client = nodes[0].client()): Promise<BankClient> => {
    const answer = await client.post('/sso/login', login, { csrf: false });
    expect(answer.status).toBe(200);
    return client;
  };
  const signOut = async (userId: string, upstream: unknown, node = nodes[1]): Promise<Answer> =>
    node.client().post('/sso/logout', { userId, upstream }, { csrf: false });
  const revoked = async (userId: string, upstream: unknown): Promise<unknown> =>
    ((await signOut(userId, upstream)).json as { revoked: unknown }).revoked;
  const areSignedIn = (...clients: BankClient[]): Promise<boolean[]> =>
    Promise.all(clients.map((client) => client.isSignedIn()));

  it('ends with the provider’s session on every device, and nothing else does', async () => {
    const upstream = { sid: 'sid-1', issuer: ISSUER };
    const [phone, laptop] = [await signIn({ userId: 'alice', upstream }), nodes[1].client()];
    await signIn({ userId: 'alice', upstream }, laptop);
    const other = await signIn({ userId: 'alice', upstream: { sid: 'sid-2', issuer: ISSUER } });
    const byPassword = nodes[0].client();
    await byPassword.login('alice');

    expect(await revoked('alice', upstream)).toBe(2);
    expect(await areSignedIn(phone, laptop, other, byPassword)).toEqual([false, false, true, true]);
    const ended = nodes[1].events.filter(({ type }) => type === 'session.destroyed');
    expect(ended).toEqual([
      expect.objectContaining({ userId: 'alice', reason: 'upstream_logout' }),
      expect.objectContaining({ userId: 'alice', reason: 'upstream_logout' }),
    ]);
    expect(await revoked('alice', upstream)).toBe(0);
  });

  it('is not ended by the id of another user’s, another provider’s or no session', async () => {
    const alice = await signIn({ userId: 'alice', upstream: { sid: 'sid-1', issuer: ISSUER } });
    const bob = await signIn({ userId: 'bob', upstream: { sid: 'sid-2' } });
    const unnamed = nodes[0].client();
    await unnamed.login('alice');
    const attempts: [string, unknown][] = [
      ['bob', { sid: 'sid-1', issuer: ISSUER }],
      ['alice', { sid: 'sid-2' }],
      ['alice', { sid: 'sid-1' }],
      ['alice', { sid: 'sid-1', issuer: `${ISSUER}/` }],
      ['alice', { sid: ISSUER, issuer: 'sid-1' }],
      ['alice', { sid: `["sid-1","${ISSUER}"]` }],
      ['alice', { sid: 'SID-1', issuer: ISSUER }],
      ['bob', { sid: 'sid-2', issuer: ISSUER }],
      ['*', { sid: 'sid-1', issuer: ISSUER }],
    ];
    for (const [userId, upstream] of attempts) expect([userId, upstream, await revoked(userId, upstream)]).toContain(0);
    // a claim that is missing names nothing, least of all every session without one
    for (const upstream of [{}, { sid: '' }, { sid: null }, { sid: ['sid-1'] }, { sid: 'sid-1', issuer: '' }]) {
      expect((await signOut('alice', upstream)).status).toBe(500);
      const login = { userId: 'alice', upstream };
      expect((await nodes[0].client().post('/sso/login', login, { csrf: false })).status).toBe(500);
    }
    expect(await areSignedIn(alice, bob, unnamed)).toEqual([true, true, true]);
  });

  it('lasts through new tokens, and ends with a login of another source', async () => {
    const [first, second] = [{ sid: 'sid-1' }, { sid: 'sid-2' }];
    const alice = await signIn({ userId: 'alice', upstream: first });
    expect((await alice.post('/auth/reauthenticate', { password: 'alice-demo-password' })).status).toBe(200);
    expect(await revoked('alice', first)).toBe(1);
    expect(await areSignedIn(alice)).toEqual([false]);

    await signIn({ userId: 'alice', upstream: first }, alice);
    await signIn({ userId: 'alice', upstream: second }, alice);
    expect([await revoked('alice', first), ...(await areSignedIn(alice))]).toEqual([0, true]);
    expect([await revoked('alice', second), ...(await areSignedIn(alice))]).toEqual([1, false]);

    await signIn({ userId: 'alice', upstream: first }, alice);
    await alice.login('alice');
    expect([await revoked('alice', first), ...(await areSignedIn(alice))]).toEqual([0, true]);
  });

  it('was authenticated when the provider says, and never later than now', async () => {
    const recent = async (client: BankClient): Promise<unknown> => {
      const { status, json } = await client.get('/sso/recent');
      return status === 200 ? status : (json as { code: unknown }).code;
    };
    const at = clock.now() - 9 * MINUTE;
    const alice = await signIn({ userId: 'alice', authenticatedAt: at });
    expect((await alice.get('/auth/session')).json).toMatchObject({ authenticatedAt: new Date(at).toISOString() });
    expect(await recent(alice)).toBe(200);
    clock.advance(2 * MINUTE);
    expect(await recent(alice)).toBe('recent_authentication_required');
    // over the live session, sent through the provider without having been asked there
    await signIn({ userId: 'alice', authenticatedAt: at }, alice);
    expect(await recent(alice)).toBe('recent_authentication_required');
    await signIn({ userId: 'alice', authenticatedAt: clock.now() }, alice);
    expect(await recent(alice)).toBe(200);

    const ahead = await signIn({ userId: 'bob', authenticatedAt: clock.now() + 24 * 60 * MINUTE });
    expect(await recent(ahead)).toBe(200);
    clock.advance(11 * MINUTE);
    expect(await recent(ahead)).toBe('recent_authentication_required');
  });

  it('forgets the device that the session was remembered on', async () => {
    const upstream = { sid: 'sid-1' };
    const alice = await signIn({ userId: 'alice', upstream, rememberMe: true });
    expect(await revoked('alice', upstream)).toBe(1);
    expect(await areSignedIn(alice)).toEqual([false]);
  });

  it('is found under every secret of the ring, and its id is nowhere in the store', async () => {
    const upstream = { sid: 'a-session-of-the-provider', issuer: ISSUER };
    const alice = await signIn({ userId: 'alice', upstream });
    const dump = await dumpOf(backend);
    for (const text of [upstream.sid, createHash('sha256').update(upstream.sid).digest('base64url').slice(0, 20)]) {
      expect(dump).not.toContain(text);
    }
    const rotated = await start(['a newer secret that everybody may know, 2', ...TEST_SECRETS]);
    try {
      expect((await signOut('alice', upstream, rotated)).json).toEqual({ revoked: 1 });
    } finally {
      await rotated.close();
    }
    expect(await areSignedIn(alice)).toEqual([false]);
  });
});

/** All that Redis or PostgreSQL hold of sessions, as text; of memory nothing can be had. */
async function dumpOf({ redis, dataSource, namespace }: Backend): Promise<string> {
  if (dataSource !== undefined) return JSON.stringify(await dataSource.query('SELECT * FROM session_auth_session'));
  if (redis === undefined) return '';
  const keys = await redis.keys(`${namespace}*:s:*`);
  expect(keys).toHaveLength(1);
  return (await redis.mget(keys)).join('\n');
}
