import { describe, expect, it, jest } from '@jest/globals';
import { StoreDeadline } from '../async/store-deadline.js';
import { MemorySessionStore } from '../storage/memory/memory-session-store.js';
import { SessionStoreHealthIndicator } from './session-store-health-indicator.js';

const CLOCK = { now: () => 1000 };

describe('SessionStoreHealthIndicator', () => {
  it('is up, under the name asked for, where the store answers a read that touches nothing', async () => {
    const store = new MemorySessionStore();
    const find = jest.spyOn(store, 'find');
    const indicator = new SessionStoreHealthIndicator(store, CLOCK, new StoreDeadline(50));
    expect(await indicator.pingCheck()).toEqual({ sessions: { status: 'up' } });
    expect(await indicator.pingCheck('store')).toEqual({ store: { status: 'up' } });
    expect(find.mock.calls).toEqual([
      [expect.any(String), { now: 1000, idle: 1, interval: 1 }],
      [expect.any(String), { now: 1000, idle: 1, interval: 1 }],
    ]);
    expect(find.mock.calls[0]![0]).not.toBe(find.mock.calls[1]![0]);
  });

  it('is down, without a word of why, where the store fails or does not answer in time', async () => {
    const store = new MemorySessionStore();
    const down = { sessions: { status: 'down', message: 'the session store does not respond' } };
    jest.useFakeTimers();
    try {
      const indicator = new SessionStoreHealthIndicator(store, CLOCK, new StoreDeadline(50));
      jest.spyOn(store, 'find').mockRejectedValueOnce(new Error('ECONNREFUSED 10.0.0.1'));
      expect(await indicator.pingCheck()).toEqual(down);
      jest.spyOn(store, 'find').mockReturnValueOnce(new Promise(() => undefined));
      const health = indicator.pingCheck();
      await jest.advanceTimersByTimeAsync(51);
      expect(await health).toEqual(down);
    } finally {
      jest.useRealTimers();
    }
  });
});
