import { beforeEach, describe, expect, it } from '@jest/globals';
import { sessionServices } from '../../test/fixtures/session-services.js';
import { SessionEventPublisher } from '../events/event-publisher.js';
import type { SessionEvent } from '../events/session-event.js';
import { MemorySessionStore } from '../storage/memory/memory-session-store.js';
import type { ConcurrencyLimit } from './concurrency.options.js';
import { ConcurrentSessionsService } from './concurrent-sessions.service.js';
import type { SessionUserId } from '../users/session-user-provider.js';
import type { SessionLifecycleService } from './session-lifecycle.service.js';

const START = Date.UTC(2026, 0, 1);
const MINUTE = 60_000;
const ALICE = { id: 7 };
const CLIENT = { ip: '192.0.2.1', userAgent: 'test/1.0' };

let now: number;
let events: SessionEvent[];
let lifecycle: SessionLifecycleService;

const under = (limit: ConcurrencyLimit): ConcurrentSessionsService => new ConcurrentSessionsService(lifecycle, limit);

/** Logs in `count` times, a minute apart. Returns tokens and handles, oldest first. */
async function logIn(count: number): Promise<{ token: string; id: string }[]> {
  const logins = [];
  for (let login = 0; login < count; login += 1, now += MINUTE) {
    const { token, session } = await lifecycle.create({ user: ALICE });
    logins.push({ token, id: session.id });
  }
  return logins;
}

async function liveIds(): Promise<string[]> {
  return (await lifecycle.list('7', { limit: 1000 })).sessions.map(({ id }) => id);
}

beforeEach(() => {
  now = START;
  events = [];
  const clock = { now: () => now };
  ({ lifecycle } = sessionServices({
    store: new MemorySessionStore(),
    clock,
    events: new SessionEventPublisher(clock, { record: (event) => void events.push(event) }),
    lifetime: { idle: 24 * 60 * MINUTE * 2, absolute: 24 * 60 * MINUTE * 2 },
    limit: { max: Infinity, onLimit: 'reject' },
  }));
});

describe('ConcurrentSessionsService', () => {
  it('tells the limit of a user', async () => {
    const max = ({ id }: { id: SessionUserId }): number => (id === 7 ? 2 : 5);
    expect(await under({ max, onLimit: 'reject' }).limitOf(ALICE)).toEqual({ max: 2, onLimit: 'reject' });
  });

  it('counts live sessions, over all pages', async () => {
    const service = under({ max: 3, onLimit: 'reject' });
    expect(await service.count('7')).toBe(0);
    await logIn(1001);
    expect(await service.count('7')).toBe(1001);
    expect(await service.count('8')).toBe(0);
  });

  it.each(['evict-oldest', 'reject'] as const)(
    'ends the oldest over the limit under %s, and tells',
    async (onLimit) => {
      const logins = await logIn(5);
      await lifecycle.find(logins[0]!.token);
      events.length = 0;
      expect(await under({ max: 2, onLimit }).enforce(ALICE, CLIENT)).toBe(3);
      expect(await liveIds()).toEqual([logins[4]!.id, logins[3]!.id]);
      expect(events).toHaveLength(3);
      expect(events[0]).toEqual({
        type: 'session.destroyed',
        realm: 'default',
        at: new Date(now),
        sessionId: expect.any(String),
        userId: '7',
        reason: 'limit_lowered',
        client: CLIENT,
      });
    },
  );

  it('ends the least recently used under evict-least-recent', async () => {
    const logins = await logIn(5);
    now += MINUTE;
    await lifecycle.find(logins[1]!.token);
    expect(await under({ max: 2, onLimit: 'evict-least-recent' }).enforce(ALICE)).toBe(3);
    expect(await liveIds()).toEqual([logins[4]!.id, logins[1]!.id]);
  });

  it.each([3, 4, Infinity])('ends none of 3 at a limit of %p', async (max) => {
    await logIn(3);
    expect(await under({ max, onLimit: 'evict-oldest' }).enforce(ALICE)).toBe(0);
    expect(await liveIds()).toHaveLength(3);
  });

  it('does not count a session that ended meanwhile', async () => {
    const logins = await logIn(3);
    const service = under({ max: 1, onLimit: 'evict-oldest' });
    const [ended] = await Promise.all([service.enforce(ALICE), lifecycle.destroy(logins[0]!.token)]);
    expect(ended).toBe(1);
    expect(await liveIds()).toEqual([logins[2]!.id]);
  });
});
