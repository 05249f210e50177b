import { setTimeout as delay } from 'node:timers/promises';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { BankClient } from '../support/bank-client.js';
import { buildDemo } from '../support/build.js';
import { runDemo, startDemo } from '../support/demo-process.js';
import { PATIENCE } from '../support/patience.js';

const SECRET = 'a secret for the demo that everybody may know';

describe('the demo as a process', () => {
  beforeAll(buildDemo, PATIENCE);

  it.each([
    ['express', 'memory'],
    ['fastify', 'memory'],
    ['express', 'redis'],
    ['fastify', 'redis'],
    ['express', 'postgres'],
    ['fastify', 'postgres'],
  ])(
    'opens on %s with sessions in %s, prints address and accounts, and every account works',
    async (adapter, store) => {
      const demo = await startDemo({ HTTP_ADAPTER: adapter, SESSION_STORE: store });
      try {
        for (const name of ['alice', 'bob', 'admin']) {
          expect(demo.output()).toContain(`${name}@example.com`);
          expect(demo.output()).toContain(`${name}-demo-password`);
          const client = new BankClient(demo.port);
          await client.login(name);
          expect((await client.get('/api/me')).json).toMatchObject({ userId: name, email: `${name}@example.com` });
        }
        expect(await new BankClient(demo.port).isSignedIn({ cookie: `__Host-session=${'A'.repeat(100_000)}` })).toBe(
          false,
        );
      } finally {
        expect(await demo.stop()).toBe(0);
      }
    },
  );

  it.each([
    [{ SESSION_STORE: 'mongo' }, /SESSION_STORE: given 'mongo'; allowed is one of memory, redis, postgres/],
    [{ HTTP_ADAPTER: 'koa' }, /HTTP_ADAPTER: given 'koa'; allowed is one of express, fastify/],
    [{ PORT: '70000' }, /PORT: given '70000'; allowed is a whole number from 0 to 65535/],
    [{ PORT: 'http' }, /PORT: given 'http'/],
    [{ NODE_ENV: 'production' }, /SESSION_SECRET: not set; in production/],
    [{ SESSION_SECRET: 'short' }, /secrets\[0\]: given a string of 5 bytes; allowed is/],
    [{ SESSION_SECRET: `${SECRET},short` }, /secrets\[1\]/],
    [{ SESSION_STORE: 'redis', REDIS_URL: 'redis://127.0.0.1:1' }, /ECONNREFUSED/],
    [{ SESSION_STORE: 'postgres', DATABASE_URL: 'postgres://127.0.0.1:1/bank' }, /ECONNREFUSED/],
  ])('does not open with %p, and says why', async (env, message) => {
    const { code, output } = await runDemo({ PORT: '0', ...(env as Record<string, string>) });
    expect(code).toBe(1);
    expect(output).toMatch(message);
    expect(output).not.toContain(SECRET);
  });

  it('warns once that memory is not for production, and of nothing on Redis', async () => {
    for (const [store, warnings] of [
      ['memory', 1],
      ['redis', 0],
    ] as const) {
      const demo = await startDemo({ NODE_ENV: 'production', SESSION_SECRET: SECRET, SESSION_STORE: store });
      await new BankClient(demo.port).login('alice');
      expect(await demo.stop()).toBe(0);
      expect(demo.output().match(/^.*sessions, .* are kept in memory/gm) ?? []).toHaveLength(warnings);
    }
  });

  it('keeps sessions in Redis over a restart with the same secret', async () => {
    const env = { SESSION_SECRET: SECRET, SESSION_STORE: 'redis', REDIS_URL: process.env['TEST_REDIS_URL']! };
    const before = await startDemo(env);
    const alice = new BankClient(before.port);
    await alice.login('alice');
    expect(await before.stop()).toBe(0);
    const after = await startDemo(env);
    alice.port = after.port;
    try {
      expect(await alice.isSignedIn()).toBe(true);
    } finally {
      await alice.post('/auth/logout');
      expect(await after.stop()).toBe(0);
    }
  });

  it.each(['express', 'fastify'])('finishes the requests under way on %s when it receives SIGTERM', async (adapter) => {
    const demo = await startDemo({ HTTP_ADAPTER: adapter, SESSION_STORE: 'redis' });
    const alice = new BankClient(demo.port);
    await alice.login('alice');
    const slow = alice.ask('PATCH', '/api/preferences?delay=1000', { body: { late: true } });
    await delay(300);
    const code = demo.stop();
    expect(await slow).toMatchObject({ status: 200, json: { late: true } });
    expect(await code).toBe(0);
    await expect(alice.get('/health')).rejects.toThrow(/ECONNREFUSED/);
  });
});
