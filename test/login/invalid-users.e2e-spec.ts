import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Controller, Get, Inject, Post, Req } from '@nestjs/common';
import {
  ConcurrentSessionsService,
  CsrfExempt,
  CurrentUser,
  PasswordHasher,
  Public,
  RememberMeService,
  SessionAuthService,
  SessionLifecycleService,
  type SessionUser,
  type SessionUserProvider,
} from 'nestjs-session-auth';
import { signInAs } from 'nestjs-session-auth/testing';
import { SESSION_COOKIE, type Answer } from '../support/bank-client.js';
import { EVERYWHERE, openBackend, startBank, type Backend, type Bank } from '../support/bank.js';

const GENERAL = { statusCode: 500, code: 'invalid_user', message: 'Internal server error', realm: 'default' };
const INVALID = expect.objectContaining({ code: 'invalid_user' }) as object;

/** Whatever an application returns by mistake. */
type Given = Partial<Record<keyof SessionUser, unknown>>;

const MISTAKES: readonly (readonly [string, Given])[] = [
  ['without an id', { id: undefined }],
  ['whose id is null', { id: null }],
  ['whose id is empty', { id: '' }],
  ['whose id is an object', { id: { toHexString: () => '65f1' } }],
  ['whose id is no number', { id: NaN }],
  ['whose id is a number that others round to', { id: 2 ** 53 }],
  ['whose id is a lone surrogate', { id: '\ud800' }],
  ['whose roles are a string', { roles: 'admin' }],
  ['whose roles are objects', { roles: [{ name: 'admin' }] }],
  ['whose address is no string', { email: { at: 'example.com' } }],
];

let user: Given;
const users: SessionUserProvider = {
  findByEmail: () => Promise.resolve(user as unknown as SessionUser),
  findById: () => Promise.resolve(user as unknown as SessionUser),
};

@Controller('accounts')
class AccountsController {
  constructor(@Inject(SessionAuthService) private readonly auth: SessionAuthService) {}

  @Public()
  @CsrfExempt()
  @Post('enter')
  async enter(@Req() request: object): Promise<void> {
    await this.auth.loginUser(request, user as unknown as SessionUser);
  }

  @Get('me')
  me(@CurrentUser() { id }: SessionUser): object {
    return { id: String(id) };
  }
}

describe.each(EVERYWHERE)('a user that no account can be, on $adapter with $store', ({ adapter, store }) => {
  let backend: Backend;
  let bank: Bank;
  let valid: Given;

  beforeEach(async () => {
    backend = await openBackend(store);
    bank = await startBank({
      adapter,
      backend,
      options: { users: { useValue: users } },
      module: { controllers: [AccountsController] },
    });
    const passwordHash = await bank.app.get(PasswordHasher, { strict: false }).hash('alice-demo-password');
    valid = { id: 'alice', email: 'alice@example.com', roles: ['customer'], passwordHash };
    user = valid;
  });

  afterEach(async () => {
    await bank.close();
    await backend.close();
  });

  const expectRefused = ({ status, json, setCookies }: Answer): void => {
    expect({ status, json }).toEqual({ status: 500, json: GENERAL });
    expect(setCookies.filter((line) => line.startsWith(SESSION_COOKIE))).toEqual([]);
  };

  it.each(MISTAKES)('%s: nobody is signed in, and the response does not say why', async (_what, mistake) => {
    const before = bank.client();
    await before.login('alice');
    user = { ...valid, ...mistake };
    expectRefused(await bank.client().tryLogin('alice', { rememberMe: true }));
    expectRefused(await bank.client().post('/accounts/enter'));
    // also over a live session, and where the session's own user is looked up
    expectRefused(await before.post('/accounts/enter'));
    expectRefused(await before.get('/accounts/me'));
    expectRefused(await before.post('/auth/reauthenticate', { password: 'alice-demo-password' }));
    await expect(signInAs(bank.app, 'alice@example.com')).rejects.toThrow(INVALID);
    expect(bank.events.map(({ type }) => type)).toEqual(['session.created']);
    expect(bank.log.some((line) => line.includes('invalid_user: a user cannot have sessions'))).toBe(true);

    user = valid;
    const { sessions } = await bank.app.get(SessionLifecycleService).list('alice');
    expect(sessions).toHaveLength(1);
    expect((await before.get('/accounts/me')).json).toEqual({ id: 'alice' });
  });

  it.each(MISTAKES)('%s: signs in no remembered device', async (_what, mistake) => {
    const client = bank.client();
    await client.login('alice', { rememberMe: true });
    client.restart();
    user = { ...valid, ...mistake };
    expectRefused(await client.get('/auth/session'));
    user = valid;
    expect((await client.get('/auth/session')).json).toMatchObject({ userId: 'alice' });
  });

  it('keeps well-formed ids of every type distinct', async () => {
    const ids = ['7', '07', ' 7', 'undefined', '[object Object]', 8, 9n, '\ud83d\ude00', '\ud83d\ude01'];
    for (const id of ids) {
      user = { ...valid, id };
      expect((await bank.client().post('/accounts/enter')).status).toBe(201);
    }
    const lifecycle = bank.app.get(SessionLifecycleService);
    for (const id of ids) {
      const { sessions } = await lifecycle.list(id);
      expect(sessions.map(({ userId }) => userId)).toEqual([String(id)]);
    }
  });
});

describe('every service that takes a user or the id of one', () => {
  it.each([
    ...MISTAKES.filter(([, mistake]) => 'id' in mistake),
    ['whose roles are a string', { roles: 'admin' }] as const,
  ])('refuses one %s', async (_what, mistake) => {
    const backend = await openBackend('memory');
    const bank = await startBank({ adapter: 'express', backend });
    try {
      const invalid = { id: 'bob', ...mistake } as unknown as SessionUser;
      const lifecycle = bank.app.get(SessionLifecycleService);
      const limits = bank.app.get(ConcurrentSessionsService);
      const { session } = await lifecycle.create({ user: { id: 'alice' } });
      const ofUsers: Record<string, () => Promise<unknown>> = {
        create: () => lifecycle.create({ user: invalid }),
        renew: () => lifecycle.renew(session, { user: invalid, authentication: 'custom' }),
        reauthenticated: () => lifecycle.reauthenticated(session, { user: invalid, authentication: 'custom' }),
        limitOf: () => limits.limitOf(invalid),
        enforce: () => limits.enforce(invalid),
        signInAs: () => signInAs(bank.app, invalid),
      };
      const { id, roles } = invalid;
      const auth = bank.app.get(SessionAuthService);
      const devices = bank.app.get(RememberMeService);
      const ofIds: Record<string, () => Promise<unknown>> = {
        list: () => lifecycle.list(id),
        revoke: () => lifecycle.revoke(id, session.id),
        revokeOthers: () => lifecycle.revokeOthers(id, session.id),
        revokeAll: () => lifecycle.revokeAll(id),
        revokeUpstream: () => lifecycle.revokeUpstream(id, { sid: 'a' }),
        updateUser: () => lifecycle.updateUser(id, { email: 'a@example.com' }),
        count: () => limits.count(id),
        credentialsChanged: () => auth.credentialsChanged(id),
        accountDisabled: () => auth.accountDisabled(id),
        rolesChanged: () => auth.rolesChanged(id, ['admin']),
        issue: () => devices.issue(id, session.id),
        devices: () => devices.list(id),
        revokeDevice: () => devices.revoke(id, 'x'),
        revokeDevices: () => devices.revokeAll(id),
      };
      const ofRoles: Record<string, () => Promise<unknown>> = {
        updateUser: () => lifecycle.updateUser('alice', { roles: roles! }),
        rolesChanged: () => auth.rolesChanged('alice', roles!),
        rotate: () => lifecycle.rotate(session, { changes: { roles: roles! } }),
      };
      const calls = { ...ofUsers, ...('id' in mistake ? ofIds : ofRoles) };
      for (const [name, call] of Object.entries(calls)) {
        // rejects, and does not throw: callers wait for a promise
        const outcome = await call().then(
          () => 'resolved',
          (error: unknown) => error,
        );
        expect({ name, outcome }).toEqual({ name, outcome: INVALID });
      }
      expect((await lifecycle.list('alice')).sessions).toHaveLength(1);
    } finally {
      await bank.close();
      await backend.close();
    }
  });
});
