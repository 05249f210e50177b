import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import {
  SessionAuthService,
  SessionLifecycleService,
  SessionLink,
  type SessionLinkObserver,
} from 'nestjs-session-auth';
import { signInAs } from 'nestjs-session-auth/testing';
import { BankClient } from '../support/bank-client.js';
import { until } from '../support/patience.js';
import { proxiedPostgres, proxiedRedis, type ProxiedStore } from '../support/proxied-store.js';
import { startNode, type SocketNode } from '../support/socket-app.js';
import { connect, type SocketClient } from '../support/socket-client.js';
import { handled } from '../support/socket-gateway.js';

const MINUTE = 60_000;

describe.each([
  { store: 'Redis', start: proxiedRedis, sockets: 'ws', adapter: 'express' },
  { store: 'Redis', start: proxiedRedis, sockets: 'socket.io', adapter: 'fastify' },
  { store: 'PostgreSQL', start: proxiedPostgres, sockets: 'ws', adapter: 'fastify' },
  { store: 'PostgreSQL', start: proxiedPostgres, sockets: 'socket.io', adapter: 'express' },
] as const)('sockets of $sockets whose $store is away', ({ store, start, sockets, adapter }) => {
  let ways: ProxiedStore;
  let here: SocketNode;
  let there: SocketNode;
  let link: SessionLink;
  let clients: SocketClient[];
  /** Whose socket was closed by the server. */
  let gone: string[];

  beforeAll(async () => {
    ways = await start();
    const options = { lifetime: { idle: '1h', absolute: '2h', touchInterval: '5m' }, storeTimeout: '3s' } as const;
    here = await startNode({ sockets, adapter, backend: ways.past, options });
    there = await startNode({ sockets, adapter, backend: ways.behind, options, clock: here.clock });
    link = there.app.get(SessionLink);
    await link.open();
  });

  beforeEach(() => {
    [clients, gone] = [[], []];
  });

  afterEach(async () => {
    for (const client of clients) client.close();
    for (const proxy of [ways.store, ways.link]) await proxy.heal();
    await until(() => link.isHealthy);
  });

  afterAll(async () => {
    for (const { app } of [there, here]) await app.close();
    await ways.close();
  });

  const ENDED = sockets === 'ws' ? { code: 1008, reason: 'session_ended' } : { reason: 'io server disconnect' };
  const UNAVAILABLE = { code: 'session_store_unavailable' };

  const connectAs = async (user: string, headers: Readonly<Record<string, string>>): Promise<SocketClient> => {
    const client = await connect(sockets, there.port, headers);
    clients.push(client);
    const told = gone;
    void client.closed.then(() => told.push(user));
    return client;
  };

  /** A user who is signed in past the proxies, with a socket at the node behind them. */
  const open = async (user: string): Promise<{ client: SocketClient; end: () => Promise<unknown> }> => {
    const { session, headers } = await signInAs(here.app, { id: user, email: `${user}@example.com`, roles: [] });
    const client = await connectAs(user, headers);
    return { client, end: () => here.app.get(SessionLifecycleService).revoke(user, session.id) };
  };

  const signIn = async (user: string): Promise<BankClient> => {
    const browser = new BankClient(here.port);
    await browser.get(`/over-http/login?user=${user}`);
    return browser;
  };

  const loseLink = async (): Promise<void> => {
    await ways.link.break({ kind: 'refuse' });
    await until(() => !link.isHealthy);
  };

  /**
   * The link is lost when the store is away already. On a machine that stands still for a moment it may be lost by
   * itself before, and what was asked of the store then is not asked again.
   */
  const loseBoth = async (kind: 'refuse' | 'black-hole'): Promise<void> => {
    for (let isInOrder = false; !isInOrder;) {
      await ways.store.heal();
      await until(() => link.isHealthy);
      await ways.store.break({ kind });
      isInOrder = link.isHealthy;
    }
    await loseLink();
  };

  /** When the link is lost next. */
  const timeOfLoss = (): Promise<number> =>
    new Promise((resolve) => {
      const observer: SessionLinkObserver = { lost: () => (stop(), resolve(performance.now())) };
      const stop = link.observe(observer);
    });

  it.each([
    // of these two it does not come back: only the loss itself can have the store asked
    ['silent', () => ways.link.break({ kind: 'black-hole' })],
    ['closed', () => ways.link.break({ kind: 'refuse' })],
    ['half-open', async () => ways.link.cutSilently()],
  ])(
    'are closed when the link is found %s, where their session had ended unheard, and no others',
    async (kind, lose) => {
      const live = await open('live');
      const ending = await open('ending');
      const lost = timeOfLoss();
      ways.link.holdFrom(Buffer.from('"ended"'));
      await ending.end();
      // the signal has come as far as the proxy, and the heartbeats after it come no further either
      await until(() => ways.link.held > 0);
      await lose();
      expect(await ending.client.closed).toEqual(ENDED);
      const closedAt = performance.now();
      const after = Math.round(closedAt - (await lost));
      process.stdout.write(`${store}, ${sockets}, ${kind}: closed ${after} ms after the loss was noticed\n`);
      expect(await live.client.ask('guarded')).toMatchObject({ userId: 'live' });
      expect(gone).toEqual(['ending']);
    },
  );

  it('are judged by the store at each message while only the link is away, and closed when it is back', async () => {
    const live = await open('live');
    const asking = await open('asking');
    const silent = await open('silent');
    await loseLink();
    expect(await live.client.ask('guarded')).toMatchObject({ userId: 'live' });
    await here.app.get(SessionAuthService).rolesChanged('live', ['boss']);
    expect(await live.client.ask('roles')).toBe('roles');
    for (const { end } of [asking, silent]) await end();
    handled.length = 0;
    asking.client.send('guarded');
    expect(await asking.client.closed).toEqual(ENDED);
    expect(handled).toEqual([]);
    expect(link.isHealthy).toBe(false);
    await ways.link.heal();
    const since = performance.now();
    expect(await silent.client.closed).toEqual(ENDED);
    const after = Math.round(performance.now() - since);
    process.stdout.write(`${store}, ${sockets}: closed ${after} ms after the link could come back\n`);
    expect(await live.client.ask('guarded')).toMatchObject({ userId: 'live', roles: ['boss'] });
    expect(gone.sort()).toEqual(['asking', 'silent']);
  });

  it('are served nothing that was read before the loss when the link is back, before the store was asked', async () => {
    const live = await open('live');
    expect(await live.client.ask('guarded')).toMatchObject({ userId: 'live' });
    await loseLink();
    // read while the link was away, and still worth nothing when it is back
    expect(await live.client.ask('guarded')).toMatchObject({ userId: 'live' });
    let broken: Promise<void> | undefined;
    const stop = link.observe({ restored: () => void (broken ??= ways.store.break({ kind: 'refuse' })) });
    await ways.link.heal();
    await until(() => broken !== undefined);
    stop();
    await broken;
    handled.length = 0;
    expect(await live.client.ask('guarded')).toMatchObject(UNAVAILABLE);
    expect(handled).toEqual([]);
    await ways.store.heal();
    await until(async () => ((await live.client.ask('guarded')) as { userId?: string }).userId === 'live');
    expect(gone).toEqual([]);
  });

  it.each([
    ['refuse', 'the store', () => [ways.store, ways.link]],
    ['refuse', 'the link', () => [ways.link, ways.store]],
    ['black-hole', 'the store', () => [ways.store, ways.link]],
  ] as const)(
    'stay while link and store are away (%s), without their guarded messages; %s is back first',
    async (kind, _what, proxies) => {
      const live = await open('live');
      const ending = await open('ending');
      await loseBoth(kind);
      await ending.end();
      handled.length = 0;
      // at a time: a store that does not answer is waited for
      const asked = [live, ending].map(async ({ client }) => {
        expect(await client.ask('guarded')).toMatchObject(UNAVAILABLE);
        expect(await client.ask('unmarked')).toBe('unmarked');
      });
      await Promise.all(asked);
      expect(handled).toEqual(['unmarked', 'unmarked']);
      expect(gone).toEqual([]);
      const [first, second] = proxies();
      await first!.heal();
      if (first === ways.store) {
        // what could not be asked before is asked now, whatever the link does
        expect(await ending.client.closed).toEqual(ENDED);
        expect(link.isHealthy).toBe(false);
      } else expect(await live.client.ask('guarded')).toMatchObject(UNAVAILABLE);
      await second!.heal();
      await until(() => link.isHealthy);
      expect(await ending.client.closed).toEqual(ENDED);
      expect(await live.client.ask('guarded')).toMatchObject({ userId: 'live' });
      expect(gone).toEqual(['ending']);
      const later = await open('later');
      await later.end();
      expect(await later.client.closed).toEqual(ENDED);
    },
  );

  it('stay when their idle time is over while the store is away, and not when the absolute time is', async () => {
    const { clock } = here;
    const oldest = await signIn('oldest');
    clock.advance(30 * MINUTE);
    const active = await signIn('active');
    const idle = await connectAs('idle', { cookie: (await signIn('idle')).cookie });
    const used = await connectAs('active', { cookie: active.cookie });
    // used at 30, 60 and 80 minutes: its idle time is not over before its absolute time
    for (const minutes of [0, 30, 20]) {
      clock.advance(minutes * MINUTE);
      expect((await oldest.get('/over-http/guarded')).status).toBe(200);
    }
    const old = await connectAs('oldest', { cookie: oldest.cookie });
    expect((await active.get('/over-http/guarded')).status).toBe(200);
    await ways.store.break({ kind: 'refuse' });
    clock.advance(40 * MINUTE + 1);
    expect(await old.closed).toEqual(ENDED);
    // after the store was asked for them in vain
    for (const client of [idle, used]) expect(await client.ask('guarded')).toMatchObject(UNAVAILABLE);
    expect(gone).toEqual(['oldest']);
    await ways.store.heal();
    expect(await idle.closed).toEqual(ENDED);
    await until(async () => ((await used.ask('guarded')) as { userId?: string }).userId === 'active');
    expect(gone).toEqual(['oldest', 'idle']);
  });
});
