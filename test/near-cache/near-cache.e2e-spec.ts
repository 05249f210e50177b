import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { realmToken, SessionAuthModule, SessionAuthService, SessionLifecycleService } from 'nestjs-session-auth';
import type { BankClient } from '../support/bank-client.js';
import { openBackend, startBank, TEST_SECRETS, type Backend, type Bank } from '../support/bank.js';
import { forgeries } from '../support/forged-cookies.js';
import { clientAt, startNearNodes, untilCached, type NearNode } from '../support/near-nodes.js';
import { until } from '../support/patience.js';
import { SESSION_ENDS } from '../support/session-ends.js';
import { watchedStorage } from '../support/watched-store.js';

describe.each(['redis', 'node-redis', 'postgres', 'pg'] as const)('two nodes with a near-cache, on %s', (store) => {
  let backend: Backend;
  let here: NearNode;
  let there: NearNode;
  /** Signed in at `here`, and the same browser at `there`, which has the session in its memory. */
  let alice: BankClient;
  let elsewhere: BankClient;

  beforeEach(async () => {
    ({ backend, here, there } = await startNearNodes(store));
    alice = here.client();
    await alice.login('alice', { rememberMe: false });
    elsewhere = clientAt(there, alice);
    await untilCached(here, alice);
    await untilCached(there, elsewhere);
  });

  afterEach(async () => {
    await here.close();
    await there.close();
    await backend.close();
  });

  const idOf = async (client: BankClient): Promise<string> =>
    ((await client.get('/auth/session')).json as { id: string }).id;

  it('serve a session from memory, and read it once a minute, for its touch', async () => {
    const before = there.finds;
    for (let request = 0; request < 30; request += 1) expect(await elsewhere.isSignedIn()).toBe(true);
    expect(there.finds).toBe(before);
    there.clock.advance(61_000);
    expect(await elsewhere.isSignedIn()).toBe(true);
    expect(there.finds).toBe(before + 1);
    await untilCached(there, elsewhere);
  });

  it('serve what the session was when it was read, of which no handler can change anything', async () => {
    await elsewhere.ask('PATCH', '/api/preferences', { body: { theme: 'dark', list: [1, 2] } });
    const read = async (): Promise<unknown> => (await elsewhere.get('/api/preferences')).json;
    const first = await read();
    await untilCached(there, elsewhere);
    expect([await read(), first]).toEqual([first, { theme: 'dark', list: [1, 2] }]);
  });

  it.each(Object.entries(SESSION_ENDS))(
    'refuse the session after %s: at once where it happened, soon elsewhere',
    async (_what, end) => {
      const former = clientAt(here, alice);
      await end({ node: here, other: there, client: alice, id: await idOf(alice) });
      expect(await former.isSignedIn()).toBe(false);
      await until(async () => !(await elsewhere.isSignedIn()));
      // and it stays so
      expect(await elsewhere.isSignedIn()).toBe(false);
    },
  );

  it('show changed roles at once where they were changed, soon elsewhere', async () => {
    const roles = async (client: BankClient): Promise<unknown> =>
      ((await client.get('/api/me')).json as { roles: string[] }).roles;
    await here.app.get(SessionAuthService).rolesChanged('alice', ['teller']);
    // the token is due: a role that was gained comes with a new one
    await alice.get('/api/me');
    expect(await roles(alice)).toEqual(['teller']);
    await until(
      async () =>
        (await elsewhere.get('/api/me')).status === 200 && !((await roles(elsewhere)) as string[]).includes('customer'),
    );
  });

  it('show changed data at once where it was changed, soon elsewhere', async () => {
    const seen = async (client: BankClient): Promise<unknown> => (await client.get('/api/preferences')).json;
    for (const theme of ['light', 'dark', 'none']) {
      await alice.ask('PATCH', '/api/preferences', { body: { theme } });
      expect(await seen(alice)).toMatchObject({ theme });
      await until(async () => ((await seen(elsewhere)) as { theme?: string }).theme === theme);
    }
  });

  it('serve no session past its time', async () => {
    there.clock.advance(24 * 60 * 60_000);
    expect(await elsewhere.isSignedIn()).toBe(false);
  });

  it('recognise a request of another client', async () => {
    const { status } = await elsewhere.get('/api/me', { headers: { 'user-agent': 'a thief' } });
    expect(status).toBe(401);
    await until(async () => !(await alice.isSignedIn()));
  });
});

describe.each(['redis', 'postgres'] as const)('a token that is replaced in passing, on %s', (store) => {
  it('is refused by a node that had it in memory, once its successor was used and its grace is over', async () => {
    const { backend, here, there } = await startNearNodes(store, {
      lifetime: { rotateEvery: '10m', rotationGrace: '10s', touchInterval: '5m', idle: '1h' },
    });
    const alice = here.client();
    await alice.login('alice');
    const former = clientAt(there, alice);
    const before = former.sealed;
    await untilCached(there, former);
    // a node whose clock is ahead hands out a successor, and the client uses it there
    here.clock.advance(11 * 60_000);
    await alice.get('/api/me');
    expect(alice.sealed).not.toBe(before);
    expect(await alice.isSignedIn()).toBe(true);
    here.clock.advance(11_000);
    there.clock.advance(12 * 60_000);
    former.cookies.set('__Host-session', before);
    await until(async () => !(await former.isSignedIn({ cookie: `__Host-session=${before}` })));
    for (const node of [here, there]) await node.close();
    await backend.close();
  });
});

describe.each(['redis', 'postgres'] as const)('the near-caches of two realms, on %s', (store) => {
  it('are separate: each serves its own sessions, and learns of their ends', async () => {
    const backend = await openBackend(store);
    const calls: string[] = [];
    const start = (): Promise<Bank> => {
      const storage = watchedStorage(backend.linkedStorage!, calls);
      const staff = { secrets: TEST_SECRETS, storage, realm: 'staff', nearCache: { bound: '10s' } } as const;
      return startBank({
        adapter: 'fastify',
        backend: { ...backend, storage },
        options: { nearCache: { bound: '10s' } },
        module: { imports: [SessionAuthModule.forRoot({ ...staff, endpoints: false, cleanup: false })] },
      });
    };
    const [here, there] = [await start(), await start()];
    const of = (bank: Bank, realm?: string): SessionLifecycleService =>
      bank.app.get(realm === undefined ? SessionLifecycleService : realmToken(realm, SessionLifecycleService));
    const tokens = new Map<string | undefined, string>();
    for (const realm of [undefined, 'staff']) {
      const { token } = await of(here, realm).create({ user: { id: 'alice', roles: [] } });
      tokens.set(realm, token);
      await until(async () => {
        calls.length = 0;
        expect((await of(there, realm).find(token))?.userId).toBe('alice');
        return calls.length === 0;
      });
    }
    await of(here).revokeAll('alice');
    await until(async () => (await of(there).find(tokens.get(undefined)!)) === undefined);
    calls.length = 0;
    expect((await of(there, 'staff').find(tokens.get('staff')!))?.userId).toBe('alice');
    expect(calls).toEqual([]);
    for (const node of [here, there]) await node.close();
    await backend.close();
  });
});

describe('what a near-cache keeps', () => {
  let backend: Backend;
  let here: NearNode;
  let there: NearNode;

  beforeEach(async () => {
    const options = { nearCache: { bound: '10s', maxSessions: 2 } as const, concurrency: 100 };
    ({ backend, here, there } = await startNearNodes('redis', options));
  });

  afterEach(async () => {
    await here.close();
    await there.close();
    await backend.close();
  });

  const signedIn = async (name: string): Promise<BankClient> => {
    const client = there.client();
    await client.login(name);
    await untilCached(there, client);
    return client;
  };

  const readsOf = async (client: BankClient): Promise<number> => {
    const before = there.finds;
    await client.isSignedIn();
    return there.finds - before;
  };

  it('is the sessions that were used last, and at most as many as it may', async () => {
    const [alice, bob] = [await signedIn('alice'), await signedIn('bob')];
    expect([await readsOf(alice), await readsOf(bob), await readsOf(alice)]).toEqual([0, 0, 0]);
    await signedIn('admin');
    expect(await readsOf(alice)).toBe(0);
    expect(await readsOf(bob)).toBe(1);
  });

  it('is not displaced by forged cookies or by cookies of ended sessions', async () => {
    const [alice, bob] = [await signedIn('alice'), await signedIn('bob')];
    const ended: string[] = [];
    for (let login = 0; login < 10; login += 1) {
      const gone = here.client();
      await gone.login('admin');
      ended.push(gone.cookie);
      await gone.post('/auth/logout');
    }
    const client = there.client();
    for (const cookie of [...ended, ...forgeries(alice.sealed, 50).map((each) => `__Host-session=${each}`)]) {
      expect(await client.isSignedIn({ cookie })).toBe(false);
    }
    expect([await readsOf(alice), await readsOf(bob)]).toEqual([0, 0]);
  });
});
