import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { SessionAuthExtras, SessionListItem } from 'nestjs-session-auth';
import type { BankClient } from '../support/bank-client.js';
import { EVERYWHERE, openBackend, startBank, type Backend, type Bank } from '../support/bank.js';

const MINUTE = 60_000;
const REFUSAL = { status: 401, json: { code: 'recent_authentication_required' } };

describe.each(EVERYWHERE)('ending other sessions on $adapter with $store', ({ adapter, store }) => {
  let backend: Backend;
  let bank: Bank;
  let alice: BankClient;
  let elsewhere: BankClient;

  const start = async (endpoints?: SessionAuthExtras['endpoints']): Promise<void> => {
    bank = await startBank({ adapter, backend, ...(endpoints && { options: { endpoints } }) });
    alice = bank.client();
    elsewhere = bank.client();
    await elsewhere.login('alice');
  };
  const idsOf = async (): Promise<{ current: string; other: string }> => {
    const sessions = (await alice.get('/auth/sessions')).json as SessionListItem[];
    const id = (current: boolean): string => sessions.find((each) => each.current === current)!.id;
    return { current: id(true), other: id(false) };
  };

  beforeEach(async () => (backend = await openBackend(store)));
  afterEach(async () => {
    await bank.close();
    await backend.close();
  });

  it('needs a password that was entered less than ten minutes ago; ending one’s own does not', async () => {
    await start();
    await alice.login('alice');
    const { current, other } = await idsOf();
    bank.clock.advance(10 * MINUTE + 1000);
    expect(await alice.ask('DELETE', '/auth/sessions')).toMatchObject(REFUSAL);
    expect(await alice.ask('DELETE', '/auth/sessions?include=current')).toMatchObject(REFUSAL);
    expect(await alice.ask('DELETE', `/auth/sessions/${other}`)).toMatchObject(REFUSAL);
    expect(await alice.ask('DELETE', '/auth/sessions/unknown')).toMatchObject(REFUSAL);
    expect(await elsewhere.isSignedIn()).toBe(true);
    await alice.post('/auth/reauthenticate', { password: 'alice-demo-password' });
    bank.clock.advance(9 * MINUTE);
    expect((await alice.ask('DELETE', `/auth/sessions/${other}`)).status).toBe(204);
    expect(await elsewhere.isSignedIn()).toBe(false);
    bank.clock.advance(2 * MINUTE);
    expect((await alice.ask('DELETE', `/auth/sessions/${current}`)).status).toBe(204);
    expect(await alice.isSignedIn()).toBe(false);
  });

  it('is not for a device that is only remembered: it cannot sign its owner out everywhere', async () => {
    await start();
    await alice.login('alice', { rememberMe: true });
    alice.restart();
    const { other, current } = await idsOf();
    expect(await alice.ask('DELETE', '/auth/sessions')).toMatchObject(REFUSAL);
    expect(await alice.ask('DELETE', `/auth/sessions/${other}`)).toMatchObject(REFUSAL);
    expect(await elsewhere.isSignedIn()).toBe(true);
    expect((await alice.ask('DELETE', `/auth/sessions/${current}`)).status).toBe(204);
  });

  it('asks for what the application says: another time, or nothing', async () => {
    await start({ recentAuth: '1m' });
    await alice.login('alice');
    bank.clock.advance(MINUTE + 1000);
    expect(await alice.ask('DELETE', '/auth/sessions')).toMatchObject(REFUSAL);
    await bank.close();
    await start({ recentAuth: false });
    await alice.login('alice', { rememberMe: true });
    alice.restart();
    expect(await alice.isSignedIn()).toBe(true);
    expect(await alice.ask('DELETE', '/auth/sessions')).toMatchObject({
      status: 200,
      json: { revoked: expect.any(Number) },
    });
    expect(await elsewhere.isSignedIn()).toBe(false);
  });
});
