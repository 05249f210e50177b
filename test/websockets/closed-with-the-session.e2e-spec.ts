import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { SessionAuthService, SessionLifecycleService, SessionLink } from 'nestjs-session-auth';
import { signInAs } from 'nestjs-session-auth/testing';
import { setImmediate as turn } from 'node:timers/promises';
import { openBackend, STORES, type Backend } from '../support/bank.js';
import { BankClient } from '../support/bank-client.js';
import { until } from '../support/patience.js';
import { RunningTime } from '../support/running-time.js';
import { ALICE, startNode, type SocketNode } from '../support/socket-app.js';
import { connect, SOCKETS, type SocketClient } from '../support/socket-client.js';
import { handled } from '../support/socket-gateway.js';
import { watchesOf, type LiveWatches } from '../support/live-watches.js';

const HOUR = 3_600_000;

/** Each store with each library, on either adapter in turn: which of them it is on is no matter of the store. */
const EVERY = STORES.flatMap((store, row) =>
  SOCKETS.map(
    (sockets, column) => ({ store, sockets, adapter: (row + column) % 2 === 0 ? 'express' : 'fastify' }) as const,
  ),
);

describe.each(EVERY)('a socket of $sockets with $store, on two nodes of $adapter,', ({ adapter, store, sockets }) => {
  let backend: Backend;
  let here: SocketNode;
  let there: SocketNode;
  let watches: LiveWatches;
  const clients: SocketClient[] = [];

  beforeAll(async () => {
    backend = await openBackend(store);
    const options = {
      concurrency: { max: 3 },
      lifetime: { onReuse: 'end-session', touchInterval: '5m' },
    } as const;
    here = await startNode({ adapter, sockets, backend, options });
    there = await startNode({ adapter, sockets, backend, options, clock: here.clock });
    watches = watchesOf(there.app);
  });

  afterAll(async () => {
    for (const client of clients) client.close();
    await here.app.close();
    await there.app.close();
    await backend.close();
  });

  const open = async (headers: Readonly<Record<string, string>>): Promise<SocketClient> => {
    const client = await connect(sockets, there.port, headers);
    clients.push(client);
    return client;
  };

  let users = 0;
  /** A user with a browser that is signed in at one node, and has a socket at the other. */
  const openOfBrowser = async (): Promise<{ user: string; browser: BankClient; client: SocketClient }> => {
    const user = `user${(users += 1)}`;
    const browser = new BankClient(here.port);
    await browser.get(`/over-http/login?user=${user}`);
    return { user, browser, client: await open({ cookie: browser.cookie }) };
  };

  const ENDED = sockets === 'ws' ? { code: 1008, reason: 'session_ended' } : { reason: 'io server disconnect' };

  type Case = Awaited<ReturnType<typeof openOfBrowser>>;
  const ends: readonly (readonly [string, (opened: Case) => Promise<unknown> | void])[] = [
    ['logs out', ({ browser }) => browser.get('/over-http/logout')],
    [
      'is revoked',
      async ({ user }) => {
        const lifecycle = here.app.get(SessionLifecycleService);
        const { sessions } = await lifecycle.list(user);
        await lifecycle.revoke(user, sessions[0]!.id);
      },
    ],
    [
      'has to leave because of the limit',
      async ({ user }) => {
        for (let more = 0; more < 3; more += 1) await new BankClient(here.port).get(`/over-http/login?user=${user}`);
      },
    ],
    ['is replaced by the login of another user', ({ browser }) => browser.get('/over-http/login?user=mallory')],
    [
      'is of a user whose password has changed',
      ({ user }) => here.app.get(SessionAuthService).credentialsChanged(user),
    ],
    ['is of a user who is disabled', ({ user }) => here.app.get(SessionAuthService).accountDisabled(user)],
    [
      'is of a user who is found to be gone by a message',
      async ({ user, client }) => {
        there.users.gone.add(user);
        client.send('user');
        await client.closed;
      },
    ],
    [
      'has a token that is used after it was replaced',
      async ({ browser }) => {
        const stolen = browser.cookie;
        for (const path of ['rotate', 'guarded']) await browser.get(`/over-http/${path}`);
        here.clock.advance(11_000);
        await new BankClient(here.port).get('/over-http/guarded', { cookie: stolen });
      },
    ],
  ];

  it.each(ends)('is closed when its session %s, and the socket of another one stays', async (_how, end) => {
    const staying = await openOfBrowser();
    const ending = await openOfBrowser();
    const followed = watches.count;
    await end(ending);
    expect(await ending.client.closed).toEqual(ENDED);
    expect(await staying.client.ask('guarded')).toMatchObject({ userId: staying.user });
    expect(watches.count).toBe(followed - 1);
    staying.client.close();
    await until(() => watches.count === followed - 2);
  });

  it('is closed when every session ends, on every node, and one that opens afterwards stays', async () => {
    const opened = [await openOfBrowser(), await openOfBrowser()];
    await here.app.get(SessionLifecycleService).endEverySession();
    const after = await openOfBrowser();
    for (const { client } of opened) expect(await client.closed).toEqual(ENDED);
    expect(await after.client.ask('guarded')).toMatchObject({ userId: after.user });
    // what is told once more ends nothing that has begun since
    await here.app.get(SessionLifecycleService).endSessionsBefore(new Date(here.clock.now() - HOUR));
    expect(await after.client.ask('guarded')).toMatchObject({ userId: after.user });
    expect(after.client.isOpen).toBe(true);
    after.client.close();
    await until(() => watches.count === 0);
  });

  it.each([
    ['idle', HOUR + 1],
    ['absolute', 24 * HOUR + 1],
  ])('is closed within a second when the %s time of its session is over', async (_kind, time) => {
    const { client, browser } = await openOfBrowser();
    // activity over HTTP keeps it open beyond what the socket has read
    for (let hour = HOUR / 2; hour < time - HOUR / 2; hour += HOUR / 2) {
      here.clock.advance(HOUR / 2);
      expect((await browser.get('/over-http/guarded')).status).toBe(200);
    }
    expect(client.isOpen).toBe(true);
    const since = new RunningTime();
    here.clock.advance(HOUR + 1);
    expect(await client.closed).toEqual(ENDED);
    expect(since.elapsed).toBeLessThan(1000);
    since.stop();
  });

  it('stays where the token is replaced and proofs are given, and sees them in the next message', async () => {
    const { browser, client, user } = await openOfBrowser();
    const changes: readonly (readonly [string, string, string, () => Promise<unknown>])[] = [
      ['factor', 'further_factor_required', 'factor', () => browser.get('/over-http/factor')],
      ['roles', 'forbidden', 'roles', () => here.app.get(SessionAuthService).rolesChanged(user, ['boss'])],
      ['recent', 'recent_authentication_required', 'recent', () => browser.get('/over-http/prove')],
    ];
    here.clock.advance(300_001);
    for (const [message, before, after, change] of changes) {
      expect(await client.ask(message)).toMatchObject({ code: before });
      await change();
      await until(async () => (await client.ask(message)) === after);
    }
    expect(await client.ask('count')).toBe(1);
    for (const path of ['rotate', 'guarded']) await browser.get(`/over-http/${path}`);
    here.clock.advance(11_000);
    expect([await client.ask('count'), await client.ask('count')]).toEqual([2, 3]);
    expect(client.isOpen).toBe(true);
    client.close();
  });

  it('handles no message that arrives after its session has ended', async () => {
    const { session, headers } = await signInAs(here.app, { ...ALICE, id: 'busy' });
    const client = await open(headers);
    handled.length = 0;
    let handledBefore = -1;
    there.app.get(SessionLink).watch((signal) => {
      if (signal.type === 'ended' && signal.id === session.id) handledBefore = handled.length;
    });
    let ending: Promise<unknown> | undefined;
    for (let sent = 0; sent < 1000; sent += 1) {
      client.send(sent % 2 === 0 ? 'guarded' : 'unmarked');
      if (sent % 20 === 0) await turn();
      if (sent === 500) ending = here.app.get(SessionLifecycleService).revoke('busy', session.id);
    }
    await ending;
    expect(await client.closed).toEqual(ENDED);
    await until(() => handledBefore >= 0);
    // an open socket has been answered after whatever was still on its way
    const other = await openOfBrowser();
    await other.client.ask('public');
    expect(handled.slice(handledBefore)).toEqual(['public']);
    expect(handledBefore).toBeGreaterThan(0);
    other.client.close();
  });
});
