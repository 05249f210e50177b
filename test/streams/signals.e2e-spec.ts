import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { SessionLifecycleService, SessionLink } from 'nestjs-session-auth';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { LiveSessions } from '../../libs/session-auth/src/link/live-sessions.js';
import type { BankClient } from '../support/bank-client.js';
import { EVERYWHERE, openBackend, SERVERS, startBank, type Backend, type Bank } from '../support/bank.js';
import { EventStream } from '../support/event-stream.js';
import { until } from '../support/patience.js';
import { arrive, FirstController, gate, StreamController, waiting } from '../support/stream-controller.js';

const ENDED = { status: 401, json: { code: 'session_ended', endReason: 'revoked' } };

const followed = ({ app }: Bank): number => app.get(LiveSessions).size;

describe.each(EVERYWHERE)('the signal of a session on $adapter with $store', ({ adapter, store }) => {
  let backend: Backend;
  let here: Bank;
  let there: Bank;
  let alice: BankClient;

  beforeEach(async () => {
    backend = await openBackend(store);
    const start = (): Promise<Bank> =>
      startBank({
        adapter,
        backend: { ...backend, storage: backend.linkedStorage! },
        module: { controllers: [StreamController] },
      });
    [here, there] = [await start(), await start()];
    alice = here.client();
    await alice.login('alice');
  });

  afterEach(async () => {
    await here.close();
    await there.close();
    await backend.close();
  });

  const endAll = (): Promise<number> => there.app.get(SessionLifecycleService).revokeAll('alice');

  it('responds to long polls when the session ends, without data that arrives after that', async () => {
    const polls = Array.from({ length: 100 }, () => alice.get('/streams/poll'));
    await until(() => waiting() === 100);
    expect(followed(here)).toBe(1);
    await endAll();
    const answers = await Promise.all(polls);
    arrive('a secret');
    for (const answer of answers) expect(answer).toMatchObject(ENDED);
    expect([waiting(), followed(here)]).toEqual([0, 0]);
  });

  it('has fired where the session ended after it was read, and before the handler asked for it', async () => {
    const late = alice.get('/streams/late');
    await until(() => gate.held === 1);
    await endAll();
    gate.open();
    // why it ended may have been told before anybody asked
    expect(await late).toMatchObject({ status: 401, json: { code: 'session_ended' } });
    await until(() => followed(here) === 0);
  });

  it('lets go of the session with the response: of 1,000 that asked nothing is left', async () => {
    for (let round = 0; round < 20; round += 1) {
      const answers = await Promise.all(Array.from({ length: 50 }, () => alice.get('/streams/same')));
      for (const { json } of answers) expect(json).toEqual({ isSame: true, isAborted: false });
    }
    await until(() => followed(here) === 0);
  });

  it('lets go where the client leaves', async () => {
    const stream = await EventStream.open(here.port, '/streams/download', alice.cookie);
    await until(() => stream.text.includes('page 3'));
    expect(followed(here)).toBe(1);
    stream.close();
    await until(() => followed(here) === 0);
  });

  it('ends a download, and a request to another server', async () => {
    const slow: Server = createServer(() => undefined);
    await new Promise<void>((resolve) => slow.listen(0, '127.0.0.1', resolve));
    const fetched = alice.get(`/streams/fetched/${(slow.address() as AddressInfo).port}`);
    const stream = await EventStream.open(here.port, '/streams/download', alice.cookie);
    await until(() => stream.text.includes('page 3'));
    await endAll();
    expect(await fetched).toMatchObject(ENDED);
    await until(() => stream.state !== 'open');
    expect([stream.state, followed(here)]).toEqual(['cut', 0]);
    slow.closeAllConnections();
    await new Promise((resolve) => slow.close(resolve));
  });

  it('is of one session each', async () => {
    const bob = here.client();
    await bob.login('bob');
    const [hers, his] = [alice, bob].map((client) => client.get('/streams/poll'));
    await until(() => waiting() === 2);
    await endAll();
    expect(await hers).toMatchObject(ENDED);
    arrive('news');
    expect(await his).toMatchObject({ status: 200, json: { data: 'news' } });
  });
});

describe.each(SERVERS)('the signal of a session on %s', (adapter) => {
  it('lets go of the session with the response, and ends long polls', async () => {
    const backend = await openBackend('memory');
    const bank = await startBank({ adapter, backend, module: { controllers: [StreamController] } });
    const alice = bank.client();
    await alice.login('alice');
    for (let i = 0; i < 20; i += 1) {
      expect((await alice.get('/streams/same')).json).toEqual({ isSame: true, isAborted: false });
    }
    await until(() => followed(bank) === 0);
    const polled = alice.get('/streams/poll');
    await until(() => waiting() === 1);
    await bank.app.get(SessionLifecycleService).revokeAll('alice');
    expect(await polled).toMatchObject(ENDED);
    await until(() => followed(bank) === 0);
    await bank.close();
  });
});

describe.each(['redis', 'postgres'] as const)('the first signal of a node opens the link, with %s,', (store) => {
  it('and misses no end meanwhile', async () => {
    const backend = await openBackend(store);
    const start = (): Promise<Bank> =>
      startBank({
        adapter: 'fastify',
        backend: { ...backend, storage: backend.linkedStorage! },
        module: { controllers: [FirstController] },
      });
    const there = await start();
    for (let round = 0; round < 5; round += 1) {
      const here = await start();
      const alice = there.client();
      const { id } = await alice.login('alice');
      const link = here.app.get(SessionLink);
      // as in an application without streams, which opens it when the first session is followed
      await link.close();
      expect(link.isHealthy).toBe(false);
      const polled = here.send('GET', '/first/poll', { cookie: alice.cookie });
      await until(() => waiting() === 1);
      // before it connects in one round, and when it has in another
      if (round > 2) await until(() => link.isHealthy);
      await there.app.get(SessionLifecycleService).revoke('alice', id);
      expect(await polled).toMatchObject({ status: 401, json: { code: 'session_ended' } });
      expect(followed(here)).toBe(0);
      await here.close();
    }
    await there.close();
    await backend.close();
  });
});

describe('the signal of a session', () => {
  it('says what is missing: of a list a request, of a storage without a link that', async () => {
    const backend = await openBackend('redis');
    const bank = await startBank({ adapter: 'express', backend, module: { controllers: [StreamController] } });
    const alice = bank.client();
    await alice.login('alice');
    expect(await alice.get('/streams/same')).toMatchObject({ status: 500, json: { code: 'not_configured' } });
    expect(bank.log.join('\n')).toContain('needs the session link: set link: true in the storage');
    const { sessions } = await bank.app.get(SessionLifecycleService).list('alice');
    expect(() => sessions[0]!.signal).toThrow(expect.objectContaining({ code: 'request_not_bound' }));
    await bank.close();
    await backend.close();
  });
});
