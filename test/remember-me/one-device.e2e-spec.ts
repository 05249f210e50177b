import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { NewSessionNotice, SessionEvent, SessionListItem } from 'nestjs-session-auth';
import { DEVICE_COOKIE, REMEMBER_COOKIE, type BankClient } from '../support/bank-client.js';
import { EVERYWHERE, ON_MYSQL, openBackend, startBank, type Backend, type Bank } from '../support/bank.js';
import { StoppedClock, type ManualClock } from '../support/manual-clock.js';

const MINUTE = 60_000;
const FIREFOX = 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0';

describe.each([...EVERYWHERE, ...ON_MYSQL])('a remembered browser on $adapter with $store', ({ adapter, store }) => {
  let backend: Backend;
  let bank: Bank;
  let clock: ManualClock;
  let laptop: BankClient;
  let phone: BankClient;
  let notices: NewSessionNotice[];

  const start = async (onLimit: 'evict-oldest' | 'reject', max = 2): Promise<void> => {
    const notifier = { wants: () => true, send: (notice: NewSessionNotice) => void notices.push(notice) };
    const options = { concurrency: { max, onLimit }, notifier: { useValue: notifier } };
    bank = await startBank({ adapter, backend, clock, options });
    [laptop, phone] = [bank.client(), bank.client()];
    laptop.headers['user-agent'] = FIREFOX;
  };

  beforeEach(async () => {
    clock = new StoppedClock();
    notices = [];
    backend = await openBackend(store);
  });

  afterEach(async () => {
    await bank.close();
    await backend.close();
  });

  const told = (type: SessionEvent['type']): SessionEvent[] => bank.events.filter((event) => event.type === type);
  const listed = async (client: BankClient): Promise<SessionListItem[]> =>
    (await client.get('/auth/sessions')).json as SessionListItem[];

  it.each(['evict-oldest', 'reject'] as const)(
    'has one session through three restarts, and pushes no other device out, nor itself (%s)',
    async (onLimit) => {
      await start(onLimit);
      await phone.login('alice');
      await laptop.login('alice', { rememberMe: true });
      notices.length = 0;
      const ids: string[] = [(await listed(laptop)).find(({ current }) => current)!.id];
      for (let restart = 0; restart < 3; restart += 1) {
        clock.advance(10 * MINUTE);
        laptop.restart();
        expect(await laptop.isSignedIn()).toBe(true);
        const list = await listed(laptop);
        expect(list).toHaveLength(2);
        ids.push(list.find(({ current }) => current)!.id);
      }
      expect(await phone.isSignedIn()).toBe(true);
      expect(told('session.evicted')).toEqual([]);
      expect(told('session.limit_reached')).toEqual([]);
      expect(told('session.destroyed')).toMatchObject(
        ids.slice(0, 3).map((sessionId) => ({ sessionId, reason: 'replaced', userId: 'alice' })),
      );
      expect(notices.map(({ isReplacement, newDevice }) => ({ isReplacement, newDevice }))).toEqual(
        Array.from({ length: 3 }, () => ({ isReplacement: true, newDevice: false })),
      );
    },
  );

  it('has one session also where its answers get lost, at the limit', async () => {
    await start('reject');
    await phone.login('alice');
    await laptop.login('alice', { rememberMe: true });
    laptop.restart();
    for (let loss = 0; loss < 3; loss += 1) {
      clock.advance(10 * MINUTE);
      const lost = bank.client();
      Object.assign(lost.headers, laptop.headers);
      expect((await lost.get('/api/me', { cookie: laptop.cookie })).status).toBe(200);
    }
    expect(await laptop.isSignedIn()).toBe(true);
    expect(await listed(laptop)).toHaveLength(2);
    expect(await phone.isSignedIn()).toBe(true);
  });

  it('has one session also without a cookie that names the device', async () => {
    await start('reject');
    await phone.login('alice');
    await laptop.login('alice', { rememberMe: true });
    for (let restart = 0; restart < 3; restart += 1) {
      clock.advance(10 * MINUTE);
      laptop.restart();
      laptop.cookies.delete(DEVICE_COOKIE);
      expect(await laptop.isSignedIn()).toBe(true);
      expect(await listed(laptop)).toHaveLength(2);
    }
    expect(told('remember_me.theft')).toEqual([]);
  });

  it('has one session when its user logs in by password after a restart', async () => {
    await start('reject');
    await phone.login('alice');
    await laptop.login('alice', { rememberMe: true });
    for (const rememberMe of [true, false, true]) {
      clock.advance(10 * MINUTE);
      laptop.restart();
      await laptop.login('alice', { rememberMe });
      expect(await listed(laptop)).toHaveLength(2);
    }
    expect(await phone.isSignedIn()).toBe(true);
    expect(told('session.destroyed').every((event) => 'reason' in event && event.reason === 'replaced')).toBe(true);
  });

  it('has one session when it has lost its token: it is the one that was signed in by remember-me', async () => {
    await start('reject');
    await phone.login('alice');
    await laptop.login('alice', { rememberMe: true });
    laptop.restart();
    expect(await laptop.isSignedIn()).toBe(true);
    clock.advance(10 * MINUTE);
    laptop.restart();
    laptop.cookies.delete(REMEMBER_COOKIE);
    await laptop.login('alice');
    expect(await listed(laptop)).toHaveLength(2);
    expect(await phone.isSignedIn()).toBe(true);
  });

  it('takes no session of another browser that was remembered', async () => {
    await start('evict-oldest', 3);
    await phone.login('alice', { rememberMe: true });
    await laptop.login('alice', { rememberMe: true });
    for (const device of [laptop, phone, laptop]) {
      clock.advance(MINUTE);
      device.restart();
      expect(await device.isSignedIn()).toBe(true);
    }
    expect(await listed(phone)).toHaveLength(2);
    expect(await phone.isSignedIn()).toBe(true);
    expect(await laptop.isSignedIn()).toBe(true);
  });
});
