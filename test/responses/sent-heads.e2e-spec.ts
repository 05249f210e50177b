import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Controller, Inject, Param, Post, Req, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import type { ServerResponse } from 'node:http';
import { Public, SessionAuthError, SessionAuthService, SessionLifecycleService } from 'nestjs-session-auth';
import { SESSION_COOKIE, type BankClient } from '../support/bank-client.js';
import { EVERYWHERE, openBackend, startBank, type Backend, type Bank } from '../support/bank.js';

const ALICE = { id: 'alice', email: 'alice@example.com', roles: ['customer'] };
const PASSWORD = 'alice-demo-password';

/** Handlers that begin their answer before they have all that goes into its head. */
@Public()
@Controller('late')
class LateController {
  readonly codes: (string | undefined)[] = [];

  constructor(@Inject(SessionAuthService) private readonly auth: SessionAuthService) {}

  @Post(':method')
  async call(@Req() request: object, @Res() response: object, @Param('method') method: string): Promise<void> {
    const raw = begin(response);
    const { auth } = this;
    const calls: Record<string, () => Promise<unknown>> = {
      login: () => auth.login(request, { email: ALICE.email, password: PASSWORD }),
      loginUser: () => auth.loginUser(request, ALICE),
      logout: () => auth.logout(request),
      reauthenticate: () => auth.reauthenticate(request, { password: PASSWORD }),
      factorCompleted: () => auth.factorCompleted(request, 'totp'),
      ensureSession: () => auth.ensureSession(request),
      rotate: () => auth.rotate(request),
      credentialsChanged: () => auth.credentialsChanged('alice', { keep: request }),
      current: () => auth.current(request),
    };
    try {
      await calls[method]!();
      raw.end('done');
    } catch (error) {
      raw.end(error instanceof SessionAuthError ? error.code : String(error));
    }
  }
}

/** Writes the head and the beginning of the body. */
function begin(response: object): ServerResponse {
  const reply = response as FastifyReply;
  if (typeof reply.hijack === 'function') reply.hijack();
  const raw = typeof reply.hijack === 'function' ? reply.raw : (response as ServerResponse);
  raw.writeHead(200, { 'content-type': 'text/plain' });
  raw.write('');
  raw.flushHeaders();
  return raw;
}

describe.each(EVERYWHERE)('a head that was sent on $adapter with $store', ({ adapter, store }) => {
  let backend: Backend;
  let bank: Bank;
  let alice: BankClient;

  beforeEach(async () => {
    backend = await openBackend(store);
    const options = { lifetime: { rotateEvery: '15m' } } as const;
    bank = await startBank({ adapter, backend, options, module: { controllers: [LateController] } });
    alice = bank.client();
  });

  afterEach(async () => {
    await bank.close();
    await backend.close();
  });

  it.each(['login', 'loginUser', 'logout', 'reauthenticate', 'factorCompleted', 'rotate', 'credentialsChanged'])(
    'makes %s an error with a code, and changes nothing',
    async (method) => {
      const others = [bank.client(), bank.client()];
      for (const device of [...others, alice]) await device.login('alice');
      bank.events.length = 0;
      const answer = await alice.post(`/late/${method}`);
      expect([answer.status, answer.text, answer.setCookies]).toEqual([200, 'response_already_sent', []]);
      expect(bank.events).toEqual([]);
      for (const device of [...others, alice]) expect(await device.isSignedIn()).toBe(true);
    },
  );

  it('makes a session of nobody an error with a code where there is none yet', async () => {
    const answer = await alice.post('/late/ensureSession');
    expect([answer.text, answer.setCookies]).toEqual(['response_already_sent', []]);
    expect(bank.events).toEqual([]);
  });

  it('makes a login without a session an error, too: no session is left behind', async () => {
    expect((await alice.post('/late/loginUser')).text).toBe('response_already_sent');
    expect((await bank.app.get(SessionLifecycleService).list('alice')).sessions).toEqual([]);
  });

  it('leaves a token that is due as it is, and a remembered device for its next request', async () => {
    await alice.login('alice', { rememberMe: true });
    const before = alice.sealed;
    bank.clock.advance(15 * 60_000);
    const late = await alice.post('/late/current', undefined, { csrf: 'unasked' });
    expect([late.text, late.setCookies, alice.sealed]).toEqual(['done', [], before]);
    expect((await alice.get('/api/me')).setCookies).toHaveLength(1);
    alice.cookies.delete(SESSION_COOKIE);
    expect((await alice.post('/late/current', undefined, { csrf: 'unasked' })).setCookies).toEqual([]);
    expect(await alice.isSignedIn()).toBe(true);
  });
});
