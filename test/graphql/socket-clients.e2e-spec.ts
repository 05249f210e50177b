import { afterEach, describe, expect, it } from '@jest/globals';
import { createClient, type Client } from 'graphql-ws';
import { Redis } from 'ioredis';
import { SessionLifecycleService } from 'nestjs-session-auth';
import { redisStorage } from 'nestjs-session-auth/redis';
import { signInAs } from 'nestjs-session-auth/testing';
import { randomBytes } from 'node:crypto';
import { WebSocket } from 'ws';
import { closeApps } from '../support/door-app.js';
import { FaultProxy } from '../support/fault-proxy.js';
import type { GraphName } from '../support/graphql-app.js';
import { closeSockets, GraphSocket, startFeeds, type FeedApp } from '../support/graphql-sockets.js';
import { watchesOf } from '../support/live-watches.js';
import { SteeredStore } from '../support/steered-store.js';
import { until } from '../support/patience.js';

const NAMES: GraphName[] = ['Apollo on Express', 'Apollo on Fastify', 'Mercurius'];
const ALICE = { id: 'alice', roles: [] };
const ENDED = { code: 4401, reason: 'session_ended' };

const clients: Client[] = [];
const behind: (() => unknown)[] = [];

afterEach(async () => {
  closeSockets();
  for (const client of clients.splice(0)) await client.dispose();
  await closeApps();
  for (const close of behind.splice(0)) await close();
});

describe.each(NAMES)('a client of graphql-ws of %s', (graph) => {
  /** The client, as a browser with a cookie has it, and the codes with which its WebSockets were closed. */
  const clientOf = (port: number, cookie: string): { client: Client; codes: number[] } => {
    class Socket extends WebSocket {
      constructor(url: string, protocols: string[]) {
        super(url, protocols, { headers: { cookie } });
      }
    }
    const codes: number[] = [];
    const client = createClient({
      url: `ws://127.0.0.1:${port}/graphql`,
      webSocketImpl: Socket,
      retryAttempts: 50,
      retryWait: () => new Promise((resolve) => setTimeout(resolve, 20)),
      on: { closed: (event) => void codes.push((event as { code: number }).code) },
    });
    clients.push(client);
    return { client, codes };
  };
  const subscribe = (client: Client): { readonly seen: unknown[]; readonly failed: Promise<unknown> } => {
    const seen: unknown[] = [];
    const query = 'subscription { guardedNews { text } }';
    const failed = new Promise((error) => {
      client.subscribe({ query }, { next: ({ data }) => void seen.push(data), error, complete: () => undefined });
    });
    return { seen, failed };
  };

  it('has its subscription fail when the session ends, and does not connect again', async () => {
    const { app, port, feeds } = await startFeeds({ graph });
    const { cookie, session } = await signInAs(app, ALICE);
    const { client, codes } = clientOf(port, cookie);
    const { seen, failed } = subscribe(client);
    await until(() => feeds.running === 1);
    feeds.publish('news');
    await until(() => seen.length === 1);
    await app.get(SessionLifecycleService).revoke('alice', session.id);
    expect(await failed).toMatchObject(ENDED);
    expect(await subscribe(client).failed).toMatchObject({ code: 4401, reason: 'session_required' });
    expect(codes).toEqual([4401, 4401]);
  });

  it('tries again while the store is down, and has its subscription when that is back', async () => {
    const { running, proxy } = await startOnRedis(graph, '300ms');
    const { cookie } = await signInAs(running.app, ALICE);
    await proxy.break({ kind: 'reset' });
    const { client, codes } = clientOf(running.port, cookie);
    const { seen } = subscribe(client);
    await until(() => codes.length >= 2);
    expect(new Set(codes)).toEqual(new Set([1013]));
    expect(running.feeds.ran).toEqual([]);
    await proxy.heal();
    await until(() => running.feeds.running === 1);
    running.feeds.publish('news');
    await until(() => seen.length === 1);
  });
});

describe.each(NAMES)('a WebSocket to %s', (graph) => {
  it('whose session ended while the link was lost is closed when that is back, and no other', async () => {
    const { running, proxy, options } = await startOnRedis(graph, '300ms');
    const direct = await startFeeds({ graph, realms: { default: options(Number(urlOfRedis().port)) } });
    const [ending, living] = [await signInAs(direct.app, ALICE), await signInAs(direct.app, ALICE)];
    const open = (cookie: string): Promise<GraphSocket> =>
      GraphSocket.open({ port: running.port, headers: { cookie } });
    const [closed, staying] = [await open(ending.cookie), await open(living.cookie)];
    closed.start('subscription { guardedNews { text } }');
    await until(() => running.feeds.running === 1);
    await proxy.break({ kind: 'reset' });
    await direct.app.get(SessionLifecycleService).revoke('alice', ending.session.id);
    expect(await staying.ask('{ guarded }')).toMatchObject({
      errors: [{ extensions: { code: 'SERVICE_UNAVAILABLE', reason: 'session_store_unavailable' } }],
    });
    expect(closed.socket.readyState).toBe(WebSocket.OPEN);
    await proxy.heal();
    expect(await closed.closed).toEqual(ENDED);
    await until(() => running.feeds.running === 0);
    await until(async () => (await staying.ask('{ guarded }')).data?.['guarded'] === 'alice');
  });

  it.each(['an event', 'nothing'])('ends its subscriptions, regardless of its client: %s follows', async (what) => {
    const { app, port, feeds } = await startFeeds({ graph });
    const { cookie, session } = await signInAs(app, ALICE);
    const socket = await GraphSocket.open({ port, headers: { cookie } });
    socket.start('subscription { unmarkedNews { text } }');
    await socket.until(() => feeds.running === 1);
    socket.socket.pause();
    await app.get(SessionLifecycleService).revoke('alice', session.id);
    // graphql-ws is told to, Mercurius finds out
    if (graph !== 'Mercurius') expect(feeds.running).toBe(0);
    if (what === 'an event') feeds.publish('news');
    await until(() => feeds.running === 0);
    socket.socket.resume();
    expect(await socket.closed).toEqual(ENDED);
    expect(socket.inbox.filter(({ type }) => type === 'next')).toEqual([]);
  });

  it('that uses the id of an operation twice is sent nothing after the end either', async () => {
    const { app, port, feeds } = await startFeeds({ graph });
    const { cookie, session } = await signInAs(app, ALICE);
    const socket = await GraphSocket.open({ port, headers: { cookie } });
    for (const field of ['guardedNews', 'openNews']) socket.start(`subscription { ${field} { text } }`, '1');
    if (graph === 'Mercurius') {
      await until(() => feeds.running === 2);
      socket.socket.pause();
      await app.get(SessionLifecycleService).revoke('alice', session.id);
      // Mercurius has lost sight of the first of the two
      feeds.publish('news');
      socket.socket.resume();
      expect(await socket.closed).toEqual(ENDED);
    } else {
      expect((await socket.closed).code).toBe(4409);
      await until(() => feeds.running === 0);
    }
    expect(socket.inbox.filter(({ type }) => type === 'next')).toEqual([]);
  });

  it('follows its session once, until it is closed', async () => {
    const store = new SteeredStore();
    const { app, port } = await startFeeds({
      graph,
      realms: { default: { storage: { sessions: { useValue: store } } } },
    });
    const watches = watchesOf(app);
    const { cookie } = await signInAs(app, ALICE);
    const open = (): Promise<GraphSocket> => GraphSocket.open({ port, headers: { cookie } });
    for (let round = 0; round < 3; round += 1) await open();
    expect(watches.count).toBe(1);
    const reads = store.reads;
    const socket = await open();
    for (let again = 0; again < 3; again += 1) socket.send({ type: 'connection_init' });
    for (let asked = 0; asked < 3 && graph === 'Mercurius'; asked += 1) await socket.ask('{ guarded }');
    await until(() => graph === 'Mercurius' || socket.socket.readyState === WebSocket.CLOSED);
    expect(store.reads).toBe(reads + 1);
    closeSockets();
    await until(() => watches.count === 0);
  });

  it('that is closed while it is checked follows no session', async () => {
    const store = new SteeredStore();
    const { app, port } = await startFeeds({
      graph,
      realms: { default: { storage: { sessions: { useValue: store } } } },
    });
    const watches = watchesOf(app);
    const { cookie } = await signInAs(app, ALICE);
    const release = store.hold();
    const socket = await GraphSocket.dial({ port, headers: { cookie } });
    socket.send({ type: 'connection_init' });
    socket.start('subscription { unmarkedNews { text } }');
    await until(() => store.reads === 1);
    expect(watches.count).toBe(1);
    socket.socket.terminate();
    await until(async () => (await connectionsOf(app.getHttpServer() as Counting)) === 0);
    release();
    await until(() => watches.count === 0);
  });
});

interface Counting {
  getConnections(callback: (error: Error | null, count: number) => void): void;
}

function connectionsOf(server: Counting): Promise<number> {
  return new Promise((resolve) => server.getConnections((_, count) => resolve(count)));
}

const urlOfRedis = (): URL => new URL(process.env['TEST_REDIS_URL']!);

interface OnRedis {
  readonly running: FeedApp;
  readonly proxy: FaultProxy;
  /** Of the default realm, for another node by another port. */
  readonly options: (port: number) => object;
}

/** Starts a node whose way to Redis is through a proxy. */
async function startOnRedis(graph: GraphName, storeTimeout: string): Promise<OnRedis> {
  const proxy = await FaultProxy.start(Number(urlOfRedis().port));
  const namespace = `t${randomBytes(6).toString('hex')}:`;
  const options = (port: number): object => {
    const url = urlOfRedis();
    url.port = String(port);
    const client = new Redis(url.href).on('error', () => undefined);
    behind.push(() => client.disconnect());
    return { storage: redisStorage({ client, namespace, link: true }), storeTimeout };
  };
  const running = await startFeeds({ graph, realms: { default: options(proxy.port) } });
  behind.push(() => proxy.close());
  return { running, proxy, options };
}
