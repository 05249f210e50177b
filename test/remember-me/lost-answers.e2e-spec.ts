import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Controller, Get, Inject, Query, Req, UseGuards } from '@nestjs/common';
import {
  Clock,
  CurrentSession,
  SessionAuthGuard,
  SessionAuthService,
  type SessionEvent,
  type SessionListItem,
} from 'nestjs-session-auth';
import {
  DEVICE_COOKIE,
  PRE_SESSION_COOKIE,
  REMEMBER_COOKIE,
  SESSION_COOKIE,
  type Answer,
  type BankClient,
} from '../support/bank-client.js';
import { EVERYWHERE, openBackend, startBank, type Backend, type Bank } from '../support/bank.js';
import { StoppedClock, type ManualClock } from '../support/manual-clock.js';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const DAY = 24 * 60 * MINUTE;

/** A download whose head comes late, by the clock that the test moves. */
@Controller('download')
@UseGuards(SessionAuthGuard)
class DownloadController {
  constructor(
    @Inject(Clock) private readonly clock: ManualClock,
    @Inject(SessionAuthService) private readonly auth: SessionAuthService,
  ) {}

  @Get()
  download(@CurrentSession('id') id: string, @Query('takes') takes: string): { id: string } {
    this.clock.advance(Number(takes));
    return { id };
  }

  /** Gives its session another token first. */
  @Get('privileged')
  async privileged(@Req() request: object, @Query('takes') takes: string): Promise<void> {
    await this.auth.rotate(request, { grace: 0 });
    this.clock.advance(Number(takes));
  }
}

describe.each(EVERYWHERE)('lost responses of remember-me on $adapter with $store', ({ adapter, store }) => {
  let backend: Backend;
  let nodes: [Bank, Bank];
  let clock: ManualClock;
  let alice: BankClient;

  const start = (options: object = {}): Promise<Bank> =>
    startBank({ adapter, backend, clock, options, module: { controllers: [DownloadController] } });

  beforeEach(async () => {
    clock = new StoppedClock();
    backend = await openBackend(store);
    nodes = [await start(), await start()];
    alice = nodes[0].client();
    await alice.login('alice', { rememberMe: true });
    alice.restart();
    clock.advance(DAY);
  });

  afterEach(async () => {
    for (const node of nodes) await node.close();
    await backend.close();
  });

  /** Asks as Alice's browser and leaves the answer's cookies where they are: it never got them. */
  const lose = (node = 0, path = '/auth/session'): Promise<Answer> =>
    nodes[node]!.client().get(path, { cookie: alice.cookie });
  /** A browser that got an answer's cookies. */
  const holderOf = ({ setCookies }: Answer): BankClient => {
    const client = nodes[0].client();
    for (const line of setCookies) {
      const [name, value] = line.split(';')[0]!.split('=') as [string, string];
      client.cookies.set(name, value);
    }
    return client;
  };
  const idOf = ({ json }: Answer): string => (json as { id: string }).id;
  const told = (type: SessionEvent['type']): SessionEvent[] =>
    nodes.flatMap((node) => node.events.filter((event) => event.type === type));
  const listed = async (): Promise<string[]> =>
    ((await alice.get('/auth/sessions')).json as SessionListItem[]).map(({ id }) => id);

  it('sign nobody out, at any later request of the browser, and leave one session', async () => {
    for (const [turn, pause] of [10 * SECOND, MINUTE, 5 * 60 * MINUTE, 12 * DAY].entries()) {
      const lost = await lose(turn % 2);
      expect([lost.status, lost.setCookies.length]).toEqual([200, 2]);
      clock.advance(pause);
    }
    const found = await alice.get('/auth/session');
    expect([found.status, found.setCookies.length]).toEqual([200, 2]);
    expect(await listed()).toEqual([idOf(found)]);
    clock.advance(DAY);
    alice.restart();
    expect(await alice.isSignedIn()).toBe(true);
    expect(told('remember_me.theft')).toEqual([]);
    expect(told('session.used_after_end')).toEqual([]);
  });

  it('are followed by the same session and successor within the grace', async () => {
    const lost = await lose();
    clock.advance(29 * SECOND);
    const found = await lose(1);
    expect(idOf(found)).toBe(idOf(lost));
    expect(told('remember_me.used')).toHaveLength(1);
    const holders = [holderOf(lost), holderOf(found)];
    for (const holder of holders) expect(await holder.isSignedIn()).toBe(true);
    for (const holder of holders) {
      holder.restart();
      expect(await holder.isSignedIn()).toBe(true);
    }
    expect(told('remember_me.used')).toHaveLength(2);
    expect(told('remember_me.theft')).toEqual([]);
  });

  it('are followed by others after the grace, and the session of before is replaced', async () => {
    const lost = await lose();
    clock.advance(30 * SECOND);
    const found = await lose(1);
    expect(idOf(found)).not.toBe(idOf(lost));
    const ended = { type: 'session.destroyed', sessionId: idOf(lost), reason: 'replaced' };
    expect(told('session.destroyed')).toEqual([expect.objectContaining(ended)]);
    // the one that was thought lost turns up: two hold the token
    const holder = holderOf(lost);
    holder.cookies.delete(SESSION_COOKIE);
    expect(await holder.isSignedIn()).toBe(false);
    expect(told('remember_me.theft')).toHaveLength(1);
    expect(await holderOf(found).isSignedIn()).toBe(false);
  });

  it('were not lost where their session was used for longer than a minute: that is theft, told once', async () => {
    const thief = holderOf(await lose());
    clock.advance(61 * SECOND);
    expect(await thief.isSignedIn()).toBe(true);
    const answers = await Promise.all(Array.from({ length: 6 }, (_, i) => lose(i % 2)));
    for (const answer of answers) {
      expect(answer.status).toBe(401);
      expect(answer.setCookies).toEqual([expect.stringMatching(/^__Host-session-remember=; Max-Age=0/)]);
    }
    expect(told('remember_me.theft')).toEqual([
      expect.objectContaining({ userId: 'alice', revokedTokens: 1, revokedSessions: 1 }),
    ]);
    expect(await thief.isSignedIn()).toBe(false);
  });

  it('may have been lost where their session was used for a minute', async () => {
    const holder = holderOf(await lose());
    clock.advance(MINUTE - SECOND);
    expect(await holder.isSignedIn()).toBe(true);
    clock.advance(DAY);
    expect(await alice.isSignedIn()).toBe(true);
    expect(told('remember_me.theft')).toEqual([]);
  });

  it('of twenty tabs at once are one: they share one session and one successor, after each loss anew', async () => {
    const seen = new Set<string>();
    for (let loss = 0; loss < 3; loss += 1) {
      const tabs = await Promise.all(Array.from({ length: 20 }, (_, i) => lose(i % 2)));
      expect(tabs.map(({ status }) => status)).toEqual(Array.from({ length: 20 }, () => 200));
      expect(new Set(tabs.map(idOf)).size).toBe(1);
      seen.add(idOf(tabs[0]!));
      // whichever of the answers is kept last: all of its cookies work
      for (const tab of tabs) expect(await holderOf(tab).isSignedIn()).toBe(true);
      clock.advance(31 * SECOND);
    }
    expect(seen.size).toBe(3);
    expect(await alice.isSignedIn()).toBe(true);
    expect(await listed()).toHaveLength(1);
    expect(told('remember_me.theft')).toEqual([]);
  });

  it('do not come late: a head after the grace carries neither cookie, and the browser signs in the next time', async () => {
    // a login form lies open in it
    const form = nodes[0].client();
    await form.csrfToken();
    alice.cookies.set(PRE_SESSION_COOKIE, form.cookies.get(PRE_SESSION_COOKIE)!);
    const late = await alice.get('/download?takes=30001');
    expect([late.status, late.setCookies]).toEqual([200, []]);
    const next = await alice.get('/auth/session');
    expect([next.status, next.setCookies.length]).toEqual([200, 3]);
    expect(idOf(next)).not.toBe(idOf(late));
    expect(await listed()).toEqual([idOf(next)]);
    clock.advance(DAY);
    alice.restart();
    expect(await alice.isSignedIn()).toBe(true);
    expect(told('remember_me.theft')).toEqual([]);
  });

  it('do not come late in parts: a token that the session gets in that request is left out as well', async () => {
    const late = await alice.get('/download/privileged?takes=30001');
    expect([late.status, late.setCookies]).toEqual([200, []]);
    const next = await alice.get('/download/privileged?takes=29000');
    expect([next.status, next.setCookies.length]).toEqual([200, 2]);
    expect(await alice.isSignedIn()).toBe(true);
    expect(told('remember_me.theft')).toEqual([]);
  });

  it('do not come late to a tab either that shares what was handed out to another: the grace is that of the first', async () => {
    const first = await lose();
    clock.advance(20 * SECOND);
    const late = await nodes[1].client().get('/download?takes=10001', { cookie: alice.cookie });
    expect([late.status, idOf(late), late.setCookies]).toEqual([200, idOf(first), []]);
    const inTime = await nodes[1].client().get('/download?takes=29000', { cookie: alice.cookie });
    expect([inTime.status, inTime.setCookies.length]).toEqual([200, 2]);
  });

  it('leave requests in flight alone: they are signed in by nothing, raise no alarm and lose no cookie', async () => {
    const inFlight = alice.cookie;
    expect(await alice.isSignedIn()).toBe(true);
    clock.advance(DAY);
    alice.restart();
    expect(await alice.isSignedIn()).toBe(true);
    clock.advance(29 * SECOND);
    for (const node of nodes) {
      const answer = await node.client().get('/api/me', { cookie: inFlight });
      expect([answer.status, answer.setCookies]).toEqual([401, []]);
    }
    expect(told('remember_me.theft')).toEqual([]);
    expect(await alice.isSignedIn()).toBe(true);
    clock.advance(SECOND);
    expect((await nodes[0].client().get('/api/me', { cookie: inFlight })).setCookies).toHaveLength(1);
    expect(told('remember_me.theft')).toHaveLength(1);
  });

  it('do not end with the life of a device cookie: the token alone is enough', async () => {
    alice.cookies.delete(DEVICE_COOKIE);
    await lose();
    clock.advance(DAY);
    await lose(1);
    clock.advance(DAY);
    expect(await alice.isSignedIn()).toBe(true);
    expect(alice.cookies.has(REMEMBER_COOKIE)).toBe(true);
    expect(await listed()).toHaveLength(1);
  });
});
