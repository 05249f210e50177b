import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Controller, Get, Inject, Query, Req } from '@nestjs/common';
import { Public, SessionAuthService, SessionLifecycleService, type SessionEvent } from 'nestjs-session-auth';
import { REMEMBER_COOKIE, SESSION_COOKIE, type BankClient } from '../support/bank-client.js';
import { ON_EVERY_STACK, ON_MYSQL, openBackend, startBank, type Backend, type Bank } from '../support/bank.js';
import { StoppedClock } from '../support/manual-clock.js';

const HOUR = 3_600_000;
const USERS = ['alice', 'bob', 'admin'] as const;

/** Logins without a password, so that many take place at once. */
@Public()
@Controller('door')
class DoorController {
  constructor(@Inject(SessionAuthService) private readonly auth: SessionAuthService) {}

  @Get('enter')
  async enter(@Req() request: object, @Query('id') id: string): Promise<void> {
    await this.auth.loginUser(request, { id, email: `${id}@example.com`, roles: [] });
  }
}

describe.each([...ON_EVERY_STACK, ...ON_MYSQL])('after a breach, on $adapter with $store,', ({ adapter, store }) => {
  let backend: Backend;
  let nodes: [Bank, Bank];
  let clients: BankClient[];

  beforeEach(async () => {
    backend = await openBackend(store);
    const start = (): Promise<Bank> =>
      startBank({ adapter, backend, clock: new StoppedClock(), module: { controllers: [DoorController] } });
    nodes = [await start(), await start()];
    clients = [];
    for (const [turn, user] of USERS.entries()) {
      const client = nodes[turn % 2]!.client();
      await client.login(user, { rememberMe: user !== 'bob' });
      clients.push(client);
    }
  });

  afterEach(async () => {
    for (const node of nodes) await node.close();
    await backend.close();
  });

  const lifecycle = (turn: number): SessionLifecycleService => nodes[turn]!.app.get(SessionLifecycleService);

  /** Whether each session is refused, or let in, by both nodes, without the device that remembers its user. */
  const areIn = async (): Promise<boolean[]> => {
    const answers = [];
    for (const { cookies } of clients) {
      const cookie = `${SESSION_COOKIE}=${cookies.get(SESSION_COOKIE)}`;
      const found = await Promise.all(nodes.map((node) => node.send('GET', '/auth/session', { cookie })));
      expect(found[0]!.status).toBe(found[1]!.status);
      answers.push(found[0]!.status === 200);
    }
    return answers;
  };

  const told = (turn: number): SessionEvent[] =>
    nodes[turn]!.events.filter(({ type }) => type === 'session.all_ended' || type === 'session.destroyed');

  it('every session is refused by every node, and no remembered device signs in', async () => {
    const stolen = clients.map(({ cookies }) => new Map(cookies));
    await lifecycle(1).endEverySession();
    expect(await areIn()).toEqual([false, false, false]);
    for (const client of clients) expect(await client.isSignedIn()).toBe(false);
    for (const cookies of stolen) {
      const cookie = `${REMEMBER_COOKIE}=${cookies.get(REMEMBER_COOKIE) ?? 'none'}`;
      for (const node of nodes) expect((await node.send('GET', '/auth/session', { cookie })).status).toBe(401);
    }
    expect(told(1)).toEqual([
      { type: 'session.all_ended', realm: 'default', at: expect.any(Date), keepDevices: false },
    ]);
    const { sessions } = await lifecycle(0).list('alice');
    expect(sessions).toEqual([]);
  });

  it('a login works at once, and counts no session that has ended', async () => {
    for (const node of nodes) await node.client().login('alice');
    await lifecycle(0).endEverySession();
    const devices = [nodes[1].client(), nodes[0].client(), nodes[1].client()];
    for (const device of devices) await device.login('alice');
    for (const device of devices) expect(await device.isSignedIn()).toBe(true);
    const { sessions } = await lifecycle(1).list('alice');
    expect(sessions.length).toBe(3);
    expect(nodes.flatMap(({ events }) => events).filter(({ type }) => type === 'session.evicted')).toEqual([]);
    await lifecycle(1).endEverySession();
    for (const device of devices) expect(await device.isSignedIn()).toBe(false);
  });

  it('remembered devices may stay', async () => {
    await lifecycle(0).endEverySession({ keepDevices: true });
    expect(await areIn()).toEqual([false, false, false]);
    const signedIn = [];
    for (const client of clients) signedIn.push(await client.isSignedIn());
    expect(signedIn).toEqual([true, false, true]);
    expect(told(0)).toEqual([expect.objectContaining({ type: 'session.all_ended', keepDevices: true })]);
    expect(await areIn()).toEqual([true, false, true]);
    await lifecycle(1).endEverySession();
    for (const client of clients) expect(await client.isSignedIn()).toBe(false);
  });

  it('no clock decides: neither that of a node which is ahead, nor that of one which is behind', async () => {
    nodes[0].clock.advance(20 * 60_000);
    const ahead = nodes[0].client();
    await ahead.login('bob');
    await lifecycle(1).endEverySession();
    const behind = nodes[1].client();
    await behind.login('bob');
    expect(await ahead.isSignedIn()).toBe(false);
    expect(await behind.isSignedIn()).toBe(true);
    behind.port = nodes[0].port;
    expect(await behind.isSignedIn()).toBe(true);
  });

  it('of logins at the same time, none is ended after it is said to be over', async () => {
    let isOver = false;
    const login = async (turn: number): Promise<{ readonly client: BankClient; readonly isAfter: boolean }> => {
      const client = nodes[turn % 2]!.client();
      const isAfter = isOver;
      expect((await client.get(`/door/enter?id=user${turn}`)).status).toBe(200);
      return { client, isAfter };
    };
    const lanes = Array.from({ length: 10 }, async (_, lane) => {
      const made = [];
      for (let i = 0; i < 10; i += 1) made.push(await login(lane * 10 + i));
      return made;
    });
    const ending = lifecycle(0)
      .endEverySession()
      .then(() => (isOver = true));
    const [logins] = await Promise.all([Promise.all(lanes), ending]);
    const last = await login(100);
    for (const { client, isAfter } of [...logins.flat(), last]) {
      const isIn = await client.isSignedIn();
      if (isAfter) expect(isIn).toBe(true);
      client.port = nodes[Number(client.port === nodes[0].port)]!.port;
      expect(await client.isSignedIn()).toBe(isIn);
    }
    expect(await areIn()).toEqual([false, false, false]);
  });

  it('sessions from before a date end, with their devices, and later ones stay', async () => {
    for (const { clock } of nodes) clock.advance(HOUR / 2);
    const late = nodes[0].client();
    await late.login('alice', { rememberMe: true });
    const date = new Date(nodes[0].clock.now());
    for (const { clock } of nodes) clock.advance(60_000);
    await lifecycle(1).endSessionsBefore(date);
    expect(await areIn()).toEqual([false, false, false]);
    for (const client of clients) expect(await client.isSignedIn()).toBe(false);
    expect(await late.isSignedIn()).toBe(true);
    expect(told(1)).toEqual([
      expect.objectContaining({ type: 'session.all_ended', createdBefore: date, keepDevices: false }),
    ]);
    // the device of the later login signs in by itself
    late.cookies.delete(SESSION_COOKIE);
    expect(await late.isSignedIn()).toBe(true);
    // repeated, and with an earlier date
    await lifecycle(0).endSessionsBefore(date);
    await lifecycle(0).endSessionsBefore(new Date(0));
    expect(await late.isSignedIn()).toBe(true);
    expect(await clients[0]!.isSignedIn()).toBe(false);
  });

  it('refuses a date that is in the future, or is none, and ends nothing', async () => {
    const future = new Date(nodes[0].clock.now() + 1);
    for (const date of [future, new Date(NaN), undefined, 0, '2020-01-01'] as Date[]) {
      const refused = expect.objectContaining({ code: 'invalid_configuration' });
      await expect(lifecycle(0).endSessionsBefore(date)).rejects.toEqual(refused);
    }
    expect(await areIn()).toEqual([true, true, true]);
    await lifecycle(0).endSessionsBefore(new Date(nodes[0].clock.now()));
    expect(await areIn()).toEqual([true, true, true]);
    expect(told(0)).toHaveLength(1);
  });
});
