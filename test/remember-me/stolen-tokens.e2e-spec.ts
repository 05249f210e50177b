import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { SessionEvent, SessionListItem } from 'nestjs-session-auth';
import { REMEMBER_COOKIE, SESSION_COOKIE, type Answer, type BankClient } from '../support/bank-client.js';
import { EVERYWHERE, openBackend, startBank, type Backend, type Bank } from '../support/bank.js';
import { StoppedClock, type ManualClock } from '../support/manual-clock.js';

const SECOND = 1000;
const MINUTE = 60 * SECOND;

describe.each(EVERYWHERE)('a stolen remember-me token on $adapter with $store', ({ adapter, store }) => {
  let backend: Backend;
  let bank: Bank;
  let clock: ManualClock;
  let alice: BankClient;
  let phone: BankClient;
  let bob: BankClient;

  const start = async (options: object = {}): Promise<Bank> => startBank({ adapter, backend, clock, options });

  beforeEach(async () => {
    clock = new StoppedClock();
    backend = await openBackend(store);
    bank = await start();
    [alice, phone, bob] = [bank.client(), bank.client(), bank.client()];
    await phone.login('alice', { rememberMe: true });
    await bob.login('bob', { rememberMe: true });
    await alice.login('alice', { rememberMe: true });
    alice.restart();
  });

  afterEach(async () => {
    await bank.close();
    await backend.close();
  });

  const thefts = (): SessionEvent[] => bank.events.filter(({ type }) => type === 'remember_me.theft');
  /** Somebody who has copied a browser's remember-me cookie. */
  const thiefOf = (victim: BankClient): BankClient => {
    const thief = bank.client();
    thief.cookies.set(REMEMBER_COOKIE, victim.cookies.get(REMEMBER_COOKIE)!);
    return thief;
  };
  /** Somebody who copied the cookie before the owner used it twice: theirs was replaced, longer ago than the grace. */
  const thiefWithReplaced = async (): Promise<BankClient> => {
    const thief = thiefOf(alice);
    for (let restart = 0; restart < 2; restart += 1) {
      expect(await alice.isSignedIn()).toBe(true);
      alice.restart();
      clock.advance(31 * SECOND);
    }
    expect(await alice.isSignedIn()).toBe(true);
    expect(thefts()).toEqual([]);
    clock.advance(31 * SECOND);
    return thief;
  };
  const expectAlarm = async (): Promise<void> => {
    expect(thefts()).toEqual([expect.objectContaining({ userId: 'alice' })]);
    for (const device of [alice, phone]) {
      expect(await device.isSignedIn()).toBe(false);
      device.restart();
      expect(await device.isSignedIn()).toBe(false);
    }
    expect(await bob.isSignedIn()).toBe(true);
    bob.restart();
    expect(await bob.isSignedIn()).toBe(true);
    expect(thefts()).toHaveLength(1);
  };
  const names = ({ setCookies }: Answer): string[] => setCookies.map((line) => line.split('=')[0]!);

  it('that comes again once it was replaced ends all tokens and sessions of the user', async () => {
    const thief = await thiefWithReplaced();
    const answer = await thief.get('/api/me');
    expect(answer.status).toBe(401);
    expect(answer.json).toMatchObject({ code: 'session_required' });
    expect(thief.cookies.size).toBe(0);
    expect(thefts()).toEqual([expect.objectContaining({ userId: 'alice', revokedTokens: 2, revokedSessions: 2 })]);
    await expectAlarm();
  });

  it('never serves two in lockstep: the second one, later than the grace, raises the alarm', async () => {
    const thief = thiefOf(alice);
    const served: boolean[] = [];
    for (let round = 0; round < 3; round += 1) {
      for (const each of [thief, alice]) {
        served.push(await each.isSignedIn());
        clock.advance(2 * MINUTE);
        await each.isSignedIn();
        each.restart();
      }
    }
    expect(served.slice(0, 3)).toEqual([true, false, false]);
    await expectAlarm();
  });

  it('ends with the session that it signed in when its thief hides behind a logout: no session is left', async () => {
    const thief = thiefOf(alice);
    expect(await thief.isSignedIn()).toBe(true);
    clock.advance(31 * SECOND);
    const session = new Map([[SESSION_COOKIE, thief.sealed]]);
    thief.cookies.delete(SESSION_COOKIE);
    expect((await thief.post('/auth/logout')).status).toBe(204);
    for (const [name, value] of session) thief.cookies.set(name, value);
    expect(await thief.isSignedIn()).toBe(false);
    expect(await alice.isSignedIn()).toBe(false);
    expect((await phone.get('/auth/sessions')).json).toHaveLength(1);
  });

  it('raises the alarm at a logout, which still logs out', async () => {
    const thief = await thiefWithReplaced();
    const answer = await thief.post('/auth/logout');
    expect(answer.status).toBe(204);
    expect(answer.headers['clear-site-data']).toBe('"cookies", "storage"');
    expect(names(answer)).toContain(REMEMBER_COOKIE);
    await expectAlarm();
  });

  it('raises the alarm at a logout by its victim, while the thief goes on with what was handed out', async () => {
    const thief = thiefOf(alice);
    expect(await thief.isSignedIn()).toBe(true);
    clock.advance(2 * MINUTE);
    expect(await thief.isSignedIn()).toBe(true);
    expect((await alice.post('/auth/logout')).status).toBe(204);
    expect(await thief.isSignedIn()).toBe(false);
    await expectAlarm();
  });

  it.each([true, false])(
    'raises the alarm at the login of another account, which succeeds beside it (remembered: %s)',
    async (rememberMe) => {
      const thief = await thiefWithReplaced();
      await thief.login('bob', { rememberMe });
      expect(await thief.isSignedIn()).toBe(true);
      expect(thief.cookies.has(REMEMBER_COOKIE)).toBe(rememberMe);
      await expectAlarm();
      expect(await thief.isSignedIn()).toBe(true);
    },
  );

  it.each([true, false])(
    'raises the alarm at a login of the same account, whose new session is all that is left (remembered: %s)',
    async (rememberMe) => {
      const thief = await thiefWithReplaced();
      await thief.login('alice', { rememberMe });
      await expectAlarm();
      expect(await thief.isSignedIn()).toBe(true);
      const list = (await thief.get('/auth/sessions')).json as SessionListItem[];
      expect(list).toMatchObject([{ current: true }]);
      thief.restart();
      expect(await thief.isSignedIn()).toBe(rememberMe);
    },
  );

  it('raises the alarm at a change of the password, which succeeds: the current session continues', async () => {
    const thief = await thiefWithReplaced();
    alice.cookies.set(REMEMBER_COOKIE, thief.cookies.get(REMEMBER_COOKIE)!);
    const passwords = { currentPassword: 'alice-demo-password', newPassword: 'another-demo-password' };
    expect((await alice.post('/api/settings/password', passwords)).status).toBeLessThan(300);
    expect(thefts()).toEqual([expect.objectContaining({ userId: 'alice', revokedTokens: 2, revokedSessions: 1 })]);
    expect(await alice.isSignedIn()).toBe(true);
    expect(alice.cookies.has(REMEMBER_COOKIE)).toBe(false);
    expect(await phone.isSignedIn()).toBe(false);
  });

  it('leaves sessions alone with revoke-tokens, also where it is taken in', async () => {
    await bank.close();
    bank = await start({ rememberMe: { onTheft: 'revoke-tokens' } });
    for (const client of [alice, phone, bob]) client.port = bank.port;
    const thief = await thiefWithReplaced();
    expect((await thief.post('/auth/logout')).status).toBe(204);
    expect(thefts()).toEqual([expect.objectContaining({ userId: 'alice', revokedTokens: 2, revokedSessions: 0 })]);
    expect(await alice.isSignedIn()).toBe(true);
    alice.restart();
    expect(await alice.isSignedIn()).toBe(false);
  });

  it('is no theft for a token that is forgotten: the login over a live session renews that, and ends no other', async () => {
    expect(await alice.isSignedIn()).toBe(true);
    const before = (await alice.get('/auth/session')).json as SessionListItem;
    const after = await alice.login('alice', { rememberMe: true });
    expect(after.id).toBe(before.id);
    expect(await alice.isSignedIn()).toBe(true);
    expect(await phone.isSignedIn()).toBe(true);
    expect(thefts()).toEqual([]);
  });

  it('ends the session of a device at the login of another account that takes its token in', async () => {
    expect(await alice.isSignedIn()).toBe(true);
    const session = alice.sealed;
    alice.restart();
    await alice.login('bob');
    expect((await phone.get('/auth/sessions')).json).toHaveLength(1);
    alice.cookies.set(SESSION_COOKIE, session);
    expect(await alice.isSignedIn()).toBe(false);
    expect(thefts()).toEqual([]);
  });
});
