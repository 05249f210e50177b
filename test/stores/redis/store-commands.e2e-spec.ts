import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { startLocalRedis, type LocalRedis } from '../../../src/local-services/local-redis.ts';
import type { BankClient } from '../../support/bank-client.js';
import { ADAPTERS, openBackend, startBank, type Backend, type Bank } from '../../support/bank.js';
import { countCommands } from '../../support/command-count.js';
import { steadyRequests } from '../../support/steady-requests.js';

const NODES = [
  ...ADAPTERS.map((adapter) => ({ adapter, store: 'redis' as const })),
  { adapter: 'fastify' as const, store: 'node-redis' as const },
];

describe.each(NODES)('what Redis is asked for on $adapter by $store', ({ adapter, store }) => {
  let server: LocalRedis;
  let backend: Backend;
  let bank: Bank;
  let unthrottled: Bank;
  let alice: BankClient;

  const count = (run: () => Promise<unknown>): ReturnType<typeof countCommands> => countCommands(backend.redis!, run);

  beforeAll(async () => {
    server = await startLocalRedis();
    backend = await openBackend(store, server.url);
    // longer than the ten thousand requests take on a busy machine
    bank = await startBank({ adapter, backend, options: { lifetime: { touchInterval: '10m' } } });
    unthrottled = await startBank({ adapter, backend, options: { loginThrottle: false } });
    // every script once, so that none is counted twice for being sent in full
    const device = bank.client();
    await device.login('alice');
    await device.login('alice');
    await device.get('/auth/sessions');
    await device.ask('DELETE', '/auth/sessions');
    await device.ask('PATCH', '/api/preferences', { body: { warm: true } });
    await device.post('/auth/login', { email: 'alice@example.com', password: 'x' });
    await device.post('/auth/logout');
  });

  beforeEach(async () => {
    await backend.redis!.flushdb();
    alice = bank.client();
  });

  afterAll(async () => {
    await bank.close();
    await unthrottled.close();
    await backend.close();
    await server.stop();
  });

  it('nothing for an open route, with or without a cookie', async () => {
    await alice.login('alice');
    const { byName } = await count(async () => {
      expect((await alice.get('/auth/csrf')).status).toBe(200);
      expect((await bank.client().get('/auth/csrf')).status).toBe(200);
      expect((await alice.get('/not/there')).status).toBe(404);
    });
    expect(byName).toEqual({});
  });

  it('one read for the health of the store', async () => {
    const { sent, writes } = await count(async () => {
      expect((await alice.get('/health')).json).toMatchObject({ status: 'ok', info: { sessions: { status: 'up' } } });
    });
    expect([sent, writes]).toEqual([1, 0]);
  });

  it('nothing for a guarded route without a cookie', async () => {
    expect((await count(() => bank.client().get('/api/me'))).byName).toEqual({});
  });

  it('at most one script a guarded request, and no write inside touchInterval, over 10,000 requests', async () => {
    await alice.login('alice');
    const { sent, writes } = await count(async () => {
      const answers = await steadyRequests(bank.port, '/api/me', alice.cookie, 10_000);
      expect(answers).toEqual({ 200: 10_000 });
    });
    expect(sent).toBeLessThanOrEqual(10_000);
    expect(writes).toBe(0);
  });

  it('one script for each of guarded requests that come one after the other', async () => {
    await alice.login('alice');
    const { sent, writes } = await count(async () => {
      for (let i = 0; i < 20; i += 1) expect(await alice.isSignedIn()).toBe(true);
    });
    expect([sent, writes]).toEqual([20, 0]);
  });

  it('one script also when several guards and decorators of one request ask', async () => {
    const admin = bank.client();
    await admin.login('admin');
    const settings = await count(() => admin.get('/api/preferences'));
    expect(settings.sent).toBe(1);
  });

  it('one script, which writes, once touchInterval is over; then none again', async () => {
    await alice.login('alice');
    bank.clock.advance(601_000);
    const due = await count(() => alice.isSignedIn());
    expect(due.sent).toBe(1);
    expect(due.byName).toMatchObject({ setrange: 1, pexpire: 1 });
    const next = await count(() => alice.isSignedIn());
    expect(next.writes).toBe(0);
  });

  it('one script a login, with limit, index and eviction, besides those of the throttle', async () => {
    for (let i = 0; i < 5; i += 1) {
      const { sent } = await count(() => unthrottled.client().login('alice'));
      expect(sent).toBe(1);
    }
  });

  it('two round trips of reads for the throttle of a login from a known address, and nothing written for it', async () => {
    await alice.login('alice');
    await bank.client().login('alice');
    const { byName } = await count(() => bank.client().login('alice'));
    // before the password is looked at: a script each for the user, the name and the address, sent together; and after:
    // for the user and the address; and the login's own
    expect(byName).toMatchObject({ hmget: 5, evalsha: 6 });
    for (const write of ['hset', 'hdel']) expect(byName).not.toHaveProperty(write);
  });

  it('nothing of sessions for a failed login: only its count', async () => {
    const wrong = (): Promise<unknown> => alice.post('/auth/login', { email: 'alice@example.com', password: 'x' });
    await wrong();
    const { byName } = await count(wrong);
    // the reads before, and five counts: of the user and of the name, of this client at either, and of the address
    expect(byName).toEqual({ evalsha: 6, hmget: 3, hget: 5, hset: 5 });
  });

  it('one script a logout', async () => {
    await alice.login('alice');
    const { sent } = await count(() => alice.post('/auth/logout'));
    expect(sent).toBe(1);
    expect(await backend.redis!.keys(`${backend.namespace}*:s:*`)).toEqual([]);
  });

  it('one script each to end the other sessions and to forget their devices, besides the one that finds who asks', async () => {
    const others = [bank.client(), bank.client()];
    for (const other of others) await other.login('alice');
    await alice.login('alice');
    const { sent } = await count(() => alice.ask('DELETE', '/auth/sessions'));
    expect(sent).toBe(3);
  });

  it('no key without a time to live', async () => {
    await alice.login('alice');
    await alice.ask('PATCH', '/api/preferences', { body: { theme: 'dark' } });
    await alice.post('/auth/reauthenticate', { password: 'alice-demo-password' });
    await alice.post('/auth/login', { email: 'alice@example.com', password: 'x' });
    const keys = await backend.redis!.keys('*');
    // session, index, what is counted of alice's account
    expect(keys).toHaveLength(3);
    for (const key of keys) expect(await backend.redis!.pttl(key)).toBeGreaterThan(0);
  });
});
