import { afterEach, describe, expect, it } from '@jest/globals';
import { SessionLifecycleService } from 'nestjs-session-auth';
import { signInAs } from 'nestjs-session-auth/testing';
import { closeApps } from '../support/door-app.js';
import { GRAPH_NAMES } from '../support/graphql-app.js';
import { closeSockets, GraphSocket, startFeeds, type FeedApp } from '../support/graphql-sockets.js';
import { ManualClock } from '../support/manual-clock.js';
import { until } from '../support/patience.js';

const ALICE = { id: 'alice', roles: [] };
const MINUTE = 60_000;

describe.each(GRAPH_NAMES)('a WebSocket to %s', (graph) => {
  afterEach(async () => {
    closeSockets();
    await closeApps();
  });

  it('of several realms has the session of each, and is closed when one of them ends', async () => {
    const { app, port, feeds } = await startFeeds({ graph }, { realm: ['default', 'staff', 'partner'] });
    const [alice, clerk] = [await signInAs(app, ALICE), await signInAs(app, { id: 'clerk' }, { realm: 'staff' })];
    const socket = await GraphSocket.open({ port, headers: { cookie: `${alice.cookie}; ${clerk.cookie}` } });
    socket.start('subscription { staffNews { text } }');
    await socket.until(() => feeds.ran.includes('staffNews of clerk'));
    expect(await socket.ask('{ guarded staff either other }')).toEqual({
      data: { guarded: 'alice', staff: 'staff', either: 'staff', other: 'staff' },
    });
    expect(await socket.ask('mutation { actAsEither }')).toEqual({ data: { actAsEither: 'staff' } });
    await app.get(SessionLifecycleService).revoke('alice', alice.session.id);
    expect(await socket.closed).toEqual({ code: 4401, reason: 'session_ended' });
  });

  it('of one realm refuses what asks for a session of another, and runs the rest', async () => {
    const { app, port } = await startFeeds({ graph }, { realm: 'staff' });
    const { cookie } = await signInAs(app, { id: 'clerk' }, { realm: 'staff' });
    const socket = await GraphSocket.open({ port, headers: { cookie } });
    expect(await socket.ask('{ staff unmarked }')).toEqual({ data: { staff: 'staff', unmarked: 'anybody' } });
    const refused = { errors: [{ message: 'Internal server error', extensions: { reason: 'not_configured' } }] };
    expect(await socket.ask('{ guarded }')).toMatchObject(refused);
    expect(await socket.ask('subscription { openNews { text } }')).toMatchObject(refused);
  });

  it.each(['none', 'touch'] as const)('counts its operations, and no events, as activity: %s', async (activity) => {
    const clock = new ManualClock();
    const enhanced = { fieldResolverEnhancers: ['guards'] };
    const lifetime = { idle: '30m', touchInterval: '1m' } as const;
    const running: FeedApp = await startFeeds(
      { graph, clock, config: enhanced, realms: { default: { lifetime } } },
      { activity },
    );
    const { cookie } = await signInAs(running.app, ALICE);
    const lastActivity = async (): Promise<number> => {
      const { sessions } = await running.app.get(SessionLifecycleService).list('alice');
      return sessions[0]!.lastActivityAt.getTime();
    };
    const socket = await GraphSocket.open({ port: running.port, headers: { cookie } });
    const news = socket.start('subscription { unmarkedNews { secret roles } }');
    await socket.until(() => running.feeds.running === 1);
    const before = await lastActivity();
    clock.advance(10 * MINUTE);
    running.feeds.publish('news');
    await socket.next(news);
    expect(await lastActivity()).toBe(before);
    expect(await socket.ask('{ unmarked }')).toEqual({ data: { unmarked: 'anybody' } });
    if (activity === 'touch') await until(async () => (await lastActivity()) > before);
    else expect(await lastActivity()).toBe(before);
    clock.advance(25 * MINUTE);
    if (activity === 'touch') expect(await socket.ask('{ guarded }')).toEqual({ data: { guarded: 'alice' } });
    else expect(await socket.closed).toEqual({ code: 4401, reason: 'session_ended' });
  });
});
