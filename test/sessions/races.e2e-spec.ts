import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { SessionListItem } from 'nestjs-session-auth';
import type { BankClient } from '../support/bank-client.js';
import { ON_EVERY_STACK, openBackend, startBank, type Backend, type Bank } from '../support/bank.js';

describe.each(ON_EVERY_STACK)('races on $adapter with $store, between two nodes', ({ adapter, store }) => {
  let backend: Backend;
  let nodes: [Bank, Bank];

  beforeEach(async () => {
    backend = await openBackend(store);
    // what is tested is the outcome, however long a hundred logins take on a busy machine
    const options = { storeTimeout: '20s' } as const;
    nodes = [await startBank({ adapter, backend, options }), await startBank({ adapter, backend, options })];
  });

  afterEach(async () => {
    for (const node of nodes) await node.close();
    await backend.close();
  });

  /** The same customer at the other node. */
  function at(node: Bank, client: BankClient): BankClient {
    const there = node.client();
    for (const [name, value] of client.cookies) there.cookies.set(name, value);
    return there;
  }

  it('a session is good on every node, and ended on every node', async () => {
    const alice = nodes[0].client();
    const { id } = await alice.login('alice');
    const there = at(nodes[1], alice);
    expect(await there.isSignedIn()).toBe(true);
    await there.ask('PATCH', '/api/preferences', { body: { theme: 'dark' } });
    expect((await alice.get('/api/preferences')).json).toEqual({ theme: 'dark' });
    expect((await there.ask('DELETE', `/auth/sessions/${id}`)).status).toBe(204);
    expect(await alice.isSignedIn()).toBe(false);
  });

  it('a slow update that comes after the logout does not bring the session back', async () => {
    const alice = nodes[0].client();
    await alice.login('alice');
    const stolen = alice.cookie;
    const slow = at(nodes[1], alice).ask('PATCH', '/api/preferences?delay=300', { body: { late: true } });
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect((await alice.post('/auth/logout')).status).toBe(204);
    const answer = await slow;
    expect([answer.status, answer.json]).toEqual([
      401,
      { statusCode: 401, code: 'session_required', message: expect.any(String), realm: 'default' },
    ]);
    expect(await alice.isSignedIn({ cookie: stolen })).toBe(false);
    if (backend.redis) expect(await backend.redis.keys(`${backend.namespace}*:s:*`)).toEqual([]);
    if (backend.dataSource) expect(await backend.dataSource.query('SELECT * FROM session_auth_session')).toEqual([]);
  });

  it('a hundred parallel requests that each set another key lose none', async () => {
    const alice = nodes[0].client();
    await alice.login('alice');
    const clients = [alice, at(nodes[1], alice)];
    const answers = await Promise.all(
      Array.from({ length: 100 }, (_, i) =>
        clients[i % 2]!.ask('PATCH', '/api/preferences', { body: { [`key${i}`]: i } }),
      ),
    );
    expect(new Set(answers.map((answer) => answer.status))).toEqual(new Set([200]));
    const data = (await alice.get('/api/preferences')).json as Record<string, number>;
    expect(data).toEqual(Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`key${i}`, i])));
  });

  it('a hundred parallel logins at a limit of three leave exactly three sessions', async () => {
    const devices = Array.from({ length: 100 }, (_, i) => nodes[i % 2]!.client());
    await Promise.all(devices.map((device) => device.login('alice')));
    const signedIn = await Promise.all(devices.map((device) => device.isSignedIn()));
    const live = devices.filter((_, i) => signedIn[i]);
    expect(live).toHaveLength(3);
    expect((await live[0]!.get('/auth/sessions')).json as SessionListItem[]).toHaveLength(3);
    const evicted = nodes.flatMap((node) => node.events.filter((event) => event.type === 'session.evicted'));
    expect(new Set(evicted.map((event) => event.sessionId)).size).toBe(97);
    if (backend.redis) {
      expect(await backend.redis.keys(`${backend.namespace}*:s:*`)).toHaveLength(3);
      const [index] = await backend.redis.keys(`${backend.namespace}*:u:*`);
      expect(await backend.redis.zcard(index!)).toBe(3);
    }
    if (backend.dataSource) {
      expect(await backend.dataSource.query('SELECT * FROM session_auth_session')).toHaveLength(3);
    }
  });

  it('of twenty parallel logins over one live session, no more than one keeps its cookie alive', async () => {
    const alice = nodes[0].client();
    await alice.login('alice');
    const before = alice.cookie;
    const tabs = Array.from({ length: 20 }, (_, i) => at(nodes[i % 2]!, alice));
    await Promise.all(tabs.map((tab) => tab.login('alice')));
    expect(await alice.isSignedIn({ cookie: before })).toBe(false);
    const live = await Promise.all(tabs.map((tab) => tab.isSignedIn()));
    expect(live.filter(Boolean).length).toBeLessThanOrEqual(3);
    expect(live.filter(Boolean).length).toBeGreaterThanOrEqual(1);
  });

  it('a login over the session of somebody else ends it, also when it gets a new token meanwhile', async () => {
    const alice = nodes[0].client();
    await alice.login('alice');
    const elsewhere = at(nodes[1], alice);
    const { userId: bob } = await nodes[0].client().login('bob');
    const racing = await startBank({
      adapter,
      backend,
      options: {
        // asked in the middle of Bob's login: when Alice's session has been read and is not ended yet
        concurrency: async ({ id }) => {
          if (String(id) === bob) await elsewhere.post('/auth/reauthenticate', { password: 'alice-demo-password' });
          return 3;
        },
      },
    });
    try {
      const before = elsewhere.sealed;
      const browser = at(racing, alice);
      expect((await browser.login('bob')).userId).toBe(bob);
      expect(elsewhere.sealed).not.toBe(before);
      expect(await elsewhere.isSignedIn()).toBe(false);
      expect(await browser.isSignedIn()).toBe(true);
    } finally {
      await racing.close();
    }
  });

  it('logging out while logging out is one logout', async () => {
    const alice = nodes[0].client();
    await alice.login('alice');
    const cookie = alice.cookie;
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, i) => nodes[i % 2]!.client().post('/auth/logout', undefined, { cookie })),
    );
    expect(new Set(answers.map((answer) => answer.status))).toEqual(new Set([204]));
    const ended = nodes.flatMap((node) => node.events.filter((event) => event.type === 'session.destroyed'));
    expect(ended).toHaveLength(1);
  });

  it('re-authentication while the session is revoked elsewhere leaves it ended', async () => {
    for (let round = 0; round < 10; round += 1) {
      const alice = nodes[0].client();
      const { id } = await alice.login('alice');
      const admin = at(nodes[1], alice);
      await Promise.all([
        alice.post('/auth/reauthenticate', { password: 'alice-demo-password' }),
        admin.ask('DELETE', `/auth/sessions/${id}`),
      ]);
      // either the revocation came first, or it was refused with 401 because its own token had just been replaced
      const stillThere = await alice.isSignedIn();
      const list = (await (stillThere ? alice.get('/auth/sessions') : alice.get('/health'))).json;
      if (stillThere) expect((list as SessionListItem[]).filter((item) => item.id === id)).toHaveLength(1);
      await alice.post('/auth/logout');
      expect(await alice.isSignedIn()).toBe(false);
    }
  });
});
