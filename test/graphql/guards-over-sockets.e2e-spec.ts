import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { signInAs, type SignInAsOptions } from 'nestjs-session-auth/testing';
import { closeApps } from '../support/door-app.js';
import { GRAPH_NAMES } from '../support/graphql-app.js';
import { ran } from '../support/graphql-doors.js';
import { closeSockets, GraphSocket, startFeeds, type FeedApp } from '../support/graphql-sockets.js';

const DAY = 24 * 60 * 60_000;
const ALICE = { id: 'alice', email: 'alice@example.com', roles: ['boss'] };

/** A guard, a session that it refuses, and how; the session that it lets pass has what all of them ask for. */
const GUARDS: [door: string, user: typeof ALICE, options: SignInAsOptions, code: string, reason: string][] = [
  ['roles', { ...ALICE, roles: [] }, {}, 'FORBIDDEN', 'forbidden'],
  [
    'recent',
    ALICE,
    { authenticatedAt: new Date(Date.now() - DAY) },
    'UNAUTHENTICATED',
    'recent_authentication_required',
  ],
  ['full', ALICE, { authentication: 'remember-me' }, 'UNAUTHENTICATED', 'recent_authentication_required'],
  ['factor', ALICE, {}, 'UNAUTHENTICATED', 'further_factor_required'],
];
const RESULTS = { guarded: 'alice', roles: 'boss', recent: 'recent', full: 'full', factor: 'totp', user: 'alice' };
const DOORS = Object.keys(RESULTS);

const EVERY = GRAPH_NAMES.flatMap((graph) =>
  (['code first', 'schema first'] as const).map((schema) => ({ graph, schema })),
);

const refused = (code: string, reason: string): object => ({
  errors: [{ message: expect.any(String), extensions: { code, reason, realm: 'default' } }],
});

describe.each(EVERY)('over a WebSocket to $graph, $schema,', ({ graph, schema }) => {
  let running: FeedApp;

  beforeAll(async () => {
    running = await startFeeds({ graph, schema, realms: { default: { concurrency: 100 } } });
  });
  beforeEach(() => [ran, running.feeds.ran].forEach((each) => each.splice(0)));
  afterEach(closeSockets);
  afterAll(closeApps);

  const open = async (user = ALICE, options?: SignInAsOptions): Promise<GraphSocket> => {
    const { cookie } = await signInAs(running.app, user, options);
    return GraphSocket.open({ port: running.port, headers: { cookie } });
  };

  it('every guard and decorator passes a session that has what it requires', async () => {
    const socket = await open(ALICE, { factors: ['totp'] });
    expect(await socket.ask(`{ ${DOORS.join(' ')} open }`)).toEqual({ data: { ...RESULTS, open: 'alice' } });
    for (const door of [...DOORS, 'open', 'unmarked']) socket.start(`subscription { ${door}News { text } }`);
    await socket.until(() => running.feeds.running === DOORS.length + 2);
    expect(running.feeds.ran.toSorted()).toEqual(
      [
        ...DOORS.map((door) => (['guarded', 'user'].includes(door) ? `${door}News of alice` : `${door}News`)),
        'openNews of alice',
        'unmarkedNews',
      ].toSorted(),
    );
  });

  it.each(GUARDS)('%s refuses a session that lacks what it requires', async (door, user, options, code, reason) => {
    const socket = await open(user, options);
    expect(await socket.ask(`{ ${door} }`)).toMatchObject(refused(code, reason));
    expect(await socket.ask(`subscription { ${door}News { text } }`)).toMatchObject(refused(code, reason));
    expect([...ran, ...running.feeds.ran]).toEqual([]);
  });

  it('a user who was deleted meanwhile is refused and signed out', async () => {
    const socket = await open({ ...ALICE, id: 'nobody' });
    socket.start('subscription { userNews { text } }');
    expect(await socket.closed).toEqual({ code: 4401, reason: 'session_ended' });
    expect(running.feeds.ran).toEqual([]);
  });

  it('decorators of field resolvers find the session, guards of theirs are not asked', async () => {
    const socket = await open();
    expect(await socket.ask('{ account { id viewer secret } }')).toEqual({
      data: { account: { id: '1', viewer: 'alice', secret: 'secret' } },
    });
  });

  it('services that would write a cookie refuse, and say why in the log', async () => {
    const socket = await open();
    expect(await socket.ask('{ leave }')).toMatchObject({
      errors: [{ message: 'Internal server error', extensions: { reason: 'request_not_bound' } }],
    });
    expect(await socket.ask('{ guarded }')).toEqual({ data: { guarded: 'alice' } });
  });
});

describe.each(GRAPH_NAMES)('over a WebSocket to %s,', (graph) => {
  afterEach(async () => {
    closeSockets();
    await closeApps();
    ran.splice(0);
  });

  it('a mutation needs no CSRF token, with csrf.global and without', async () => {
    for (const global of [true, false]) {
      const { app, port } = await startFeeds({ graph, realms: { default: { csrf: { global } } } });
      const { cookie } = await signInAs(app, ALICE);
      const socket = await GraphSocket.open({ port, headers: { cookie } });
      const done = { data: { act: 'alice', actUnmarked: 'done' } };
      expect(await socket.ask('mutation { act actUnmarked }')).toEqual(done);
    }
  });

  it('with global guards, everything but @Public() needs a session', async () => {
    const { app, port, feeds } = await startFeeds(
      { graph, realms: { default: { global: true } } },
      { anonymous: 'allow' },
    );
    const anonymous = await GraphSocket.open({ port });
    const { cookie } = await signInAs(app, ALICE);
    const signedIn = await GraphSocket.open({ port, headers: { cookie } });
    const required = refused('UNAUTHENTICATED', 'session_required');
    expect(await anonymous.ask('{ unmarked }')).toMatchObject(required);
    expect(await anonymous.ask('mutation { actUnmarked }')).toMatchObject(required);
    expect(await anonymous.ask('subscription { unmarkedNews { text } }')).toMatchObject(required);
    expect(await anonymous.ask('{ open }')).toEqual({ data: { open: null } });
    expect([...ran, ...feeds.ran]).toEqual(['open']);
    expect(await signedIn.ask('{ unmarked }')).toEqual({ data: { unmarked: 'anybody' } });
    signedIn.start('subscription { unmarkedNews { text } }');
    await signedIn.until(() => feeds.running === 1);
  });

  it('with fieldResolverEnhancers, guards of field resolvers run for each event', async () => {
    const { app, port, feeds } = await startFeeds(
      { graph, config: { fieldResolverEnhancers: ['guards', 'filters'] } },
      { anonymous: 'allow' },
    );
    const { cookie } = await signInAs(app, ALICE);
    const [anonymous, signedIn] = [
      await GraphSocket.open({ port }),
      await GraphSocket.open({ port, headers: { cookie } }),
    ];
    const [refusedId, allowedId] = [anonymous, signedIn].map((socket) =>
      socket.start('subscription { openNews { text secret } }'),
    );
    await signedIn.until(() => feeds.running === 2);
    feeds.publish('news');
    expect(await signedIn.next(allowedId!)).toEqual({ data: { openNews: { text: 'news', secret: 'secret' } } });
    expect(await anonymous.next(refusedId!)).toMatchObject({
      data: { openNews: { text: 'news', secret: null } },
      ...refused('UNAUTHENTICATED', 'session_required'),
    });
  });
});
