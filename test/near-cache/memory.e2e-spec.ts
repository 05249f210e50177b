import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, it } from '@jest/globals';
import { SessionLink, SystemClock } from 'nestjs-session-auth';
import { newRecord } from '../../bench/session-records.js';
import { NearCache, type ProvingLink } from '../../libs/session-auth/src/near-cache/near-cache.js';
import { DEFAULT_SESSION_LIFETIME } from '../../libs/session-auth/src/session/lifetime.options.js';

const SESSIONS = 20_000;

/** A link that is always well. */
class IdleLink extends SessionLink implements ProvingLink {
  readonly isHealthy = true;

  open(): Promise<void> {
    return Promise.resolve();
  }

  watch(): () => void {
    return () => undefined;
  }

  observe(): () => void {
    return () => undefined;
  }

  override prove(): Promise<void> {
    return Promise.resolve();
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

it('a session in a near-cache takes at most 1 KB, at the payload of the benchmark', async () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const heap = (): number => {
    collect();
    return process.memoryUsage().heapUsed;
  };
  const settings = { bound: 10_000, maxSessions: SESSIONS, consistency: 'bounded' } as const;
  const cache = new NearCache(new IdleLink(), settings, DEFAULT_SESSION_LIFETIME, new SystemClock());
  await cache.open();
  const before = heap();
  for (let i = 0; i < SESSIONS; i += 1) {
    const record = newRecord(`user-${i}`);
    cache.fillBack(cache.fillSent(record.id)!, record);
  }
  const each = (heap() - before) / SESSIONS;
  console.log(`near-cache: ${each.toFixed(0)} bytes a session`);
  expect(cache.size).toBe(SESSIONS);
  expect(each).toBeLessThan(1024);
  await cache.close();
});
