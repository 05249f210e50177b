import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { SessionLifecycleService } from 'nestjs-session-auth';
import { SESSION_COOKIE, type BankClient } from '../support/bank-client.js';
import { EVERYWHERE, openBackend, startBank, type Backend, type Bank } from '../support/bank.js';
import { tokenIn } from '../support/forged-cookies.js';
import { ManualClock } from '../support/manual-clock.js';

const MINUTE = 60_000;

describe.each(EVERYWHERE)('rotateEvery on $adapter with $store', ({ adapter, store }) => {
  let backend: Backend;
  let nodes: [Bank, Bank];
  let clock: ManualClock;
  let alice: BankClient;

  beforeEach(async () => {
    backend = await openBackend(store);
    clock = new ManualClock();
    const options = { lifetime: { rotateEvery: '15m', rotationGrace: '10s' } } as const;
    nodes = [
      await startBank({ adapter, backend, clock, options }),
      await startBank({ adapter, backend, clock, options }),
    ];
    alice = nodes[0].client();
    await alice.login('alice');
  });

  afterEach(async () => {
    for (const node of nodes) await node.close();
    await backend.close();
  });

  it('replaces the token on the first request after its time, and not before', async () => {
    const before = tokenIn(nodes[0], alice.sealed);
    clock.advance(14 * MINUTE);
    expect((await alice.get('/api/me')).setCookies).toEqual([]);
    clock.advance(MINUTE);
    const answer = await alice.get('/api/me');
    expect(answer.status).toBe(200);
    expect(answer.setCookies).toHaveLength(1);
    expect(tokenIn(nodes[0], alice.sealed)).not.toBe(before);
    expect((await alice.get('/api/me')).setCookies).toEqual([]);
  });

  it('lets twenty requests in flight pass, and hands out one new token', async () => {
    const before = alice.cookie;
    clock.advance(15 * MINUTE);
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, i) => nodes[i % 2]!.client().get('/api/me', { cookie: before })),
    );
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    const issued = answers.flatMap(({ setCookies }) => setCookies);
    expect(issued).toHaveLength(1);
    const rotated = nodes.flatMap((node) => node.events.filter(({ type }) => type === 'session.rotated'));
    expect(rotated).toEqual([expect.objectContaining({ reason: 'interval', userId: 'alice' })]);

    alice.cookies.set(SESSION_COOKIE, /=([^;]+)/.exec(issued[0]!)![1]!);
    expect(await alice.isSignedIn()).toBe(true);
    clock.advance(6000);
    expect(await alice.isSignedIn({ cookie: before })).toBe(true);
    clock.advance(4000);
    expect(await alice.isSignedIn({ cookie: before })).toBe(false);
    expect(await alice.isSignedIn()).toBe(true);
  });

  it('keeps handle, data and absolute deadline', async () => {
    const session = (await alice.get('/auth/session')).json as { id: string; absoluteExpiresAt: string };
    await alice.ask('PATCH', '/api/preferences', { body: { theme: 'dark' } });
    for (let i = 0; i < 5; i += 1) {
      clock.advance(15 * MINUTE);
      expect(await alice.isSignedIn()).toBe(true);
    }
    const after = (await alice.get('/auth/session')).json;
    expect(after).toMatchObject({ id: session.id, absoluteExpiresAt: session.absoluteExpiresAt });
    expect((await alice.get('/api/preferences')).json).toEqual({ theme: 'dark' });
  });

  it('replaces the token of who got other roles on the next request, with the roles at once', async () => {
    await nodes[1].app.get(SessionLifecycleService).updateUser('alice', { roles: ['admin'] });
    const before = alice.cookie;
    const answer = await alice.get('/api/admin/sessions');
    expect(answer.status).toBe(200);
    expect(answer.setCookies).toHaveLength(1);
    await nodes[1].app.get(SessionLifecycleService).updateUser('alice', { roles: ['customer'] });
    expect((await alice.get('/api/admin/sessions')).status).toBe(403);
    expect((await alice.get('/api/admin/sessions', { cookie: before })).status).toBe(403);
  });
});
