import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { SessionStoreHealthIndicator } from 'nestjs-session-auth';
import { REDIS_OPTIONS } from '../../src/storage/redis-options.js';
import type { Answer } from '../support/bank-client.js';
import { ADAPTERS, openBackend, startBank, type Backend, type Bank } from '../support/bank.js';
import { FaultProxy } from '../support/fault-proxy.js';

const ADDRESSES = { redis: 'TEST_REDIS_URL', postgres: 'TEST_DATABASE_URL' } as const;

const ON_SERVERS = ADAPTERS.flatMap((adapter) => (['redis', 'postgres'] as const).map((store) => ({ adapter, store })));

describe.each(ON_SERVERS)('the health of a node, on $adapter with $store', ({ adapter, store }) => {
  let proxy: FaultProxy;
  let backend: Backend;
  let bank: Bank;

  const health = (): Promise<Answer> => bank.client().get('/health');

  beforeAll(async () => {
    const url = process.env[ADDRESSES[store]]!;
    proxy = await FaultProxy.start(Number(new URL(url).port));
    backend = await openBackend(store, proxy.through(url), REDIS_OPTIONS, { connectTimeoutMS: 2000 });
    bank = await startBank({ adapter, backend, options: { storeTimeout: 2000 } });
  });

  afterEach(() => proxy.heal());

  afterAll(async () => {
    await bank.close();
    await backend.close();
    await proxy.close();
  });

  it('is good while the store responds', async () => {
    const { status, json, setCookies } = await health();
    expect([status, json]).toEqual([
      200,
      { status: 'ok', info: { sessions: { status: 'up' } }, error: {}, details: { sessions: { status: 'up' } } },
    ]);
    expect(setCookies).toEqual([]);
    expect(await bank.app.get(SessionStoreHealthIndicator).pingCheck()).toEqual({ sessions: { status: 'up' } });
  });

  it.each(['refuse', 'black-hole'] as const)(
    'is 503 while it does not, by name and without a reason: %s',
    async (kind) => {
      await proxy.break({ kind });
      const { status, json, text } = await health();
      const sessions = { status: 'down', message: 'the session store does not respond' };
      expect([status, json]).toEqual([503, { status: 'error', info: {}, error: { sessions }, details: { sessions } }]);
      expect(text).not.toMatch(/ECONN|127\.0\.0\.1|redis|postgres/i);
      await proxy.heal();
      // the only way to see that it is good again is to ask again
      while ((await health()).status !== 200);
    },
  );

  it('is checked without an event of a session that ended', async () => {
    await health();
    expect(bank.events.filter(({ type }) => type === 'session.used_after_end')).toEqual([]);
  });
});
