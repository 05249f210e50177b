import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { BankClient } from '../support/bank-client.js';
import { openBackend, startBank, STORES, type Backend, type Bank } from '../support/bank.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

describe.each(STORES)('clocks that are set, with sessions in %s', (store) => {
  let backend: Backend;
  let nodes: [Bank, Bank];
  let alice: BankClient;

  beforeEach(async () => {
    backend = await openBackend(store);
    nodes = [await startBank({ adapter: 'express', backend }), await startBank({ adapter: 'fastify', backend })];
    alice = nodes[0].client();
    await alice.login('alice');
  });

  afterEach(async () => {
    for (const node of nodes) await node.close();
    await backend.close();
  });

  const setAll = (milliseconds: number): void => nodes.forEach(({ clock }) => clock.advance(milliseconds));
  const at = async ({ port }: Bank): Promise<number> =>
    (await new BankClient(port).get('/api/me', { cookie: alice.cookie })).status;
  const session = async (): Promise<{ lastActivityAt: string; expiresAt: string; absoluteExpiresAt: string }> =>
    (await alice.get('/auth/session')).json as never;

  it('back: nobody is signed out, and no session lives longer for it', async () => {
    setAll(10 * MINUTE);
    expect(await alice.isSignedIn()).toBe(true);
    const before = await session();
    setAll(-2 * HOUR);
    expect(await at(nodes[0])).toBe(200);
    expect(await at(nodes[1])).toBe(200);
    expect((await alice.ask('PATCH', '/api/preferences', { body: { theme: 'dark' } })).status).toBe(200);
    expect((await alice.post('/auth/reauthenticate', { password: 'alice-demo-password' })).status).toBe(200);
    const after = await session();
    expect(after.absoluteExpiresAt).toBe(before.absoluteExpiresAt);
    expect(after.lastActivityAt >= before.lastActivityAt).toBe(true);
    setAll(2 * HOUR);
    expect(await alice.isSignedIn()).toBe(true);
    setAll(HOUR);
    expect(await alice.isSignedIn()).toBe(false);
  });

  it('forward: who would be idle by then is signed out for good, and can sign in again', async () => {
    setAll(HOUR);
    expect(await at(nodes[1])).toBe(401);
    setAll(-HOUR);
    expect(await at(nodes[0])).toBe(401);
    await alice.login('alice');
    expect(await at(nodes[1])).toBe(200);
  });

  it('apart by half a minute: each node takes what the other issues', async () => {
    nodes[1].clock.advance(30_000);
    for (const [from, to] of [nodes, [...nodes].reverse() as [Bank, Bank]]) {
      alice = from.client();
      await alice.login('bob');
      expect(await at(to)).toBe(200);
      alice.port = to.port;
      expect((await alice.post('/auth/reauthenticate', { password: 'bob-demo-password' })).status).toBe(200);
      expect(await at(from)).toBe(200);
      const { cookie } = alice;
      expect((await alice.post('/auth/logout')).status).toBe(204);
      expect((await from.client().get('/api/me', { cookie })).status).toBe(401);
    }
  });
});
