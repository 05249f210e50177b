import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { SessionAuthService, SessionLink, type SessionSignal } from 'nestjs-session-auth';
import type { BankClient } from '../support/bank-client.js';
import { openBackend, startBank, STORES, type Backend, type Bank } from '../support/bank.js';
import { until } from '../support/patience.js';

describe.each([...STORES, 'node-redis'] as const)(
  'signals about sessions that end or change on another node, with %s',
  (store) => {
    let backend: Backend;
    let here: Bank;
    let there: Bank;
    let alice: BankClient;
    let heard: SessionSignal[];

    beforeEach(async () => {
      backend = await openBackend(store);
      const start = (): Promise<Bank> =>
        startBank({
          adapter: 'fastify',
          backend: { ...backend, storage: backend.linkedStorage! },
          options: { concurrency: { max: 3, onLimit: 'evict-oldest' } },
        });
      [here, there] = [await start(), await start()];
      alice = here.client();
      heard = [];
      await watched(alice);
    });

    afterEach(async () => {
      await here.close();
      await there.close();
      await backend.close();
    });

    /** Signs alice in, and has her session watched by the node that she does not use. */
    async function watched(client: BankClient): Promise<string> {
      await client.login('alice');
      const id = await idOf(client);
      const link = there.app.get(SessionLink);
      await link.open();
      link.watch((signal) => void (signal.id === id && heard.push(signal)));
      return id;
    }

    async function idOf(client: BankClient): Promise<string> {
      const { json } = await client.get('/auth/sessions');
      return (json as { id: string; current: boolean }[]).find(({ current }) => current)!.id;
    }

    const isHeard = async (signal: Partial<SessionSignal>): Promise<void> => {
      await until(() => heard.length > 0);
      expect(heard[0]).toMatchObject({ realm: 'default', userId: 'alice', ...signal });
    };

    it('a logout', async () => {
      await alice.post('/auth/logout');
      await isHeard({ type: 'ended', reason: 'logout' });
    });

    it('a revocation, of one session and of all others', async () => {
      const other = here.client();
      const id = await watched(other);
      await alice.ask('DELETE', `/auth/sessions/${id}`);
      await isHeard({ type: 'ended', reason: 'revoked', id });
      heard.length = 0;
      const third = await watched(here.client());
      await alice.ask('DELETE', '/auth/sessions');
      await isHeard({ type: 'ended', reason: 'revoked', id: third });
    });

    it('an eviction by the limit', async () => {
      for (let i = 0; i < 3; i += 1) await here.client().login('alice');
      await isHeard({ type: 'ended', reason: 'evicted' });
    });

    it('a login by the same browser, which replaces the session', async () => {
      const id = await idOf(alice);
      await alice.login('bob');
      await isHeard({ type: 'ended', reason: 'replaced', id });
    });

    it.each([
      ['credentials_changed', (auth: SessionAuthService) => auth.credentialsChanged('alice')],
      ['account_disabled', (auth: SessionAuthService) => auth.accountDisabled('alice')],
    ] as const)('%s', async (reason, change) => {
      await change(here.app.get(SessionAuthService));
      await isHeard({ type: 'ended', reason });
    });

    it('a change of roles, and a proof of who the user is', async () => {
      await here.app.get(SessionAuthService).rolesChanged('alice', ['teller']);
      await isHeard({ type: 'changed' });
      expect(await alice.isSignedIn()).toBe(true);
      heard.length = 0;
      await alice.post('/auth/reauthenticate', { password: 'alice-demo-password' });
      await isHeard({ type: 'changed' });
    });

    it('nothing any more when its application is closed', async () => {
      const link = there.app.get(SessionLink);
      expect(link.isHealthy).toBe(true);
      await there.close();
      await alice.post('/auth/logout');
      expect([link.isHealthy, heard]).toEqual([store === 'memory', store === 'memory' ? [expect.anything()] : []]);
      there = await startBank({ adapter: 'fastify', backend });
    });
  },
);

describe.each(['redis', 'postgres'] as const)('a storage without the option link, with %s', (store) => {
  it('has no link', async () => {
    const backend = await openBackend(store);
    const bank = await startBank({ adapter: 'fastify', backend });
    expect(bank.app.get(SessionLink)).toBeUndefined();
    await bank.close();
    await backend.close();
  });
});
