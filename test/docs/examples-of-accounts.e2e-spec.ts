import { randomBytes, scryptSync } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { Injectable, type INestApplication, type Type } from '@nestjs/common';
import { signInAs } from 'nestjs-session-auth/testing';
import { AccountsController } from '../../examples/account-changes/accounts.controller.js';
import { Accounts } from '../../examples/account-changes/accounts.js';
import { BreachController } from '../../examples/account-changes/breach.controller.js';
import { PasswordController } from '../../examples/account-changes/password.controller.js';
import { PasswordResetController } from '../../examples/account-changes/password-reset.controller.js';
import { Api, ApiError } from '../../examples/csrf-spa/api.js';
import { LegacyPasswordHasher } from '../../examples/migrating/legacy-password-hasher.js';
import { ObjectId, type Account } from '../../examples/migrating/mongo-accounts.js';
import { MongoUsersService } from '../../examples/migrating/mongo-users.service.js';
import { AppModule as Notes } from '../../examples/quick-start/app.module.js';
import { BackchannelLogoutController } from '../../examples/single-sign-on/backchannel-logout.controller.js';
import {
  IdentityProvider,
  type ProviderLogin,
  type ProviderLogout,
} from '../../examples/single-sign-on/identity-provider.js';
import { SingleSignOnController } from '../../examples/single-sign-on/single-sign-on.controller.js';
import { KeyRing } from '../../libs/session-auth/src/crypto/key-ring.js';
import { SessionCookie } from '../../libs/session-auth/src/cookies/session-cookie.js';
import { cookieAttributes } from '../../libs/session-auth/test/fixtures/cookie-attributes.js';
import { BankClient, type Answer } from '../support/bank-client.js';
import { ADA, logIn, startExample, type ExampleApp, type ExampleSetup } from '../support/example-app.js';

const DAY = 24 * 60 * 60_000;
const ASKED_AT = new Date(Date.now() - DAY);

/** Accounts that note what they were told. */
@Injectable()
class NotedAccounts extends Accounts {
  readonly calls: string[] = [];

  savePasswordHash(id: string, passwordHash: string): Promise<void> {
    return this.#note(`password of ${id}: ${passwordHash.slice(0, 4)}`);
  }

  saveRoles(id: string, roles: readonly string[]): Promise<void> {
    return this.#note(`roles of ${id}: ${roles.join()}`);
  }

  disable(id: string): Promise<void> {
    return this.#note(`disabled ${id}`);
  }

  redeemResetCode(code: string): Promise<string | undefined> {
    return Promise.resolve(code === 'good' ? '1' : undefined);
  }

  #note(call: string): Promise<void> {
    this.calls.push(call);
    return Promise.resolve();
  }
}

@Injectable()
class TestIdentityProvider extends IdentityProvider {
  loginOf({ code, sid }: Readonly<Record<string, string>>): Promise<ProviderLogin | undefined> {
    const user = { id: '1', email: ADA.email, roles: ['author'], passwordHash: '' };
    return Promise.resolve(code === 'good' ? { user, sid, authenticatedAt: ASKED_AT } : undefined);
  }

  logoutOf(logoutToken: string): Promise<ProviderLogout | undefined> {
    const [signature, userId = '', sid] = logoutToken.split('.');
    return Promise.resolve(signature === 'signed' ? { userId, sid } : undefined);
  }
}

describe('the examples of the guides', () => {
  let running: ExampleApp | undefined;
  const provider = {
    controllers: [SingleSignOnController, BackchannelLogoutController],
    providers: [{ provide: IdentityProvider, useClass: TestIdentityProvider }],
  };

  afterEach(() => running?.close());

  async function start(module: Type<object>, setup?: ExampleSetup): Promise<ExampleApp> {
    running = await startExample(module, setup);
    return running;
  }

  describe('of account changes', () => {
    const beside = {
      controllers: [AccountsController, PasswordController, PasswordResetController],
      providers: [{ provide: Accounts, useClass: NotedAccounts }],
    };
    const notesOf = ({ app }: ExampleApp): string[] => app.get<NotedAccounts>(Accounts).calls;
    const isSignedIn = async (client: BankClient): Promise<boolean> => (await client.get('/notes')).status === 200;

    it('a new password ends all other sessions', async () => {
      const example = await start(Notes, { beside });
      const [here, elsewhere] = [example.client(), example.client()];
      await logIn(here);
      await logIn(elsewhere);
      const wrong = await here.post('/accounts/password', { currentPassword: 'x', newPassword: 'new password' });
      expect(wrong.status).toBe(401);
      const body = { currentPassword: ADA.password, newPassword: 'new password' };
      expect((await here.post('/accounts/password', body)).status).toBe(204);
      expect(notesOf(example)).toEqual(['password of 1: $2b$']);
      expect([await isSignedIn(here), await isSignedIn(elsewhere)]).toEqual([true, false]);
    });

    it('a reset ends all sessions', async () => {
      const example = await start(Notes, { beside });
      const [there, mailed] = [example.client(), example.client()];
      await logIn(there);
      const reset = async (code: string): Promise<number> =>
        (await mailed.post('/password-reset', { code, newPassword: 'new password' })).status;
      expect([await reset('bad'), await isSignedIn(there)]).toEqual([401, true]);
      expect([await reset('good'), await isSignedIn(there)]).toEqual([204, false]);
    });

    it('an admin changes roles, and disables', async () => {
      const example = await start(Notes, { beside });
      const ada = example.client();
      await logIn(ada);
      const { cookie, csrfToken } = await signInAs(example.app, { id: 'root', roles: ['admin'] });
      const asked = { cookie, csrf: csrfToken };
      const ask = async (method: string, path: string, body?: object): Promise<number> =>
        (await example.client().ask(method, path, { ...asked, body })).status;
      expect((await ada.ask('PUT', '/accounts/1/roles', { body: { roles: ['admin'] } })).status).toBe(403);
      expect(await ask('PUT', '/accounts/1/roles', { roles: ['author', 'editor'] })).toBe(204);
      expect((await ada.get('/auth/session')).json).toMatchObject({ roles: ['author', 'editor'] });
      expect(await ask('POST', '/accounts/1/disable')).toBe(204);
      expect(await isSignedIn(ada)).toBe(false);
      expect(notesOf(example)).toEqual(['roles of 1: author,editor', 'disabled 1']);
    });
  });

  it('after a breach: an admin ends all sessions, or those from before a date', async () => {
    const example = await start(Notes, { beside: { controllers: [BreachController] } });
    const ada = example.client();
    const isSignedIn = async (): Promise<boolean> => (await ada.get('/notes')).status === 200;
    const end = async (path: string, roles = ['admin']): Promise<number> => {
      const { cookie, csrfToken } = await signInAs(example.app, { id: 'root', roles });
      return (await example.client().ask('POST', `/breach${path}`, { cookie, csrf: csrfToken })).status;
    };
    await logIn(ada, { rememberMe: true });
    expect([await end('', []), await isSignedIn()]).toEqual([403, true]);
    expect([await end(`/before/${new Date(0).toISOString()}`), await isSignedIn()]).toEqual([204, true]);
    expect([await end('/before/yesterday'), await isSignedIn()]).toEqual([500, true]);
    expect([await end(''), await isSignedIn()]).toEqual([204, false]);
    await logIn(ada);
    expect(await isSignedIn()).toBe(true);
  });

  it('of single sign-on: whom the provider knows is signed in', async () => {
    const ada = (await start(Notes, { beside: provider })).client();
    expect((await ada.get('/sso/callback?code=bad')).status).toBe(401);
    const back = await ada.get('/sso/callback?code=good');
    expect([back.status, back.headers.location]).toEqual([302, '/']);
    expect((await ada.get('/auth/session')).json).toMatchObject({
      userId: '1',
      authentication: 'custom',
      authenticatedAt: ASKED_AT.toISOString(),
    });
  });

  it('of single sign-on: the provider’s server ends what ended there', async () => {
    const example = await start(Notes, { beside: provider });
    const [one, two, three] = [example.client(), example.client(), example.client()];
    await one.get('/sso/callback?code=good&sid=a');
    await two.get('/sso/callback?code=good&sid=b');
    await three.get('/sso/callback?code=good');
    const areSignedIn = async (): Promise<boolean[]> =>
      Promise.all([one, two, three].map(async (client) => (await client.get('/notes')).status === 200));
    const logout = (body: string): Promise<Answer> =>
      example.client().post('/sso/backchannel-logout', body, {
        csrf: false,
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
      });
    for (const body of ['logout_token=forged.1.a', 'logout_token=', '', 'logout_token=signed.1.a&logout_token=x']) {
      expect((await logout(body)).status).toBe(400);
    }
    expect(await areSignedIn()).toEqual([true, true, true]);
    const { status, headers } = await logout('logout_token=signed.1.a');
    expect([status, headers['cache-control'], await areSignedIn()]).toEqual([200, 'no-store', [false, true, true]]);
    expect((await logout('logout_token=signed.2')).status).toBe(200);
    expect(await areSignedIn()).toEqual([false, true, true]);
    expect((await logout('logout_token=signed.1')).status).toBe(200);
    expect(await areSignedIn()).toEqual([false, false, false]);
  });

  it('of a single-page application: it keeps its token fresh by itself', async () => {
    const { port } = await start(Notes);
    const browser = new BankClient(port);
    const sent: string[] = [];
    const api = new Api((async (path: string, { method, headers, body }: RequestInit) => {
      sent.push(`${method} ${path}`);
      const given = headers as Record<string, string>;
      const answer = await browser.ask(method!, path, { body, csrf: false, headers: given });
      return new Response(answer.status === 204 ? null : answer.text, { status: answer.status });
    }) as typeof fetch);

    await expect(api.post('/notes', { text: 'early' })).rejects.toEqual(
      expect.objectContaining({ status: 401, code: 'session_required' }),
    );
    await expect(api.post('/auth/login', { ...ADA, password: 'wrong' })).rejects.toBeInstanceOf(ApiError);
    expect(await api.post('/auth/login', ADA)).toMatchObject({ user: { email: ADA.email } });
    sent.length = 0;
    await api.post('/notes', { text: 'with the token of the login' });
    expect(sent).toEqual(['POST /notes']);
    // another tab enters the password again, which gives the session a new token
    await browser.post('/auth/reauthenticate', { password: ADA.password });
    await api.post('/notes', { text: 'with the second try' });
    expect(sent).toEqual(['POST /notes', 'POST /notes', 'GET /auth/csrf', 'POST /notes']);
    expect(await api.get('/notes')).toMatchObject({ lastNote: 'with the second try' });
    await api.post('/auth/logout');
    await expect(api.get('/notes')).rejects.toMatchObject({ status: 401 });
  });

  it('of a migration: hashes of before are read, and are to be replaced', async () => {
    const hasher = new LegacyPasswordHasher();
    const salt = randomBytes(16).toString('hex');
    const before = `scrypt:${salt}:${scryptSync('secret', salt, 32).toString('hex')}`;
    expect([await hasher.verify('secret', before), await hasher.verify('guess', before)]).toEqual([true, false]);
    expect(hasher.needsRehash(before)).toBe(true);
    const now = await hasher.hash('secret');
    expect([await hasher.verify('secret', now), hasher.needsRehash(now)]).toEqual([true, false]);
    expect(await hasher.verify('secret', 'scrypt::')).toBe(false);
  });

  it('of a migration: an account of MongoDB has the text of its _id for an id', async () => {
    const account: Account = {
      _id: new ObjectId('65f1c0ffee65f1c0ffee65f1'),
      email: 'ada@example.com',
      roles: ['author'],
      passwordHash: '',
    };
    const users = new MongoUsersService({
      findOne: ({ email, _id }) =>
        Promise.resolve(email === account.email || String(_id) === String(account._id) ? account : null),
    });
    const { app } = await start(Notes);
    const user = (await users.findByEmail('Ada@example.com'))!;
    const { session } = await signInAs(app, user);
    expect(await users.findById(session.userId!)).toEqual(user);
    await expect(signInAs(app, { ...user, id: account._id as unknown as string })).rejects.toMatchObject({
      code: 'invalid_user',
    });
  });

  it('of key rotation: a cookie under the old secret opens, and is written again under the new one', async () => {
    const [current, old] = ['the secret of now is of more than 32 bytes', 'the secret of before has 32 bytes or more'];
    process.env['SESSION_SECRETS'] = `${current},${old}`;
    const { AppModule } = await import('../../examples/key-rotation/app.module.js');
    const ada = (await start(AppModule)).client();
    const { id } = ((await logIn(ada)).json as { session: { id: string } }).session;
    const now = Date.now();
    const settings = { attributes: cookieAttributes(), absolute: DAY, idle: DAY };
    const { token } = new SessionCookie(new KeyRing([current]), settings).read(ada.cookie, now)!;
    const session = { id, userId: '1', absoluteExpiresAt: new Date(now + DAY) };
    const before = new SessionCookie(new KeyRing([old]), settings).issue(token, session, now).split(';')[0]!;
    ada.cookies.set('__Host-session', before.split('=')[1]!);
    const answer = await ada.get('/auth/session');
    expect([answer.status, answer.setCookies]).toEqual([200, [expect.stringMatching(/^__Host-session=/)]]);
    expect(new SessionCookie(new KeyRing([current]), settings).find(ada.cookie, now)).toMatchObject({
      content: { token },
      outdated: false,
    });
  });

  it('of mixed storage: sessions in Redis, events in a file', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'audit-'));
    process.env['AUDIT_FILE'] = join(folder, 'audit.jsonl');
    process.env['REDIS_URL'] = process.env['TEST_REDIS_URL'];
    const { AppModule, client } = await import('../../examples/mixed-storage/app.module.js');
    try {
      await client.ping();
      const ada = (await start(AppModule)).client();
      expect((await logIn(ada)).status).toBe(200);
      expect((await ada.post('/auth/logout')).status).toBe(204);
      await running!.close();
      running = undefined;
      const lines = (await readFile(process.env['AUDIT_FILE'], 'utf8')).trimEnd().split('\n');
      const events = lines.map((line) => (JSON.parse(line) as { event: string }).event);
      expect(events).toEqual(['session_created', 'session_destroyed']);
    } finally {
      await client.quit();
      await rm(folder, { recursive: true });
    }
  });

  it.each(['express', 'fastify'])('behind a proxy on %s: its word counts, and the public origin', async (adapter) => {
    const { createApp } = (await import(`../../examples/behind-a-proxy/${adapter}.js`)) as {
      createApp: () => Promise<INestApplication>;
    };
    const app = await createApp();
    app.useLogger(false);
    await app.listen(0, '127.0.0.1');
    try {
      const { port } = new URL((await app.getUrl()).replace('[::1]', '127.0.0.1'));
      const ada = new BankClient(Number(port));
      ada.headers['x-forwarded-for'] = '192.0.2.7';
      ada.headers['origin'] = 'https://elsewhere.example';
      expect((await logIn(ada)).status).toBe(403);
      ada.headers['origin'] = 'https://bank.example';
      const { status, json } = await logIn(ada);
      expect([status, (json as { session: object }).session]).toEqual([
        200,
        expect.objectContaining({ ip: '192.0.2.7' }),
      ]);
    } finally {
      await app.close();
    }
  });
});
