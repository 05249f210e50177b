import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
import type { SessionEventPublisher } from '../events/event-publisher.js';
import type { UnstampedSessionEvent } from '../events/session-event.js';
import type { Clock } from '../time/clock.js';
import type { CleanupSettings } from './cleanup.options.js';
import type { ExpiringRows } from './expiring-rows.js';
import { SessionCleanupService } from './session-cleanup.service.js';
import type { EndedSession, SessionStore } from './session-store.js';
import { HOUR } from '../time/units.js';

/** The parts of the service that a test replaces. */
interface Parts {
  readonly store?: SessionStore;
  readonly clock?: Clock;
  readonly others?: Record<string, ExpiringRows>;
}

describe('SessionCleanupService', () => {
  let expired: EndedSession[];
  let published: UnstampedSessionEvent[];
  let logged: jest.Spied<Logger['error']>;
  let told: jest.Spied<Logger['log']>;
  let deleteExpired: jest.Mock<SessionStore['deleteExpired']>;
  let services: SessionCleanupService[];

  beforeEach(() => {
    jest.useFakeTimers({ doNotFake: ['setImmediate', 'nextTick'] });
    jest.spyOn(Math, 'random').mockReturnValue(0.5);
    told = jest.spyOn(Logger.prototype, 'log').mockImplementation(() => undefined);
    logged = jest.spyOn(Logger.prototype, 'error').mockImplementation(() => undefined);
    expired = [];
    published = [];
    services = [];
    deleteExpired = jest.fn<SessionStore['deleteExpired']>((_, limit) => Promise.resolve(expired.splice(0, limit)));
  });

  afterEach(async () => {
    for (const service of services) await service.onModuleDestroy();
    jest.useRealTimers();
    jest.restoreAllMocks();
  });

  function make(parts: Parts = {}, settings: Partial<CleanupSettings> = {}): SessionCleanupService {
    const publish = (event: UnstampedSessionEvent): void => void published.push(event);
    const service = new SessionCleanupService(
      parts.store ?? ({ deleteExpired } as unknown as SessionStore),
      parts.clock ?? { now: () => 1000 },
      { publish } as unknown as SessionEventPublisher,
      { every: HOUR, batch: 2, ...settings },
      parts.others ?? {},
    );
    services.push(service);
    return service;
  }

  const sessions = (count: number): EndedSession[] =>
    Array.from({ length: count }, (_, i) => ({ id: `s${i}`, userId: 'alice' }));
  /** Lets pending work finish without moving the clock. */
  const settle = async (): Promise<void> => {
    for (let i = 0; i < 20; i += 1) await new Promise((resolve) => setImmediate(resolve));
  };

  it('goes on in steps until a step is not full, and tells of each session', async () => {
    expired = sessions(5);
    expect(await make().run()).toEqual({ ran: true, sessions: 5, others: {}, milliseconds: 0 });
    expect(deleteExpired.mock.calls).toEqual([
      [1000, 2],
      [1000, 2],
      [1000, 2],
    ]);
    expect(published).toEqual(
      ['s0', 's1', 's2', 's3', 's4'].map((sessionId) => ({ type: 'session.expired', sessionId, userId: 'alice' })),
    );
  });

  it('sweeps other rows along and reports them by name', async () => {
    let tokens = 3;
    const rememberMeTokens = {
      deleteExpired: async (_: number, limit: number): Promise<number> => {
        const step = Math.min(tokens, limit);
        tokens -= step;
        return step;
      },
    };
    expect(await make({ others: { rememberMeTokens } }).run()).toMatchObject({ others: { rememberMeTokens: 3 } });
  });

  it('sweeps what is in other stores when one fails, and then fails', async () => {
    deleteExpired.mockRejectedValue(new Error('down'));
    const swept: string[] = [];
    const rows = (name: string): ExpiringRows => ({
      deleteExpired: () => {
        swept.push(name);
        return Promise.resolve(0);
      },
    });
    const run = make({ others: { tokens: rows('tokens'), audit: rows('audit') } }).run();
    await expect(run).rejects.toMatchObject({ code: 'session_store_unavailable' });
    expect(swept).toEqual(['tokens', 'audit']);
  });

  it('is one run for all who ask meanwhile, and a new one afterwards', async () => {
    const service = make();
    const runs = [service.run(), service.run()];
    expect(runs[0]).toBe(runs[1]);
    await runs[0];
    await service.run();
    expect(deleteExpired).toHaveBeenCalledTimes(2);
  });

  it('does nothing while another node is at it', async () => {
    const store = { deleteExpired, withCleanupLock: () => Promise.resolve(undefined) } as unknown as SessionStore;
    expect(await make({ store }).run()).toEqual({ ran: false, sessions: 0, others: {}, milliseconds: 0 });
    expect(deleteExpired).not.toHaveBeenCalled();
  });

  it('starts within the first interval, goes on at intervals with jitter, and keeps no process alive', async () => {
    jest.spyOn(Math, 'random').mockReturnValue(0.25);
    const timeouts = jest.spyOn(globalThis, 'setTimeout');
    make().onApplicationBootstrap();
    expect(timeouts.mock.calls.at(-1)![1]).toBe(HOUR / 4);
    expect((timeouts.mock.results.at(-1)!.value as NodeJS.Timeout).hasRef()).toBe(false);
    jest.advanceTimersByTime(HOUR / 4);
    await settle();
    expect(deleteExpired).toHaveBeenCalledTimes(1);
    expect(timeouts.mock.calls.at(-1)![1]).toBeCloseTo(HOUR * 0.95);
    jest.advanceTimersByTime(HOUR * 0.95 + 1);
    await settle();
    expect(deleteExpired).toHaveBeenCalledTimes(2);
  });

  it('tells the log what it removed by itself, and nothing where there was nothing or another node was at it', async () => {
    const rows = (count: number): ExpiringRows => ({ deleteExpired: () => Promise.resolve(count) });
    let isElsewhere = true;
    const withCleanupLock: SessionStore['withCleanupLock'] = async (work) => (isElsewhere ? undefined : work());
    const store = { deleteExpired, withCleanupLock } as unknown as SessionStore;
    const times = [1000, 1000, 1000, 1000, 1250];
    const clock = { now: () => times.shift() ?? 2000 };
    expired = sessions(1);
    make({ store, clock, others: { tokens: rows(0), audit: rows(1) } }).onApplicationBootstrap();
    jest.advanceTimersByTime(HOUR / 2);
    await settle();
    expect(told).not.toHaveBeenCalled();
    times.splice(0, times.length, 1000, 1000, 1000, 1000, 1250);
    isElsewhere = false;
    jest.advanceTimersByTime(HOUR);
    await settle();
    expect(told.mock.calls).toEqual([['removed expired records in 250 ms: 1 sessions, 1 audit']]);
    expired = [];
    make().onApplicationBootstrap();
    jest.advanceTimersByTime(HOUR / 2);
    await settle();
    expect(told).toHaveBeenCalledTimes(1);
  });

  it('reports a failed run and goes on with the next', async () => {
    deleteExpired.mockImplementationOnce(() => Promise.reject(new Error('down')));
    make().onApplicationBootstrap();
    jest.advanceTimersByTime(HOUR / 2);
    await settle();
    expect(logged.mock.calls).toEqual([
      ['the cleanup failed; the next run continues', expect.stringContaining('the session store failed\n')],
    ]);
    jest.advanceTimersByTime(HOUR);
    await settle();
    expect(deleteExpired).toHaveBeenCalledTimes(2);
  });

  it('reports what is no Error in words', async () => {
    // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- what a driver may do
    const store = { deleteExpired, withCleanupLock: () => Promise.reject('no lock') } as unknown as SessionStore;
    make({ store }).onApplicationBootstrap();
    jest.advanceTimersByTime(HOUR / 2);
    await settle();
    expect(logged.mock.calls).toEqual([['the cleanup failed; the next run continues', 'no lock']]);
    expect(logged.mock.contexts[0]).toMatchObject({ context: 'SessionCleanup' });
  });

  it('never runs without a pause, whatever the jitter is', () => {
    const timeouts = jest.spyOn(globalThis, 'setTimeout');
    jest.spyOn(Math, 'random').mockReturnValue(0);
    make().onApplicationBootstrap();
    expect(timeouts.mock.calls.at(-1)![1]).toBe(1);
  });

  it('leaves no timer behind at the end, and does not fail at it with the step under way', async () => {
    const service = make();
    service.onApplicationBootstrap();
    expect(jest.getTimerCount()).toBe(1);
    let fail = (): void => undefined;
    deleteExpired.mockImplementationOnce(() => new Promise((_, reject) => (fail = () => reject(new Error('down')))));
    const run = service.run();
    const stopped = service.onModuleDestroy();
    fail();
    await expect(run).rejects.toMatchObject({ code: 'session_store_unavailable' });
    await expect(stopped).resolves.toBeUndefined();
    // the timer that gives a step up, which must not keep the process alive
    jest.advanceTimersByTime(HOUR);
    expect(jest.getTimerCount()).toBe(0);
  });

  it('is told of a failure when it is run by hand', async () => {
    deleteExpired.mockImplementationOnce(() => Promise.reject(new Error('down')));
    await expect(make().run()).rejects.toMatchObject({ code: 'session_store_unavailable' });
  });

  it('does not run by itself where it is not to, nor after the end', async () => {
    make({}, { every: undefined }).onApplicationBootstrap();
    const stopped = make();
    stopped.onApplicationBootstrap();
    await stopped.onApplicationShutdown();
    stopped.onApplicationBootstrap();
    jest.advanceTimersByTime(10 * HOUR);
    await settle();
    expect(deleteExpired).not.toHaveBeenCalled();
  });

  it('waits at the end for the step under way, and takes no other', async () => {
    expired = sessions(5);
    let finish = (): void => undefined;
    deleteExpired.mockImplementationOnce(
      (_, limit) => new Promise((resolve) => (finish = () => resolve(expired.splice(0, limit)))),
    );
    const service = make();
    const run = service.run();
    let isStopped = false;
    const stopped = service.onModuleDestroy().then(() => (isStopped = true));
    await settle();
    expect(isStopped).toBe(false);
    finish();
    await stopped;
    expect(await run).toMatchObject({ sessions: 2 });
    expect(deleteExpired).toHaveBeenCalledTimes(1);
  });
});
