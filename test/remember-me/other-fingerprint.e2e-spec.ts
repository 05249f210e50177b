import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { RememberedDevice, SessionEvent } from 'nestjs-session-auth';
import { RememberMeService } from 'nestjs-session-auth';
import { REMEMBER_COOKIE, SESSION_COOKIE, type BankClient } from '../support/bank-client.js';
import { EVERYWHERE, openBackend, startBank, type Backend, type Bank } from '../support/bank.js';
import { StoppedClock, type ManualClock } from '../support/manual-clock.js';

const FIREFOX = 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0';
const SAFARI = 'Mozilla/5.0 (Macintosh; Intel Mac OS X 14_0) AppleWebKit/605.1.15 Version/17.0 Safari/605.1.15';

describe.each(EVERYWHERE)(
  'a remembered device of another fingerprint on $adapter with $store',
  ({ adapter, store }) => {
    let backend: Backend;
    let bank: Bank;
    let clock: ManualClock;
    let alice: BankClient;

    const start = async (onMismatch: 'destroy' | 'reject' | 'report'): Promise<void> => {
      bank = await startBank({ adapter, backend, clock, options: { fingerprint: { onMismatch } } });
      alice = bank.client();
      alice.headers['user-agent'] = FIREFOX;
      await alice.login('alice', { rememberMe: true });
    };

    beforeEach(async () => {
      clock = new StoppedClock();
      backend = await openBackend(store);
    });

    afterEach(async () => {
      await bank.close();
      await backend.close();
    });

    const devices = (): Promise<RememberedDevice[]> => bank.app.get(RememberMeService).list('alice');
    const told = (type: SessionEvent['type']): SessionEvent[] => bank.events.filter((event) => event.type === type);

    it('is forgotten with its session where the policy is destroy: the next request is not let in', async () => {
      await start('destroy');
      const copied = new Map(alice.cookies);
      alice.headers['user-agent'] = SAFARI;
      const answer = await alice.get('/api/me');
      expect(answer.status).toBe(401);
      expect(answer.setCookies.map((line) => line.split('=')[0]).sort()).toEqual(
        [SESSION_COOKIE, REMEMBER_COOKIE].sort(),
      );
      expect(await devices()).toEqual([]);
      for (const userAgent of [SAFARI, FIREFOX]) {
        const client = bank.client();
        client.headers['user-agent'] = userAgent;
        for (const [name, value] of copied) client.cookies.set(name, value);
        expect(await client.isSignedIn()).toBe(false);
        client.restart();
        expect(await client.isSignedIn()).toBe(false);
      }
      expect(told('session.destroyed')).toEqual([expect.objectContaining({ reason: 'fingerprint_mismatch' })]);
      expect(told('remember_me.theft')).toEqual([]);
    });

    it('raises the alarm where its token was replaced: it is judged before it is forgotten', async () => {
      await start('destroy');
      const replaced = alice.cookies.get(REMEMBER_COOKIE)!;
      for (let restart = 0; restart < 2; restart += 1) {
        alice.restart();
        expect(await alice.isSignedIn()).toBe(true);
        clock.advance(31_000);
      }
      alice.cookies.set(REMEMBER_COOKIE, replaced);
      alice.headers['user-agent'] = SAFARI;
      expect(await alice.isSignedIn()).toBe(false);
      expect(told('remember_me.theft')).toEqual([expect.objectContaining({ userId: 'alice' })]);
      expect(await devices()).toEqual([]);
    });

    it('stays remembered where the policy is reject, and is not let in by that', async () => {
      await start('reject');
      alice.headers['user-agent'] = SAFARI;
      for (let tries = 0; tries < 2; tries += 1) {
        const answer = await alice.get('/api/me');
        expect([answer.status, answer.setCookies]).toEqual([401, []]);
      }
      expect(await devices()).toHaveLength(1);
      alice.headers['user-agent'] = FIREFOX;
      expect(await alice.isSignedIn()).toBe(true);
    });

    it('stays remembered after a restart, since a token is bound to no browser', async () => {
      await start('destroy');
      alice.restart();
      alice.headers['user-agent'] = SAFARI;
      expect(await alice.isSignedIn()).toBe(true);
      expect(await devices()).toHaveLength(1);
    });
  },
);
