import { describe, expect, it } from '@jest/globals';
import { BankUsersService } from '../../src/users/bank-users.service.js';
import type { Answer, BankClient } from '../support/bank-client.js';
import { EVERYWHERE } from '../support/bank.js';
import { ELSEWHERE, from, OWN, ThrottledBank } from '../support/throttled-bank.js';

/** Looks like alice@example.com, and is counted with it. */
const LOOK_ALIKE = 'alic\u00e9@example.com';

describe.each(EVERYWHERE)('an account whose name looks like another’s, on $adapter with $store', (where) => {
  const at = ThrottledBank.forEachTest(where);

  /** Bob takes an address that looks like Alice's. */
  async function takeLookAlike(client: BankClient, ip = OWN): Promise<void> {
    expect((await at.login('bob', ip, client)).status).toBe(200);
    expect((await client.post('/api/settings/email', { email: LOOK_ALIKE }, from(ip))).status).toBe(200);
  }

  const loginByLookAlike = (ip = OWN, client = at.client()): Promise<Answer> =>
    client.post('/auth/login', { email: LOOK_ALIKE, password: 'bob-demo-password' }, from(ip));

  it('clears no count of the other by its own logins', async () => {
    await takeLookAlike(at.client());
    const verdicts: number[] = [];
    for (let round = 0; round < 10; round += 1) {
      for (let i = 0; i < 2; i += 1) verdicts.push((await at.guess('alice')).status);
      expect((await loginByLookAlike()).status).toBe(200);
    }
    expect(verdicts.filter((status) => status === 401)).toHaveLength(3);
    expect(verdicts.filter((status) => status === 429)).toHaveLength(17);
    expect((await at.login('alice')).status).toBe(429);
  });

  it('makes no address one that the other was signed in from', async () => {
    await takeLookAlike(at.client());
    await at.fillCountOf('alice');
    expect((await loginByLookAlike()).status).toBe(200);
    expect((await at.login('alice')).status).toBe(429);
    expect(at.bank.events.at(-1)).toMatchObject({ type: 'login.throttled', scope: 'account', userId: 'alice' });
  });

  it('makes no device one of the other’s', async () => {
    const device = at.client();
    await takeLookAlike(device);
    await at.fillCountOf('alice');
    expect((await loginByLookAlike(ELSEWHERE, device)).status).toBe(200);
    expect((await at.login('alice', ELSEWHERE, device)).status).toBe(429);
    expect((await at.guess('alice', ELSEWHERE, device)).status).toBe(429);
  });

  it('is no way around the count of an account that the application finds by many spellings', async () => {
    const users = at.bank.app.get(BankUsersService);
    const find = users.findByEmail.bind(users);
    // as a mail provider does
    users.findByEmail = (email) => find(email.replaceAll('.', '').replace('examplecom', 'example.com'));
    const spellings = ['a.lice', 'al.ice', 'ali.ce', 'alic.e', 'a.l.ice'].map((name) => `${name}@example.com`);
    const verdicts: number[] = [];
    for (const spelling of spellings) verdicts.push((await at.guess(spelling)).status);
    expect(verdicts).toEqual([401, 401, 401, 429, 429]);
    // from wherever
    for (let i = 1; i <= 3; i += 1) expect((await at.guess(spellings[i]!, `192.0.2.${i}`)).status).toBe(401);
    expect((await at.guess('a.li.ce@example.com', ELSEWHERE)).status).toBe(429);
    expect(at.bank.events.at(-1)).toMatchObject({ type: 'login.throttled', scope: 'account' });
  });
});
