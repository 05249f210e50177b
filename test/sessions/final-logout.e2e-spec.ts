import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Controller, Inject, Post, Req } from '@nestjs/common';
import { SessionAuthService, SessionLifecycleService, type SessionEvent } from 'nestjs-session-auth';
import { SESSION_COOKIE, type Answer, type BankClient } from '../support/bank-client.js';
import {
  EVERYWHERE,
  ON_MYSQL,
  openBackend,
  startBank,
  type Backend,
  type Bank,
  type BankSetup,
} from '../support/bank.js';
import { StoppedClock, type ManualClock } from '../support/manual-clock.js';

const MINUTE = 60_000;
const PASSWORD = 'alice-demo-password';

/** What replaces a token. */
@Controller('tokens')
class TokensController {
  constructor(@Inject(SessionAuthService) private readonly auth: SessionAuthService) {}

  @Post('factor')
  async prove(@Req() request: object): Promise<void> {
    await this.auth.factorCompleted(request, 'totp');
  }

  @Post('rotate')
  async rotate(@Req() request: object): Promise<void> {
    await this.auth.rotate(request, { grace: 0 });
  }
}

describe.each([...EVERYWHERE, ...ON_MYSQL])('a logout on $adapter with $store', ({ adapter, store }) => {
  let backend: Backend;
  let nodes: [Bank, Bank];
  let clock: ManualClock;
  let alice: BankClient;

  beforeEach(async () => {
    backend = await openBackend(store);
    clock = new StoppedClock();
    const setup: BankSetup = {
      adapter,
      backend,
      clock,
      options: { lifetime: { rotateEvery: '15m' } },
      module: { controllers: [TokensController] },
    };
    nodes = [await startBank(setup), await startBank(setup)];
    alice = nodes[0].client();
    await alice.login('alice');
  });

  afterEach(async () => {
    for (const node of nodes) await node.close();
    await backend.close();
  });

  const told = (type: SessionEvent['type']): SessionEvent[] =>
    nodes.flatMap((node) => node.events.filter((event) => event.type === type));
  const sessions = async (): Promise<number> =>
    (await nodes[1].app.get(SessionLifecycleService).list('alice')).sessions.length;
  const logoutBy = (cookie: string, csrf: string, node = 1): Promise<Answer> =>
    nodes[node]!.client().post('/auth/logout', undefined, { cookie, csrf });

  it.each<[string, () => Promise<unknown>]>([
    ['a re-authentication', () => alice.post('/auth/reauthenticate', { password: PASSWORD })],
    ['a factor', () => alice.post('/tokens/factor')],
    ['a rotation without grace', () => alice.post('/tokens/rotate')],
    [
      'a rotation by interval whose grace is long over',
      async () => {
        clock.advance(15 * MINUTE);
        await alice.get('/api/me');
        await alice.get('/api/me');
        clock.advance(MINUTE);
      },
    ],
    [
      'forty rotations',
      async () => {
        for (let rotation = 0; rotation < 40; rotation += 1) {
          clock.advance(15 * MINUTE);
          await alice.get('/api/me');
          await alice.get('/api/me');
        }
      },
    ],
  ])('by the token of before %s is over with the session', async (_, replace) => {
    const csrf = await alice.csrfToken();
    const before = `${SESSION_COOKIE}=${alice.sealed}`;
    await replace();
    expect(await alice.isSignedIn()).toBe(true);
    const answer = await logoutBy(before, csrf);
    expect([answer.status, answer.headers['clear-site-data']]).toEqual([204, '"cookies", "storage"']);
    expect([await alice.isSignedIn(), await sessions()]).toEqual([false, 0]);
    expect(told('session.destroyed')).toEqual([expect.objectContaining({ reason: 'logout', userId: 'alice' })]);
    expect(told('session.token_reused')).toEqual([]);
  });

  it('by a successor is over with the session, used or not, and whether or not it is the last one', async () => {
    for (const which of [0, 1, 2]) {
      const client = nodes[0].client();
      await client.login('alice');
      const before = `${SESSION_COOKIE}=${client.sealed}`;
      const out: { readonly cookie: string; readonly csrf: string }[] = [];
      for (let lost = 0; lost < 3; lost += 1) {
        clock.advance(15 * MINUTE);
        const answer = await nodes[0].client().get('/auth/session', { cookie: before });
        const { csrfToken: csrf } = answer.json as { csrfToken: string };
        out.push({ cookie: answer.setCookies[0]!.split(';')[0]!, csrf });
      }
      if (which > 0) await nodes[0].client().get('/api/me', { cookie: out[1]!.cookie });
      expect((await logoutBy(out[which]!.cookie, out[which]!.csrf)).status).toBe(204);
      for (const { cookie } of [{ cookie: before }, ...out]) expect(await client.isSignedIn({ cookie })).toBe(false);
    }
    expect(told('session.token_reused')).toEqual([]);
  });

  it('leaves no survivor where it races a rotation', async () => {
    for (let run = 0; run < 20; run += 1) {
      const client = nodes[run % 2]!.client();
      await client.login('alice');
      const csrf = await client.csrfToken();
      const { cookie } = client;
      clock.advance(15 * MINUTE);
      const requests = [
        nodes[0].client().get('/api/me', { cookie }),
        nodes[1].client().get('/api/me', { cookie }),
        logoutBy(cookie, csrf, run % 2),
        nodes[1].client().post('/auth/reauthenticate', { password: PASSWORD }, { cookie, csrf }),
        nodes[0].client().get('/api/me', { cookie }),
      ];
      const answers = await Promise.all(requests);
      expect(answers[2]!.status).toBe(204);
      for (const { setCookies } of answers) {
        for (const line of setCookies.filter((each) => each.startsWith(`${SESSION_COOKIE}=`))) {
          expect(await client.isSignedIn({ cookie: line.split(';')[0]! })).toBe(false);
        }
      }
    }
    expect(await sessions()).toBe(0);
  });
});
