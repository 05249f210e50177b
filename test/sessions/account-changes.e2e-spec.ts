import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { PasswordHasher, SessionAuthService } from 'nestjs-session-auth';
import { REMEMBER_COOKIE, type BankClient } from '../support/bank-client.js';
import { EVERYWHERE, ON_MYSQL, openBackend, startBank, type Backend, type Bank } from '../support/bank.js';
import { tokenIn } from '../support/forged-cookies.js';
import { BankUsersService } from '../../src/users/bank-users.service.js';

const OLD = 'alice-demo-password';
const NEW = 'a new password for alice';

describe.each([...EVERYWHERE, ...ON_MYSQL])('changes of an account on $adapter with $store', ({ adapter, store }) => {
  let backend: Backend;
  let bank: Bank;
  let alice: BankClient;
  let other: BankClient;
  let admin: BankClient;

  beforeEach(async () => {
    backend = await openBackend(store);
    bank = await startBank({ adapter, backend });
    [alice, other, admin] = [bank.client(), bank.client(), bank.client()];
    for (const client of [alice, other]) await client.login('alice');
    await admin.login('admin');
  });

  afterEach(async () => {
    await bank.close();
    await backend.close();
  });

  const changePassword = (client: BankClient, currentPassword = OLD): ReturnType<BankClient['post']> =>
    client.post('/api/settings/password', { currentPassword, newPassword: NEW });
  const setRoles = (id: string, roles: string[]): ReturnType<BankClient['post']> =>
    admin.ask('PUT', `/api/admin/users/${id}/roles`, { body: { roles } });

  it('a new password ends all other sessions, and the current one continues with a new token', async () => {
    const before = alice.cookie;
    const answer = await changePassword(alice);
    expect([answer.status, answer.json]).toEqual([200, { revokedSessions: 1 }]);
    expect(await other.isSignedIn()).toBe(false);
    expect(await alice.isSignedIn()).toBe(true);
    expect(await bank.client().isSignedIn({ cookie: before })).toBe(false);
    expect(answer.setCookies.filter((line) => line.startsWith('__Host-session='))).toHaveLength(1);
    expect(bank.events).toContainEqual(
      expect.objectContaining({ type: 'session.destroyed', userId: 'alice', reason: 'credentials_changed' }),
    );
    expect(bank.events).toContainEqual(
      expect.objectContaining({ type: 'session.rotated', userId: 'alice', reason: 'credentials_changed' }),
    );
    expect((await bank.client().tryLogin('alice')).status).toBe(401);
    const again = await bank.client().post('/auth/login', { email: 'alice@example.com', password: NEW });
    expect(again.status).toBe(200);
  });

  it('a new password forgets every remembered device, the current one as well', async () => {
    const phone = bank.client();
    await phone.login('alice', { rememberMe: true });
    await alice.login('alice', { rememberMe: true });
    const stolen = [phone, alice].map((client) => client.cookies.get(REMEMBER_COOKIE)!);
    expect((await changePassword(alice)).status).toBe(200);
    expect(alice.cookies.has(REMEMBER_COOKIE)).toBe(false);
    expect(await alice.isSignedIn()).toBe(true);
    for (const value of stolen) {
      expect(await bank.client().isSignedIn({ cookie: `${REMEMBER_COOKIE}=${value}` })).toBe(false);
    }
    expect(bank.events.filter(({ type }) => type === 'remember_me.theft')).toEqual([]);
  });

  it('a wrong current password changes nothing', async () => {
    expect((await changePassword(alice, 'not it')).status).toBe(401);
    expect([await alice.isSignedIn(), await other.isSignedIn()]).toEqual([true, true]);
    expect((await bank.client().tryLogin('alice')).status).toBe(200);
  });

  it('without a session to keep, and for one of somebody else, all of them end', async () => {
    const auth = bank.app.get(SessionAuthService);
    expect(await auth.credentialsChanged('alice')).toEqual({ revokedSessions: 2 });
    expect([await alice.isSignedIn(), await other.isSignedIn()]).toEqual([false, false]);
    expect(await admin.isSignedIn()).toBe(true);
  });

  it('a login with the old password that is under way when the password changes does not survive', async () => {
    const { reached, release } = holdVerification(bank, OLD);
    const late = bank.client();
    const login = late.tryLogin('alice');
    await reached;
    const users = bank.app.get(BankUsersService);
    await users.savePasswordHash('alice', await bank.app.get(PasswordHasher).hash(NEW));
    await bank.app.get(SessionAuthService).credentialsChanged('alice');
    release();
    expect((await login).status).toBe(401);
    expect(await late.isSignedIn()).toBe(false);
    expect((await admin.get('/api/admin/sessions')).json).toEqual([expect.objectContaining({ userId: 'admin' })]);
  });

  it('disabling a user ends everything at once, and a login under way with it', async () => {
    const { reached, release } = holdVerification(bank, OLD);
    const login = bank.client().tryLogin('alice');
    await reached;
    const answer = await admin.post('/api/admin/users/alice/disable');
    expect([answer.status, answer.json]).toEqual([200, { revokedSessions: 2 }]);
    release();
    expect((await login).status).toBe(401);
    expect([await alice.isSignedIn(), await other.isSignedIn()]).toEqual([false, false]);
    expect((await bank.client().tryLogin('alice')).status).toBe(401);
    expect((await admin.get('/api/admin/sessions')).json).toEqual([expect.objectContaining({ userId: 'admin' })]);
    expect((await admin.post('/api/admin/users/nobody/disable')).status).toBe(404);
    const bob = bank.client();
    await bob.login('bob');
    expect((await bob.post('/api/admin/users/admin/disable')).status).toBe(403);
  });

  it('new roles hold from the very next request on, everywhere, and each token is replaced', async () => {
    expect((await setRoles('alice', ['customer', 'admin'])).json).toEqual({ sessions: 2 });
    for (const client of [alice, other]) {
      const before = tokenIn(bank, client.sealed);
      expect((await client.get('/api/admin/sessions')).status).toBe(200);
      expect(tokenIn(bank, client.sealed)).not.toBe(before);
    }
    await setRoles('alice', ['customer']);
    for (const client of [alice, other]) expect((await client.get('/api/admin/sessions')).status).toBe(403);
    expect((await alice.get('/api/me')).json).toMatchObject({ roles: ['customer'] });
  });

  it('a re-authentication under way does not bring the old roles back', async () => {
    await setRoles('alice', ['customer', 'admin']);
    expect((await alice.get('/api/admin/sessions')).status).toBe(200);
    const { reached, release } = holdVerification(bank, OLD);
    const confirmed = alice.post('/auth/reauthenticate', { password: OLD });
    await reached;
    await setRoles('alice', ['customer']);
    release();
    expect((await confirmed).status).toBe(200);
    expect((await alice.get('/api/admin/sessions')).status).toBe(403);
  });

  it('nor does a login, nor rotations on every request', async () => {
    await setRoles('alice', ['customer', 'admin']);
    const { reached, release } = holdVerification(bank, OLD);
    const late = bank.client();
    const login = late.tryLogin('alice');
    await reached;
    const [, ...seen] = await Promise.all([
      setRoles('alice', ['customer']),
      ...Array.from({ length: 10 }, () => alice.get('/api/me')),
    ]);
    expect(new Set(seen.map((answer) => answer.status))).toEqual(new Set([200]));
    release();
    expect((await login).json).toMatchObject({ user: { roles: ['customer'] }, session: { roles: ['customer'] } });
    expect((await late.get('/api/admin/sessions')).status).toBe(403);
    expect((await alice.get('/api/admin/sessions')).status).toBe(403);
  });
});

/** Stops the next check of a password, after it was found right, until it is released. */
function holdVerification(bank: Bank, password: string): { reached: Promise<void>; release: () => void } {
  const hasher = bank.app.get(PasswordHasher);
  const verify = hasher.verify.bind(hasher);
  let release = (): void => undefined;
  const released = new Promise<void>((resolve) => (release = resolve));
  const reached = new Promise<void>((resolve) => {
    hasher.verify = async (given, hash) => {
      hasher.verify = verify;
      expect(given).toBe(password);
      const matches = await verify(given, hash);
      resolve();
      await released;
      return matches;
    };
  });
  return { reached, release };
}
