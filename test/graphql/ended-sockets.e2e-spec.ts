import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { SessionAuthService, SessionLifecycleService, SessionLink } from 'nestjs-session-auth';
import { signInAs, type SignedIn } from 'nestjs-session-auth/testing';
import { openBackend, STORES, type Backend } from '../support/bank.js';
import { closeApps } from '../support/door-app.js';
import type { GraphName } from '../support/graphql-app.js';
import { closeSockets, GraphSocket, startFeeds, type FeedApp } from '../support/graphql-sockets.js';
import { ManualClock } from '../support/manual-clock.js';
import { until } from '../support/patience.js';

const GRAPHS: GraphName[] = ['Apollo on Express', 'Apollo on Fastify', 'Mercurius'];
const EVERY = GRAPHS.flatMap((graph) => STORES.map((store) => ({ graph, store })));
const ALICE = { id: 'alice', roles: [] };
const ENDED = { code: 4401, reason: 'session_ended' };
const DAY = 24 * 60 * 60_000;

describe.each(EVERY)('a WebSocket to $graph with $store', ({ graph, store }) => {
  let backend: Backend;
  let here: FeedApp;
  let there: FeedApp;
  let alice: SignedIn;
  let clock: ManualClock;

  beforeEach(async () => {
    backend = await openBackend(store);
    clock = new ManualClock();
    const realms = (): object => ({ default: { storage: backend.linkedStorage!, storeTimeout: '20s' } });
    here = await startFeeds({ graph, clock, realms: realms() });
    there = await startFeeds({ graph, clock, realms: realms() });
    alice = await signInAs(here.app, ALICE);
  });

  afterEach(async () => {
    closeSockets();
    await closeApps();
    await backend.close();
  });

  const open = ({ cookie }: SignedIn): Promise<GraphSocket> =>
    GraphSocket.open({ port: there.port, headers: { cookie } });
  const revoke = ({ session }: SignedIn): Promise<unknown> =>
    here.app.get(SessionLifecycleService).revoke('alice', session.id);

  it('is closed when its session ends on another node, with its subscriptions, and the others stay', async () => {
    const other = await signInAs(here.app, ALICE);
    const [closing, staying] = [await open(alice), await open(other)];
    closing.start('subscription { guardedNews { text } }');
    closing.start('subscription { unmarkedNews { text } }');
    const news = staying.start('subscription { guardedNews { text } }');
    await until(() => there.feeds.running === 3);
    await revoke(alice);
    expect(await closing.closed).toEqual(ENDED);
    await until(() => there.feeds.running === 1);
    there.feeds.publish('for whoever is here');
    expect(await staying.next(news)).toEqual({ data: { guardedNews: { text: 'for whoever is here' } } });
    expect(closing.inbox.filter(({ type }) => type === 'next')).toEqual([]);
  });

  it('is closed when its session expires', async () => {
    const socket = await open(alice);
    clock.advance(400 * DAY);
    expect(await socket.closed).toEqual(ENDED);
  });

  it('runs nothing for a client that ignores the end', async () => {
    const socket = await open(alice);
    socket.start('subscription { unmarkedNews { text } }');
    await until(() => there.feeds.running === 1);
    socket.socket.pause();
    // what arrives before the node hears of the end is let pass
    const heard = new Promise((resolve) => void there.app.get(SessionLink).watch(resolve));
    await revoke(alice);
    await heard;
    socket.start('query { slow }');
    socket.start('mutation { slowAct guardedAct }');
    socket.start('subscription { openNews { text } }');
    // the server waits for it no longer than a second
    await until(() => there.feeds.running === 0);
    socket.socket.resume();
    expect(await socket.closed).toEqual(ENDED);
    expect(there.feeds.ran).toEqual(['unmarkedNews']);
  });

  it('runs no further field of an operation that was under way when its session ended', async () => {
    const [socket, other] = [await open(alice), await open(await signInAs(here.app, ALICE))];
    socket.start('mutation { first: slowAct guardedAct second: slowAct }');
    await until(() => there.feeds.pauses.length === 1);
    await revoke(alice);
    expect(await socket.closed).toEqual(ENDED);
    there.feeds.pauses[0]!();
    expect(await other.ask('mutation { guardedAct }')).toEqual({ data: { guardedAct: true } });
    expect(there.feeds.ran).toEqual(['slowAct', 'guardedAct of alice']);
  });

  it('that its client has left goes on with what is under way, as long as the session lives', async () => {
    const bob = await signInAs(here.app, { ...ALICE, id: 'bob' });
    for (const user of [bob, alice]) {
      const socket = await open(user);
      socket.start('mutation { slowAct guardedAct }');
      socket.start('subscription { unmarkedNews { text } }');
      await until(() => there.feeds.running === 1);
      socket.socket.terminate();
      await until(() => there.feeds.running === 0);
    }
    await here.app.get(SessionLifecycleService).revoke('bob', bob.session.id);
    for (const goOn of there.feeds.pauses) goOn();
    await until(() => there.feeds.ran.includes('guardedAct of alice'));
    expect(there.feeds.ran).not.toContain('guardedAct of bob');
  });

  it('sees new roles in the next operation, the next event and its filter', async () => {
    const socket = await open(alice);
    const refused = { errors: [{ extensions: { code: 'FORBIDDEN', reason: 'forbidden' } }] };
    expect(await socket.ask('subscription { rolesNews { text } }')).toMatchObject(refused);
    const [news, ofBoss] = [
      socket.start('subscription { guardedNews { roles } }'),
      socket.start('subscription { bossNews { text } }'),
    ];
    await until(() => there.feeds.running === 2);
    there.feeds.publish('for no boss');
    expect(await socket.next(news)).toEqual({ data: { guardedNews: { roles: [] } } });
    await here.app.get(SessionAuthService).rolesChanged('alice', ['boss']);
    let heard = false;
    while (!heard) {
      there.feeds.publish('for the boss');
      const { data } = await socket.next(news);
      heard = (data as { guardedNews: { roles: string[] } }).guardedNews.roles.includes('boss');
    }
    there.feeds.publish('for the boss');
    expect(await socket.next(ofBoss)).toEqual({ data: { bossNews: { text: 'for the boss' } } });
    socket.start('subscription { rolesNews { text } }');
    await until(() => there.feeds.ran.includes('rolesNews'));
  });
});
