import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { SessionAuthService, SessionLifecycleService } from 'nestjs-session-auth';
import type { Answer, BankClient } from '../support/bank-client.js';
import { EVERYWHERE, openBackend, startBank, type Backend, type Bank } from '../support/bank.js';
import { EventStream } from '../support/event-stream.js';
import { ManualClock } from '../support/manual-clock.js';
import { until } from '../support/patience.js';
import { open, StreamController, waiting } from '../support/stream-controller.js';

const MINUTE = 60_000;

describe.each(EVERYWHERE)('what is under way on $adapter with $store', ({ adapter, store }) => {
  let backend: Backend;
  let here: Bank;
  let there: Bank;
  let alice: BankClient;
  let cookie: string;
  let stream: EventStream;
  let poll: Promise<Answer>;

  beforeEach(async () => {
    backend = await openBackend(store);
    const clock = new ManualClock();
    const start = (): Promise<Bank> =>
      startBank({
        adapter,
        backend: { ...backend, storage: backend.linkedStorage! },
        clock,
        options: { lifetime: { idle: '10m', absolute: '1h', touchInterval: 0 } },
        module: { controllers: [StreamController] },
      });
    [here, there] = [await start(), await start()];
    alice = here.client();
    await alice.login('alice');
    ({ cookie } = alice);
    // what is under way is on the other node than what ends it
    stream = await EventStream.open(there.port, '/streams/guarded', cookie);
    poll = there.send('GET', '/streams/poll', { cookie });
    await stream.flows();
    await until(() => waiting() === 1);
  });

  afterEach(async () => {
    stream.close();
    await here.close();
    await there.close();
    await backend.close();
  });

  /** The stream and the long poll are told, and nothing is left of them. */
  async function isEndedBy(endReason: string | undefined): Promise<void> {
    const told = { code: 'session_ended', ...(endReason !== undefined && { endReason }) };
    const last = await stream.last();
    expect([stream.state, last?.type, JSON.parse(last!.data)]).toEqual(['complete', 'session_ended', told]);
    expect(await poll).toMatchObject({ status: 401, json: { ...told, statusCode: 401, realm: 'default' } });
    expect([open.get('guarded'), waiting()]).toEqual([0, 0]);
    // EventSource gives up for good
    expect((await there.send('GET', '/streams/guarded', { cookie })).status).toBe(401);
  }

  const idOf = async (client: BankClient): Promise<string> => {
    const { json } = await client.get('/auth/sessions');
    return (json as { id: string; current: boolean }[]).find(({ current }) => current)!.id;
  };

  it.each<[endReason: string, end: () => Promise<unknown>]>([
    ['logout', () => alice.post('/auth/logout')],
    ['revoked', async () => here.app.get(SessionLifecycleService).revoke('alice', await idOf(alice))],
    ['revoked', () => here.app.get(SessionLifecycleService).revokeAll('alice')],
    [
      'evicted',
      async () => {
        for (let i = 0; i < 3; i += 1) await here.client().login('alice');
      },
    ],
    ['replaced', () => alice.login('bob')],
    ['credentials_changed', () => here.app.get(SessionAuthService).credentialsChanged('alice')],
    ['account_disabled', () => here.app.get(SessionAuthService).accountDisabled('alice')],
  ])('ends when the session does on another node: %s', async (endReason, end) => {
    await end();
    await isEndedBy(endReason);
  });

  it('ends when the session has been idle for too long, and not before', async () => {
    here.clock.advance(9 * MINUTE);
    expect(await alice.isSignedIn()).toBe(true);
    here.clock.advance(9 * MINUTE);
    await stream.flows(100);
    expect(stream.state).toBe('open');
    here.clock.advance(2 * MINUTE);
    await isEndedBy('expired');
  });

  it('ends when the session ends, even if it is in use', async () => {
    for (let minutes = 0; minutes < 60; minutes += 6) {
      expect(await alice.isSignedIn()).toBe(true);
      here.clock.advance(6 * MINUTE);
    }
    await isEndedBy('expired');
  });

  it('goes on when the session gets another token, by a new proof and after a change of roles', async () => {
    await alice.post('/auth/reauthenticate', { password: 'alice-demo-password' });
    await here.app.get(SessionAuthService).rolesChanged('alice', ['teller']);
    await alice.isSignedIn();
    expect(alice.cookie).not.toBe(cookie);
    await stream.flows(100);
    expect([stream.state, waiting()]).toEqual(['open', 1]);
    await alice.post('/auth/logout');
    await isEndedBy('logout');
  });
});
