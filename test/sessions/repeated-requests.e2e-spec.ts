import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Controller, Inject, Post, Req } from '@nestjs/common';
import { SessionAuthService, SessionLifecycleService, type SessionEvent } from 'nestjs-session-auth';
import { PRE_SESSION_COOKIE, SESSION_COOKIE, type Answer, type Ask, type BankClient } from '../support/bank-client.js';
import { EVERYWHERE, openBackend, startBank, type Backend, type Bank } from '../support/bank.js';
import { StoppedClock } from '../support/manual-clock.js';

const SECOND = 1000;
const ALICE = { email: 'alice@example.com', password: 'alice-demo-password' };

/** A second factor whose code everybody knows. */
@Controller('factor')
class FactorController {
  constructor(@Inject(SessionAuthService) private readonly auth: SessionAuthService) {}

  @Post()
  async prove(@Req() request: object): Promise<void> {
    await this.auth.factorCompleted(request, 'totp');
  }
}

/** A login by means of the application's own, during which something else happens. */
@Controller('own-login')
class OwnLoginController {
  static meanwhile: () => Promise<unknown> = () => Promise.resolve();

  constructor(@Inject(SessionAuthService) private readonly auth: SessionAuthService) {}

  @Post()
  async login(@Req() request: object): Promise<void> {
    await this.auth.current(request);
    await OwnLoginController.meanwhile();
    await this.auth.loginUser(request, { id: 'alice' });
  }

  @Post('new-token')
  async replaceToken(@Req() request: object): Promise<void> {
    await this.auth.rotate(request, { grace: 0 });
  }
}

describe.each(EVERYWHERE)('a form that is sent twice on $adapter with $store', ({ adapter, store }) => {
  let backend: Backend;
  let bank: Bank;
  let alice: BankClient;

  beforeEach(async () => {
    backend = await openBackend(store);
    // a busy machine takes longer for a password than the grace is
    const clock = new StoppedClock();
    bank = await startBank({
      adapter,
      backend,
      clock,
      module: { controllers: [FactorController, OwnLoginController] },
    });
    alice = bank.client();
  });

  afterEach(async () => {
    await bank.close();
    await backend.close();
  });

  const told = (type: SessionEvent['type']): SessionEvent[] => bank.events.filter((event) => event.type === type);
  const sessions = async (): Promise<number> =>
    (await bank.app.get(SessionLifecycleService).list('alice')).sessions.length;
  const isSignedIn = (cookie: string): Promise<boolean> => bank.client().isSignedIn({ cookie });

  /** What two posts of one form are: the same cookies and CSRF token, and each its own answer. */
  async function twice(
    path: string,
    body: unknown,
    { atOnce, second = body }: { readonly atOnce: boolean; readonly second?: unknown },
  ): Promise<[Answer, Answer]> {
    const csrf = await alice.csrfToken();
    const ask: Ask = { csrf, cookie: alice.cookie };
    const send = (each: unknown): Promise<Answer> => bank.client().post(path, each, ask);
    if (atOnce) return Promise.all([send(body), send(second)]);
    const first = await send(body);
    bank.clock.advance(SECOND);
    return [first, await send(second)];
  }

  const cookieIn = ({ setCookies }: Answer): string =>
    setCookies.find((line) => line.startsWith(`${SESSION_COOKIE}=`))!.split(';')[0]!;
  const codeOf = ({ json }: Answer): unknown => (json as { code?: string }).code;

  describe.each([
    ['one after the other', false],
    ['at once', true],
  ])('%s', (_, atOnce) => {
    it('is one login: one session, and either response works', async () => {
      for (const arrives of [0, 1]) {
        alice.cookies.clear();
        const answers = await twice('/auth/login', ALICE, { atOnce });
        expect(answers.map(({ status }) => status)).toEqual([200, 200]);
        expect(await sessions()).toBe(1);
        expect(cookieIn(answers[0])).not.toBe(cookieIn(answers[1]));
        expect(await isSignedIn(cookieIn(answers[arrives]!))).toBe(true);
        expect(await isSignedIn(cookieIn(answers[arrives]!))).toBe(true);
        await bank.app.get(SessionLifecycleService).revokeAll('alice');
      }
      expect(told('session.token_reused')).toEqual([]);
      expect(told('session.evicted')).toEqual([]);
    });

    it('lets the page of each answer send its own next form', async () => {
      const answers = await twice('/auth/login', ALICE, { atOnce });
      for (const answer of answers.toReversed()) {
        const { csrfToken } = answer.json as { csrfToken: string };
        const cookie = cookieIn(answer);
        const transfer = await bank
          .client()
          .post('/api/transfer', { to: 'bob', amount: 1 }, { cookie, csrf: csrfToken });
        expect(transfer.status).toBe(201);
      }
    });

    it('does not push a real device over the limit', async () => {
      const phone = bank.client();
      await phone.login('alice');
      for (const device of [bank.client(), alice]) await device.login('alice');
      await alice.post('/auth/logout');
      await twice('/auth/login', ALICE, { atOnce });
      expect(await phone.isSignedIn()).toBe(true);
      expect(told('session.evicted')).toEqual([]);
    });

    it('is one login over a live session as well', async () => {
      await alice.login('alice');
      const answers = await twice('/auth/login', ALICE, { atOnce });
      expect(answers.map(({ status }) => status)).toEqual([200, 200]);
      expect(await sessions()).toBe(1);
      for (const answer of answers.toReversed()) expect(await isSignedIn(cookieIn(answer))).toBe(true);
      expect(told('session.token_reused')).toEqual([]);
    });

    it('is one re-authentication, which the second does not take away', async () => {
      await alice.login('alice');
      const before = alice.cookie;
      bank.clock.advance(20 * 60 * SECOND);
      const answers = await twice('/auth/reauthenticate', { password: ALICE.password }, { atOnce });
      expect(answers.map(({ status }) => status)).toEqual([200, 200]);
      for (const answer of answers.toReversed()) {
        const { csrfToken } = answer.json as { csrfToken: string };
        const email = { email: 'alice@example.com' };
        const ask = { cookie: cookieIn(answer), csrf: csrfToken };
        expect((await bank.client().ask('POST', '/api/settings/email', { ...ask, body: email })).status).toBe(200);
      }
      expect(await isSignedIn(before)).toBe(false);
      expect(told('session.token_reused')).toEqual([]);
    });

    it('is one change of the password', async () => {
      await alice.login('alice');
      const other = bank.client();
      await other.login('alice');
      const change = { currentPassword: ALICE.password, newPassword: 'a new password of hers' };
      const answers = await twice('/api/settings/password', change, { atOnce });
      expect(answers.map(({ status, text }) => [status, text])).toEqual([
        [200, expect.any(String)],
        [200, expect.any(String)],
      ]);
      expect(await isSignedIn(cookieIn(answers[1]))).toBe(true);
      expect(await other.isSignedIn()).toBe(false);
      expect((await bank.client().post('/auth/login', { ...ALICE, password: change.newPassword })).status).toBe(200);
      expect(told('session.token_reused')).toEqual([]);
      await bank.client().post('/auth/login', ALICE);
    });

    it('is one logout', async () => {
      await alice.login('alice');
      const answers = await twice('/auth/logout', undefined, { atOnce });
      expect(answers.map(({ status }) => status)).toEqual([204, 204]);
      expect(await sessions()).toBe(0);
      expect(told('session.destroyed')).toHaveLength(1);
      expect(told('session.token_reused')).toEqual([]);
    });

    it('is one transfer', async () => {
      await alice.login('alice');
      const transfer = { to: 'bob', amount: 1, formId: 'the form of the page' };
      const answers = await twice('/api/transfer', transfer, { atOnce });
      expect(answers.map(({ status }) => status)).toEqual([201, 201]);
      const page = (await alice.get('/account', { headers: { accept: 'text/html' } })).text;
      expect(page.match(/To bob/g)).toHaveLength(1);
    });
  });

  it('leaves the session to who proved it: a request in flight of a remembered device makes none of its own', async () => {
    await alice.login('alice', { rememberMe: true });
    const { cookie } = alice;
    await alice.post('/auth/reauthenticate', { password: ALICE.password });
    const late = await bank.client().get('/api/me', { cookie });
    expect([late.status, late.setCookies]).toEqual([401, []]);
    expect(await alice.isSignedIn()).toBe(true);
    expect(await sessions()).toBe(1);
    expect(told('remember_me.used')).toEqual([]);
  });

  it('gets nothing without the password, or with a wrong one, which counts', async () => {
    await alice.login('alice');
    const ask: Ask = { csrf: await alice.csrfToken(), cookie: alice.cookie };
    expect((await bank.client().post('/auth/reauthenticate', { password: ALICE.password }, ask)).status).toBe(200);
    expect(await isSignedIn(ask.cookie!)).toBe(false);
    const answers: unknown[] = [];
    for (let guess = 0; guess < 6; guess += 1) {
      answers.push(codeOf(await bank.client().post('/auth/reauthenticate', { password: `guess ${guess}` }, ask)));
    }
    expect(answers[0]).toBe('invalid_credentials');
    expect(answers.at(-1)).toBe('too_many_attempts');
  });

  it('gets nothing with the CSRF token of another session, or without one', async () => {
    await alice.login('alice');
    const { cookie } = alice;
    await alice.post('/auth/reauthenticate', { password: ALICE.password });
    const later = await alice.csrfToken();
    for (const csrf of [later, false] as const) {
      const answer = await bank.client().post('/auth/reauthenticate', { password: ALICE.password }, { csrf, cookie });
      expect([answer.status, codeOf(answer)]).toEqual([403, 'csrf_failed']);
    }
  });

  it('gets nothing after its time, which is reuse, or after a logout or a factor', async () => {
    const again = (ask: Ask): Promise<Answer> =>
      bank.client().post('/auth/reauthenticate', { password: ALICE.password }, ask);
    const prove = async (): Promise<Ask> => {
      alice.cookies.clear();
      await alice.login('alice');
      const ask: Ask = { csrf: await alice.csrfToken(), cookie: alice.cookie };
      await alice.post('/auth/reauthenticate', { password: ALICE.password });
      return ask;
    };
    const factor = await prove();
    await alice.post('/factor');
    expect((await again(factor)).status).toBe(401);
    const ended = await prove();
    await alice.post('/auth/logout');
    expect((await again(ended)).status).toBe(401);
    expect(told('session.token_reused')).toEqual([]);
    const late = await prove();
    bank.clock.advance(10 * SECOND);
    expect((await again(late)).status).toBe(401);
    expect(told('session.token_reused')).toHaveLength(1);
    expect(await alice.isSignedIn()).toBe(true);
  });

  it('does not turn what a client held before a login into a session', async () => {
    const form = await twice('/auth/login', ALICE, { atOnce: false });
    const before = alice.cookie;
    expect(before).toContain(PRE_SESSION_COOKIE);
    expect(await isSignedIn(before)).toBe(false);
    const wrong = await bank
      .client()
      .post('/auth/login', { ...ALICE, password: 'wrong' }, { cookie: before, csrf: await alice.csrfToken() });
    expect([wrong.status, wrong.setCookies]).toEqual([401, []]);
    expect(await isSignedIn(cookieIn(form[0]))).toBe(true);
  });

  it('is one login over a session whose token another request replaces meanwhile, and leaves nothing of that', async () => {
    await alice.login('alice');
    const ask: Ask = { csrf: await alice.csrfToken(), cookie: alice.cookie };
    let other = '';
    OwnLoginController.meanwhile = async () => {
      other = cookieIn(await bank.client().post('/own-login/new-token', undefined, ask));
    };
    const answer = await bank.client().post('/own-login', undefined, ask);
    expect(answer.status).toBe(201);
    expect(await isSignedIn(cookieIn(answer))).toBe(true);
    expect(await isSignedIn(other)).toBe(false);
    expect(await sessions()).toBe(1);
  });
});
