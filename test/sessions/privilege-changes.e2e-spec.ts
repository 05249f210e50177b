import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Controller, HttpCode, Inject, Post, Req } from '@nestjs/common';
import { CsrfProtected, Public, SessionAuthService } from 'nestjs-session-auth';
import type { BankClient } from '../support/bank-client.js';
import { EVERYWHERE, openBackend, startBank, type Backend, type Bank } from '../support/bank.js';
import { tokenIn } from '../support/forged-cookies.js';
import { StoppedClock, type ManualClock } from '../support/manual-clock.js';

const SECOND = 1000;
const PASSWORD = 'alice-demo-password';

/** What changes a session's privileges by the application's own means. */
@Public()
@CsrfProtected()
@Controller('privileges')
class PrivilegesController {
  constructor(@Inject(SessionAuthService) private readonly auth: SessionAuthService) {}

  @Post('visit')
  @HttpCode(204)
  async visit(@Req() request: object): Promise<void> {
    await this.auth.ensureSession(request);
  }

  @Post('factor')
  @HttpCode(204)
  async factor(@Req() request: object): Promise<void> {
    await this.auth.factorCompleted(request, 'totp');
  }

  @Post('sign-on')
  @HttpCode(204)
  async signOn(@Req() request: object): Promise<void> {
    await this.auth.loginUser(request, { id: 'alice', roles: ['customer'] });
  }

  @Post('rotate')
  @HttpCode(204)
  async rotate(@Req() request: object): Promise<void> {
    await this.auth.rotate(request, { grace: 0 });
  }
}

/** How the client comes by the session whose privileges then change. */
type Start = (client: BankClient) => Promise<unknown>;

const visit: Start = (client) => client.post('/privileges/visit');
const login: Start = (client) => client.login('alice');
const remembered: Start = async (client) => {
  await client.login('alice', { rememberMe: true });
  client.restart();
  await client.get('/api/me');
};
const post =
  (path: string, body?: object) =>
  (client: BankClient): Promise<unknown> =>
    client.post(path, body);

describe.each(EVERYWHERE)('a change of privilege on $adapter with $store', ({ adapter, store }) => {
  let backend: Backend;
  let bank: Bank;
  let clock: ManualClock;
  let alice: BankClient;

  beforeEach(async () => {
    backend = await openBackend(store);
    clock = new StoppedClock();
    bank = await startBank({ adapter, backend, clock, module: { controllers: [PrivilegesController] } });
    alice = bank.client();
  });

  afterEach(async () => {
    await bank.close();
    await backend.close();
  });

  it.each<[string, Start, (client: BankClient) => Promise<unknown>]>([
    ['a login over an anonymous session', visit, (client) => client.login('alice')],
    ['a login of the same user', login, (client) => client.login('alice')],
    ['a login of another user', login, (client) => client.login('bob')],
    ['a password after a remembered device', remembered, (client) => client.login('alice')],
    ['a login by the application', login, post('/privileges/sign-on')],
    ['a re-authentication', login, post('/auth/reauthenticate', { password: PASSWORD })],
    ['a further factor', login, post('/privileges/factor')],
    [
      'a change of the password',
      login,
      post('/api/settings/password', { currentPassword: PASSWORD, newPassword: 'another password of alice' }),
    ],
    ['a gain of the application’s own', login, post('/privileges/rotate')],
  ])('%s: a new token, and the old one is dead at once with its CSRF tokens', async (_what, start, change) => {
    await start(alice);
    const { cookie } = alice;
    const before = tokenIn(bank, alice.sealed);
    const csrf = await alice.csrfToken();
    await change(alice);
    const after = tokenIn(bank, alice.sealed);
    expect([typeof before, typeof after]).toEqual(['string', 'string']);
    expect(after).not.toBe(before);
    // the whole cookie: a remembered device is not to make up for it either
    const session = cookie.split('; ').filter((pair) => pair.startsWith('__Host-session='));
    expect(session).toHaveLength(1);
    expect(await bank.client().isSignedIn({ cookie: session[0] })).toBe(false);
    expect((await alice.post('/api/transfer', { to: 'bob', amount: 1 }, { csrf })).status).toBe(403);
    expect((await alice.post('/api/transfer', { to: 'bob', amount: 1 })).status).toBe(201);
  });

  it.each([
    ['a role that is gained', ['customer', 'admin'], 200],
    ['a role that is lost', [], 403],
    ['another role in its place', ['admin'], 200],
  ])('%s: a new token at the next request, which alone has the role', async (_what, roles, status) => {
    await alice.login('alice');
    const { cookie } = alice;
    const before = tokenIn(bank, alice.sealed);
    await bank.app.get(SessionAuthService).rolesChanged('alice', roles);
    expect((await alice.get('/api/admin/sessions')).status).toBe(status);
    expect(tokenIn(bank, alice.sealed)).not.toBe(before);
    expect((await bank.client().get('/api/admin/sessions', { cookie })).status).toBe(403);
    expect((await alice.get('/api/admin/sessions')).status).toBe(status);
    clock.advance(10 * SECOND);
    expect(await bank.client().isSignedIn({ cookie })).toBe(false);
    expect(await alice.isSignedIn()).toBe(true);
  });
});
