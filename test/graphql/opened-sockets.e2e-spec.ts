import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { SessionLifecycleService } from 'nestjs-session-auth';
import { signInAs } from 'nestjs-session-auth/testing';
import { send } from '../support/bank-client.js';
import { closeApps } from '../support/door-app.js';
import { GRAPH_NAMES, GRAPHS } from '../support/graphql-app.js';
import type { Feeds } from '../support/graphql-feeds.js';
import { closeSockets, GraphSocket, startFeeds, type FeedApp, type Opening } from '../support/graphql-sockets.js';
import { ManualClock } from '../support/manual-clock.js';
import { until } from '../support/patience.js';
import { Browser } from '../support/realm-app.js';

const ALICE = { id: 'alice', roles: [] };
const refused = (code: number, reason: string): object => ({ code, reason });
const DAY = 24 * 60 * 60_000;

describe.each(GRAPH_NAMES)('a WebSocket to %s', (graph) => {
  const clock = new ManualClock();
  let running: FeedApp;
  let feeds: Feeds;

  beforeAll(async () => {
    running = await startFeeds({ graph, clock });
    ({ feeds } = running);
  });
  afterEach(() => {
    closeSockets();
    feeds.ran.splice(0);
  });
  afterAll(closeApps);

  const open = (headers: Opening['headers'], payload?: unknown): Promise<GraphSocket> =>
    GraphSocket.open({ port: running.port, headers, payload });

  it('is opened by a session, from a page of the same origin and from a client that is not a browser', async () => {
    const { cookie } = await signInAs(running.app, ALICE);
    const own = `http://127.0.0.1:${running.port}`;
    for (const origin of [undefined, own]) {
      const socket = await open(origin === undefined ? { cookie } : { cookie, origin });
      const news = socket.start('subscription { guardedNews { text roles } }');
      await socket.until(() => feeds.running === 1);
      feeds.publish('hello');
      expect(await socket.next(news)).toEqual({ data: { guardedNews: { text: 'hello', roles: [] } } });
      closeSockets();
      await until(() => feeds.running === 0);
    }
    expect(feeds.ran.filter((name) => name === 'guardedNews of alice')).toHaveLength(2);
  });

  it('is refused to a page of another origin, for every visitor', async () => {
    const { cookie } = await signInAs(running.app, ALICE);
    for (const origin of ['https://evil.example', 'null', `http://127.0.0.1:${running.port + 1}`]) {
      await expect(open({ cookie, origin })).rejects.toEqual(refused(4403, 'csrf_failed'));
    }
    await expect(open({ cookie, 'sec-fetch-site': 'cross-site' })).rejects.toEqual(refused(4403, 'csrf_failed'));
  });

  it('is refused without a session, and headers in the client’s payload are ignored', async () => {
    const { cookie } = await signInAs(running.app, ALICE);
    const payload = { cookie, headers: { cookie }, extra: { request: { headers: { cookie }, rawHeaders: [] } } };
    await expect(open({}, payload)).rejects.toEqual(refused(4401, 'session_required'));
    await expect(open({ cookie: '__Host-session=forged' }, payload)).rejects.toEqual(refused(4401, 'session_required'));
  });

  it('is refused with the cookie of a session that has ended or expired, or of another realm', async () => {
    const [ended, expired] = [await signInAs(running.app, ALICE), await signInAs(running.app, ALICE)];
    const staff = await signInAs(running.app, ALICE, { realm: 'staff' });
    await running.app.get(SessionLifecycleService).revoke('alice', ended.session.id);
    await expect(open(ended.headers)).rejects.toEqual(refused(4401, 'session_required'));
    await expect(open(staff.headers)).rejects.toEqual(refused(4401, 'session_required'));
    const underDefaultName = staff.cookie.replace('__Host-staff-session', '__Host-session');
    await expect(open({ cookie: underDefaultName })).rejects.toEqual(refused(4401, 'session_required'));
    clock.advance(400 * DAY);
    await expect(open(expired.headers)).rejects.toEqual(refused(4401, 'session_required'));
  });

  it('is refused to a device that is only remembered, whose token is not spent', async () => {
    const browser = new Browser(running.port, send);
    await browser.login('default', 'alice', true);
    for (const name of [...browser.cookies.keys()]) if (!name.endsWith('-remember')) browser.cookies.delete(name);
    const cookie = [...browser.cookies].map((pair) => pair.join('=')).join('; ');
    expect(cookie).toContain('-remember=');
    await expect(open({ cookie })).rejects.toEqual(refused(4401, 'session_required'));
    expect((await browser.get('/auth/session')).status).toBe(200);
  });

  it('runs no operation that is sent with or behind a connection_init that is refused', async () => {
    const operation = { type: 'subscribe', payload: { query: 'subscription { openNews { text } }' } };
    const socket = await GraphSocket.dial({ port: running.port });
    socket.send({ type: 'connection_init' });
    for (const id of ['1', '2', '3']) socket.send({ id, ...operation });
    expect((await socket.closed).code).toBe(4401);
    expect(socket.inbox.filter(({ type }) => ['next', 'connection_ack'].includes(type))).toEqual([]);
    expect(feeds.ran).toEqual([]);
  });

  it('does what graphql-ws does where it is opened twice, and keeps its session', async () => {
    const { cookie, session } = await signInAs(running.app, ALICE);
    const socket = await GraphSocket.dial({ port: running.port, headers: { cookie } });
    socket.send({ type: 'connection_init' });
    socket.send({ type: 'connection_init', payload: { headers: { cookie: 'none', origin: 'https://evil.example' } } });
    if (GRAPHS[graph].driver === 'apollo') {
      expect((await socket.closed).code).toBe(4429);
    } else {
      const news = socket.start('subscription { guardedNews { text } }');
      await socket.until(() => feeds.running === 1);
      feeds.publish('hello');
      expect(await socket.next(news)).toEqual({ data: { guardedNews: { text: 'hello' } } });
      await running.app.get(SessionLifecycleService).revoke('alice', session.id);
      expect(await socket.closed).toEqual({ code: 4401, reason: 'session_ended' });
    }
  });
});

describe.each(GRAPH_NAMES)('a WebSocket to %s that anybody may open', (graph) => {
  let running: FeedApp;

  beforeAll(async () => {
    running = await startFeeds({ graph }, { anonymous: 'allow' });
  });
  afterEach(closeSockets);
  afterAll(closeApps);

  it('runs @Public() operations without a session, and refuses the rest', async () => {
    const socket = await GraphSocket.open({ port: running.port });
    socket.start('subscription { openNews { text } }');
    await socket.until(() => running.feeds.ran.includes('openNews of nobody'));
    expect(await socket.ask('subscription { guardedNews { text } }')).toMatchObject({
      errors: [{ extensions: { code: 'UNAUTHENTICATED', reason: 'session_required' } }],
    });
  });

  it('is still refused to a page of another origin', async () => {
    const opening = { port: running.port, headers: { origin: 'https://evil.example' } };
    await expect(GraphSocket.open(opening)).rejects.toEqual(refused(4403, 'csrf_failed'));
  });
});
