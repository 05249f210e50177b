import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { SessionAuthService, type SessionAuthOptions } from 'nestjs-session-auth';
import { until } from '../support/patience.js';
import { SESSION_ENDS } from '../support/session-ends.js';
import { SlowPair, took, type PairBackend } from '../support/slow-pair.js';

/** Milliseconds that every message takes to the other node: longer than a request to it. */
const DELAY = 60;

/** Milliseconds that an operation may take besides its wait, on a busy machine. */
const BUSY = 1500;

const BACKENDS: readonly PairBackend[] = ['ioredis', 'node-redis', 'typeorm', 'pg'];

const STRICT = { bound: '10s', consistency: 'strict' } as const;

describe.each(BACKENDS)('a strict near-cache by %s, where messages to the other node are slow', (by) => {
  let nodes: SlowPair;

  beforeAll(async () => {
    nodes = await SlowPair.open(by, STRICT, STRICT);
  });

  beforeEach(async () => {
    await nodes.signIn();
    // otherwise a message may be there before the next request, whether it was waited for or not
    await nodes.proxy.break({ kind: 'delay', milliseconds: DELAY });
  });

  afterEach(() => nodes.proxy.heal());

  afterAll(() => nodes.close());

  // the rest is the same for all clients of a backend
  const ends = Object.entries(SESSION_ENDS).filter(([what]) => by === 'ioredis' || by === 'pg' || what === 'a logout');

  it.each(ends)('refuses a session everywhere once this is answered: %s', async (_what, end) => {
    const { here, there, alice, elsewhere } = nodes;
    const { id } = (await alice.get('/auth/session')).json as { id: string };
    await end({ node: here, other: there, client: alice, id });
    expect(await elsewhere.isSignedIn()).toBe(false);
  });

  it('shows changed data and roles everywhere once the change is answered', async () => {
    const { here, alice, elsewhere } = nodes;
    for (const theme of ['light', 'dark']) {
      await alice.ask('PATCH', '/api/preferences', { body: { theme } });
      expect((await elsewhere.get('/api/preferences')).json).toMatchObject({ theme });
    }
    await here.app.get(SessionAuthService).rolesChanged('alice', ['teller']);
    expect(((await elsewhere.get('/api/me')).json as { roles: string[] }).roles).not.toContain('customer');
  });
});

it.each(BACKENDS)('a bounded near-cache lets such a request pass, up to the bound: %s', async (by) => {
  const nodes = await SlowPair.open(by, { bound: '10s' }, { bound: '10s' });
  await nodes.signIn();
  await nodes.proxy.break({ kind: 'delay', milliseconds: 500 });
  await nodes.alice.post('/auth/logout');
  expect(await nodes.elsewhere.isSignedIn()).toBe(true);
  await nodes.close();
});

describe.each(['ioredis', 'pg'] as const)('an end with a strict near-cache by %s', (by) => {
  const [SHORT, LONG] = [200, 800];
  let nodes: SlowPair;

  /** The other node is bounded, with a longer bound. */
  async function open(options: Partial<SessionAuthOptions> = {}, bound = LONG): Promise<void> {
    const strict = { bound: SHORT, consistency: 'strict' } as const;
    nodes = await SlowPair.open(by, strict, { bound }, { concurrency: 1, ...options });
    await nodes.signIn();
  }

  const logOut = (): Promise<number> =>
    took(async () => expect((await nodes.alice.post('/auth/logout')).status).toBe(204));

  afterEach(() => nodes.close());

  it('waits for a node that does not answer: as long as its bound, the longest registered one', async () => {
    await open();
    await nodes.proxy.break({ kind: 'black-hole' });
    const wait = await logOut();
    expect(wait).toBeGreaterThanOrEqual(LONG);
    expect(wait).toBeLessThan(LONG + BUSY);
  });

  it('makes a login wait that evicts a session, and none that does not', async () => {
    await open();
    await nodes.proxy.break({ kind: 'black-hole' });
    const logIn = (user: string): Promise<number> => took(() => nodes.here.client().login(user));
    expect(await logIn('bob')).toBeLessThan(LONG);
    expect(await logIn('alice')).toBeGreaterThanOrEqual(LONG);
  });

  it('succeeds though it waits for longer than storeTimeout', async () => {
    await open({ storeTimeout: '500ms' });
    await nodes.proxy.break({ kind: 'black-hole' });
    expect(await logOut()).toBeGreaterThanOrEqual(LONG);
  });

  it('waits for a silent node only until its lease is removed; the node gets a new one later', async () => {
    await open({}, SHORT);
    await nodes.proxy.break({ kind: 'black-hole' });
    await logOut();
    await until(async () => (await nodes.backend.leases()) === 1);
    await nodes.untilQuick(SHORT);
    await nodes.proxy.heal();
    await until(async () => {
      await nodes.signIn();
      return (await nodes.backend.leases()) === 2;
    });
  });

  it('waits for the longest bound that it knows of while it cannot read the registry', async () => {
    await open();
    await nodes.proxy.break({ kind: 'delay', milliseconds: 100 });
    await nodes.backend.lose(true);
    const wait = await logOut();
    expect(await nodes.elsewhere.isSignedIn()).toBe(false);
    expect(wait).toBeGreaterThanOrEqual(LONG);
    expect(wait).toBeLessThan(LONG + BUSY);
  });

  it('waits for that too when the registry was lost; then all nodes are in it again', async () => {
    await open();
    await nodes.backend.lose();
    expect(await logOut()).toBeGreaterThanOrEqual(LONG);
    await until(async () => (await nodes.backend.leases()) === 2);
    await nodes.untilQuick(SHORT);
  });
});

it.each(BACKENDS)('nodes with a near-cache leave no lease behind when they are closed: %s', async (by) => {
  const nodes = await SlowPair.open(by, STRICT, { bound: '50ms' });
  expect(await nodes.backend.leases()).toBe(2);
  await nodes.there.close();
  expect(await nodes.backend.leases()).toBe(1);
  await nodes.untilQuick(BUSY);
  await nodes.close();
});
