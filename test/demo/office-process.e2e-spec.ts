import { beforeAll, describe, expect, it } from '@jest/globals';
import { BankClient } from '../support/bank-client.js';
import { buildDemo } from '../support/build.js';
import { startDemo } from '../support/demo-process.js';
import { enterOffice, isInOffice } from '../support/office.js';
import { PATIENCE } from '../support/patience.js';

const OLD = 'the secret of last year is quite long enough';
const NEW = 'the secret of this year is quite long enough';

describe('the back office of the demo as a process', () => {
  beforeAll(buildDemo, PATIENCE);

  it.each([
    ['fastify', 'memory'],
    ['express', 'redis'],
    ['fastify', 'postgres'],
  ])('opens on %s with sessions in %s, and its accounts are printed and work', async (adapter, store) => {
    const demo = await startDemo({ HTTP_ADAPTER: adapter, SESSION_STORE: store });
    try {
      for (const name of ['olga', 'oscar']) {
        expect(demo.output()).toContain(`${name}@office.example.com`);
        expect(demo.output()).toContain(`${name}-demo-password`);
        const client = new BankClient(demo.port);
        await client.login('alice');
        await enterOffice(client, name);
        expect([await isInOffice(client), await client.isSignedIn()]).toEqual([true, true]);
      }
    } finally {
      expect(await demo.stop()).toBe(0);
    }
  });

  it('keeps customers and staff signed in while the secret changes, and lets the old one go', async () => {
    const env = { SESSION_STORE: 'redis', REDIS_URL: process.env['TEST_REDIS_URL']! };
    const client = new BankClient(0);
    for (const secrets of [OLD, `${NEW},${OLD}`, NEW]) {
      const demo = await startDemo({ ...env, SESSION_SECRET: secrets });
      try {
        client.port = demo.port;
        if (secrets === OLD) {
          await client.login('alice');
          await enterOffice(client);
        }
        expect([secrets, await isInOffice(client), await client.isSignedIn()]).toEqual([secrets, true, true]);
        if (secrets !== NEW) continue;
        const { csrfToken } = (await client.get('/office/auth/csrf')).json as { csrfToken: string };
        expect((await client.post('/office/auth/logout', undefined, { csrf: csrfToken })).status).toBe(204);
        expect((await client.post('/auth/logout')).status).toBe(204);
      } finally {
        expect(await demo.stop()).toBe(0);
      }
    }
  });

  it('warns of sessions in memory for each realm, by name', async () => {
    const demo = await startDemo({ NODE_ENV: 'production', SESSION_SECRET: OLD });
    expect(await demo.stop()).toBe(0);
    const kept = 'sessions, remember-me tokens and counts of failed logins';
    expect(demo.output().match(/sessions.*are kept in memory/g)).toEqual([
      `${kept} are kept in memory`,
      "sessions and counts of failed logins of realm 'office' are kept in memory",
    ]);
  });
});
