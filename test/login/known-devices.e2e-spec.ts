import { Controller, Post, Req } from '@nestjs/common';
import { describe, expect, it } from '@jest/globals';
import { Public, SessionAuthService } from 'nestjs-session-auth';
import { SESSION_COOKIE, type Answer, type BankClient } from '../support/bank-client.js';
import { EVERYWHERE } from '../support/bank.js';
import { ELSEWHERE, from, OWN, ThrottledBank } from '../support/throttled-bank.js';

const NEW = 'a new password for alice';
const DAY = 24 * 60 * 60_000;

/** Signs Alice in by the application's own means. */
@Controller('own-means')
class OwnMeansController {
  constructor(private readonly auth: SessionAuthService) {}

  @Public()
  @Post()
  async login(@Req() request: object): Promise<void> {
    await this.auth.loginUser(request, { id: 'alice' });
  }
}

describe.each(EVERYWHERE)('known devices of an account on $adapter with $store', (where) => {
  const at = ThrottledBank.forEachTest(where);

  async function device(name = 'alice', ip = OWN): Promise<BankClient> {
    const client = at.client();
    expect((await at.login(name, ip, client)).status).toBe(200);
    return client;
  }

  const loginAnew = (client: BankClient, ip: string): Promise<Answer> =>
    client.post('/auth/login', { email: 'alice@example.com', password: NEW }, from(ip));

  const changePassword = async (client: BankClient): Promise<void> => {
    const passwords = { currentPassword: 'alice-demo-password', newPassword: NEW };
    expect((await client.post('/api/settings/password', passwords, from(OWN))).status).toBe(200);
  };

  const newDevices = (): unknown[] =>
    at.bank.events.flatMap((event) => (event.type === 'session.created' ? [event.newDevice] : []));

  it('are bounded together, for any number of collected cookies', async () => {
    const collected: BankClient[] = [];
    for (let i = 0; i < 8; i += 1) collected.push(await device());
    const verdicts: number[] = [];
    for (const [i, client] of collected.entries()) {
      for (let guess = 0; guess < 3; guess += 1)
        verdicts.push((await at.guess('alice', `192.0.2.${i}`, client)).status);
    }
    // as many by all devices as by all strangers, and not three by each
    expect(verdicts.filter((status) => status === 401)).toHaveLength(6 + 6);
    expect((await at.login('alice', ELSEWHERE, collected[0])).status).toBe(429);
    // the owner gets in from where they were before, and so does who shares the browser
    expect((await at.login('alice', OWN, collected[0])).status).toBe(200);
    expect((await at.login('bob', ELSEWHERE, collected[0])).status).toBe(200);
  });

  it('keep the address known that they sign in from, for the day on which the device is lost', async () => {
    const owner = await device();
    for (let day = 1; day <= 30; day += 5) {
      at.clock.advance(5 * DAY);
      expect((await at.login('alice', OWN, owner)).status).toBe(200);
    }
    await at.fillCountOf('alice');
    expect((await at.login('alice', ELSEWHERE)).status).toBe(429);
    expect((await at.login('alice', OWN)).status).toBe(200);
  });

  it('make an address known that they have not signed in from before', async () => {
    const owner = await device();
    expect((await at.login('alice', ELSEWHERE, owner)).status).toBe(200);
    await at.fillCountOf('alice');
    expect((await at.login('alice', ELSEWHERE)).status).toBe(200);
  });

  it('are unknown after a change of credentials, except the one that made it', async () => {
    const [old, kept] = [await device(), await device()];
    await at.fillCountOf('alice');
    expect((await at.login('alice', ELSEWHERE, old)).status).toBe(200);
    await changePassword(kept);
    at.clock.advance(1000);
    expect((await loginAnew(old, '192.0.2.200')).status).toBe(429);
    expect(at.bank.events.at(-1)).toMatchObject({ type: 'login.throttled', scope: 'account' });
    expect((await loginAnew(kept, '192.0.2.201')).status).toBe(200);
    // and after another login of its own it is known again
    expect((await loginAnew(old, OWN)).status).toBe(200);
    expect((await loginAnew(old, '192.0.2.202')).status).toBe(200);
  });

  it('are not kept known by another account that signs in there', async () => {
    const old = await device();
    await changePassword(await device());
    at.clock.advance(1000);
    await at.login('bob', OWN, old);
    await at.fillCountOf('alice');
    expect((await loginAnew(old, '192.0.2.200')).status).toBe(429);
  });

  it('are new ones in notices after a change of credentials', async () => {
    const [old, kept] = [await device(), await device()];
    await changePassword(kept);
    at.clock.advance(1000);
    for (const client of [old, kept]) {
      await client.post('/auth/logout');
      expect((await loginAnew(client, OWN)).status).toBe(200);
    }
    expect(newDevices()).toEqual([true, true, true, false]);
  });

  it('are new ones for logins by the application’s own means, too', async () => {
    at.bank = await at.start({}, { controllers: [OwnMeansController] });
    const client = at.client();
    const login = async (): Promise<void> => {
      expect((await client.post('/own-means')).status).toBe(201);
      client.cookies.delete(SESSION_COOKIE);
      // a login that comes sooner shares the session of the one before
      at.clock.advance(60_000);
    };
    await login();
    await login();
    await at.bank.app.get(SessionAuthService).credentialsChanged('alice');
    at.clock.advance(1);
    await login();
    await login();
    expect(newDevices()).toEqual([true, false, true, false]);
  });
});
