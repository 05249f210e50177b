import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { request } from 'node:http';
import { Controller, Get, Inject, Query, UseGuards } from '@nestjs/common';
import {
  Clock,
  CurrentSession,
  SessionAuthGuard,
  SessionAuthService,
  type LifetimeOptions,
  type SessionEvent,
} from 'nestjs-session-auth';
import { SESSION_COOKIE, type Answer, type BankClient } from '../support/bank-client.js';
import { EVERYWHERE, openBackend, startBank, type Backend, type Bank } from '../support/bank.js';
import { StoppedClock, type ManualClock } from '../support/manual-clock.js';
import { until } from '../support/patience.js';

const SECOND = 1000;
const MINUTE = 60 * SECOND;

/** A download whose head comes late, by the clock that the test moves. */
@Controller('download')
@UseGuards(SessionAuthGuard)
class DownloadController {
  constructor(@Inject(Clock) private readonly clock: ManualClock) {}

  @Get()
  download(@CurrentSession('userId') userId: string, @Query('takes') takes: string): { userId: string } {
    this.clock.advance(Number(takes));
    return { userId };
  }
}

describe.each(EVERYWHERE)('lost responses on $adapter with $store', ({ adapter, store }) => {
  let backend: Backend;
  let nodes: [Bank, Bank];
  let clock: ManualClock;
  let alice: BankClient;

  const start = async (lifetime: LifetimeOptions = {}): Promise<void> => {
    const options = { lifetime: { rotateEvery: '15m', rotationGrace: '10s', ...lifetime } as const };
    const module = { controllers: [DownloadController] };
    nodes = [
      await startBank({ adapter, backend, clock, options, module }),
      await startBank({ adapter, backend, clock, options, module }),
    ];
    alice = nodes[0].client();
    await alice.login('alice');
  };

  beforeEach(async () => {
    backend = await openBackend(store);
    clock = new StoppedClock();
    await start();
  });

  afterEach(async () => {
    for (const node of nodes) await node.close();
    await backend.close();
  });

  /** Asks by a cookie and leaves the answer's own where it is: the client never got it. */
  const ask = (cookie: string, node = 0): Promise<Answer> => nodes[node]!.client().get('/api/me', { cookie });
  const cookieIn = ({ setCookies }: Answer): string =>
    setCookies.find((line) => line.startsWith(`${SESSION_COOKIE}=`))!.split(';')[0]!;
  const told = (type: SessionEvent['type']): SessionEvent[] =>
    nodes.flatMap((node) => node.events.filter((event) => event.type === type));
  const current = (): string => `${SESSION_COOKIE}=${alice.sealed}`;

  it('leave a client with the newest token that reached it signed in until the session ends', async () => {
    const before = current();
    for (let lost = 0; lost < 6; lost += 1) {
      clock.advance(15 * MINUTE);
      const answer = await ask(before, lost % 2);
      expect([answer.status, answer.setCookies.length]).toEqual([200, 1]);
    }
    clock.advance(MINUTE);
    const found = await alice.get('/api/me');
    expect([found.status, found.setCookies.length]).toEqual([200, 1]);
    expect(await alice.isSignedIn()).toBe(true);
    expect(told('session.token_reused')).toEqual([]);
    expect(told('session.used_after_end')).toEqual([]);
  });

  it('are followed by another token after the grace, and by none within it', async () => {
    const before = current();
    clock.advance(15 * MINUTE);
    expect((await ask(before)).setCookies).toHaveLength(1);
    clock.advance(9 * SECOND);
    expect((await ask(before, 1)).setCookies).toEqual([]);
    clock.advance(SECOND);
    const second = await ask(before);
    expect(second.setCookies).toHaveLength(1);
    expect((await ask(before, 1)).setCookies).toEqual([]);
    // the one that arrives is the token
    expect((await ask(cookieIn(second), 1)).status).toBe(200);
    clock.advance(9 * SECOND);
    expect((await ask(before)).status).toBe(200);
    clock.advance(SECOND);
    expect((await ask(before)).status).toBe(401);
    expect((await ask(cookieIn(second))).status).toBe(200);
  });

  it('make the first token that is used the token, and every other one a replaced one', async () => {
    const before = current();
    const out: string[] = [];
    for (let lost = 0; lost < 3; lost += 1) {
      clock.advance(15 * MINUTE);
      out.push(cookieIn(await ask(before)));
    }
    expect((await ask(out[1]!)).status).toBe(200);
    expect([(await ask(out[0]!)).status, (await ask(out[2]!, 1)).status]).toEqual([401, 401]);
    expect(told('session.token_reused')).toHaveLength(2);
    expect((await ask(out[1]!)).status).toBe(200);
  });

  it('leave four tokens out at most: a client that ignores cookies fills no store', async () => {
    const before = current();
    const out: string[] = [];
    for (let lost = 0; lost < 30; lost += 1) {
      clock.advance(15 * MINUTE);
      out.push(cookieIn(await ask(before, lost % 2)));
    }
    expect((await ask(out.at(-5)!)).status).toBe(401);
    expect((await ask(out.at(-4)!)).status).toBe(200);
  });

  it('give one token to many requests at once, also when the first use of it is many at once', async () => {
    const before = current();
    clock.advance(15 * MINUTE);
    const answers = await Promise.all(Array.from({ length: 20 }, (_, i) => ask(before, i % 2)));
    expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 20 }, () => 200));
    const issued = answers.flatMap(({ setCookies }) => setCookies);
    expect(issued).toHaveLength(1);
    const next = issued[0]!.split(';')[0]!;
    const uses = await Promise.all(Array.from({ length: 20 }, (_, i) => ask(i % 4 === 0 ? before : next, i % 2)));
    expect(uses.map(({ status }) => status)).toEqual(Array.from({ length: 20 }, () => 200));
    expect(uses.flatMap(({ setCookies }) => setCookies)).toEqual([]);
    expect(told('session.rotated')).toHaveLength(1);
  });

  it('do not come late: a head after the grace carries no session cookie, and no other tab is signed out', async () => {
    const before = current();
    clock.advance(15 * MINUTE);
    const slow = await nodes[0].client().get('/download?takes=10001', { cookie: before });
    expect([slow.status, slow.setCookies]).toEqual([200, []]);
    const other = await ask(before);
    expect(other.setCookies).toHaveLength(1);
    expect((await ask(cookieIn(other))).status).toBe(200);
    const inTime = await nodes[0].client().get('/download?takes=9000', { cookie: cookieIn(other) });
    expect(inTime.status).toBe(200);
    clock.advance(15 * MINUTE);
    const quick = await nodes[0].client().get('/download?takes=9000', { cookie: cookieIn(other) });
    expect(quick.setCookies).toHaveLength(1);
  });

  it('do not sign out a client that aborts its request and comes back with its old token', async () => {
    clock.advance(15 * MINUTE);
    const headers = { cookie: current() };
    const outgoing = request({ host: '127.0.0.1', port: nodes[0].port, path: '/api/me', headers });
    outgoing.on('error', () => undefined).end();
    await until(() => told('session.rotated').length === 1);
    outgoing.destroy();
    clock.advance(MINUTE);
    expect(await alice.isSignedIn()).toBe(true);
    expect(await alice.isSignedIn()).toBe(true);
    expect(told('session.token_reused')).toEqual([]);
  });

  it('do not hide a thief: a copied cookie is refused or reported by the third rotation', async () => {
    for (const first of ['owner', 'thief'] as const) {
      const owner = nodes[1].client();
      const { id } = await owner.login('bob');
      const thief = nodes[0].client();
      thief.cookies.set(SESSION_COOKIE, owner.sealed);
      for (let rotation = 0; rotation < 3; rotation += 1) {
        clock.advance(15 * MINUTE);
        for (const client of first === 'owner' ? [owner, thief] : [thief, owner]) await client.get('/api/me');
        clock.advance(MINUTE);
        for (const client of first === 'owner' ? [owner, thief] : [thief, owner]) await client.get('/api/me');
      }
      expect([await owner.isSignedIn(), await thief.isSignedIn()]).not.toEqual([true, true]);
      expect(told('session.token_reused')).toContainEqual(expect.objectContaining({ sessionId: id, userId: 'bob' }));
    }
  });

  it('are distinguished from reuse, which ends the session if the application wants it', async () => {
    for (const node of nodes) await node.close();
    await start({ onReuse: 'end-session' });
    const before = current();
    clock.advance(15 * MINUTE);
    await alice.get('/api/me');
    await alice.get('/api/me');
    clock.advance(9 * SECOND);
    expect((await ask(before)).status).toBe(200);
    expect(await alice.isSignedIn()).toBe(true);
    clock.advance(SECOND);
    expect((await ask(before)).status).toBe(401);
    expect(told('session.token_reused')).toHaveLength(1);
    expect(told('session.destroyed')).toEqual([expect.objectContaining({ reason: 'token_reused', userId: 'alice' })]);
    expect(await alice.isSignedIn()).toBe(false);
  });

  it('leave the session where reuse is only reported: the default', async () => {
    const before = current();
    clock.advance(15 * MINUTE);
    await alice.get('/api/me');
    await alice.get('/api/me');
    clock.advance(10 * SECOND);
    for (let use = 1; use <= 3; use += 1) {
      expect((await ask(before, use % 2)).status).toBe(401);
      expect(told('session.token_reused')).toHaveLength(use);
    }
    expect(await alice.isSignedIn()).toBe(true);
  });

  describe('after a change of roles', () => {
    const give = (...roles: string[]): Promise<unknown> =>
      nodes[1].app.get(SessionAuthService).rolesChanged('alice', roles);
    const admin = (cookie: string): Promise<Answer> => nodes[0].client().get('/api/admin/sessions', { cookie });

    it('give a gained role to the request that gets the token, and not to others with the old one', async () => {
      const before = current();
      await give('customer', 'admin');
      const first = await admin(before);
      expect([first.status, first.setCookies.length]).toEqual([200, 1]);
      // refused, and not signed out
      expect((await admin(before)).status).toBe(403);
      expect((await ask(before)).status).toBe(200);
      expect((await admin(cookieIn(first))).status).toBe(200);
      expect((await admin(before)).status).toBe(403);
      expect(told('session.rotated')).toEqual([expect.objectContaining({ reason: 'roles_changed', userId: 'alice' })]);
      clock.advance(10 * SECOND);
      expect((await admin(before)).status).toBe(401);
    });

    it('take a lost role from every token at once', async () => {
      await give('customer', 'admin');
      const first = cookieIn(await admin(current()));
      expect((await admin(first)).status).toBe(200);
      await give('customer');
      expect([(await admin(first)).status, (await admin(current())).status]).toEqual([403, 403]);
      expect((await ask(current())).status).toBe(200);
    });

    it('give the role to a later request where the answer is lost, and sign nobody out', async () => {
      const before = current();
      await give('customer', 'admin');
      expect((await admin(before)).status).toBe(200);
      clock.advance(10 * SECOND);
      const again = await admin(before);
      expect([again.status, again.setCookies.length]).toEqual([200, 1]);
      expect((await admin(cookieIn(again))).status).toBe(200);
      expect(told('session.token_reused')).toEqual([]);
    });

    it('let twenty requests at once go on with the roles that both have', async () => {
      const before = current();
      await give('admin');
      const answers = await Promise.all(Array.from({ length: 20 }, (_, i) => ask(before, i % 2)));
      expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 20 }, () => 200));
      const roles = answers.map(({ json }) => (json as { roles: string[] }).roles);
      expect(roles.filter((each) => each.includes('admin'))).toHaveLength(1);
      expect(roles.filter((each) => each.length === 0)).toHaveLength(19);
    });
  });
});
