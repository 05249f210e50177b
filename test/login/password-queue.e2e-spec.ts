import { afterEach, describe, expect, it } from '@jest/globals';
import { BcryptPasswordHasher } from 'nestjs-session-auth';
import { BankUsersService } from '../../src/users/bank-users.service.js';
import type { Answer } from '../support/bank-client.js';
import { ADAPTERS, openBackend, startBank, type Bank, type BankSetup } from '../support/bank.js';
import { until } from '../support/patience.js';

/** Stops each check of a password until it is let through. */
class StoppedHasher extends BcryptPasswordHasher {
  readonly started: string[] = [];
  readonly #stopped: (() => void)[] = [];
  #isOpen = false;

  override async verify(password: string, hash: string | undefined): Promise<boolean> {
    this.started.push(password);
    if (!this.#isOpen) await new Promise<void>((resolve) => this.#stopped.push(resolve));
    return super.verify(password, hash);
  }

  /** Lets the check through that has waited longest. */
  next(): void {
    this.#stopped.shift()!();
  }

  open(): void {
    this.#isOpen = true;
    for (const resolve of this.#stopped.splice(0)) resolve();
  }
}

describe.each(ADAPTERS)('passwords that wait to be checked on %s', (adapter) => {
  let bank: Bank;
  let hasher: StoppedHasher;
  let answers: (Answer & { readonly from: string })[];

  async function start(options: BankSetup['options'] = {}): Promise<void> {
    hasher = new StoppedHasher(4);
    answers = [];
    const backend = await openBackend('memory');
    const passwords = { useValue: hasher };
    bank = await startBank({ adapter, backend, trustProxy: true, options: { passwords, ...options } });
  }

  /** Wrong passwords of one address, all at the same time. The password says where it comes from. */
  function guess(address: string, times = 1, name = 'alice'): void {
    for (let i = 0; i < times; i += 1) {
      const body = { email: `${name}@example.com`, password: address };
      const sent = bank.client().post('/auth/login', body, { headers: { 'x-forwarded-for': address } });
      void sent.then((answer) => answers.push({ ...answer, from: address }));
    }
  }

  const answered = (status: number): (Answer & { readonly from: string })[] =>
    answers.filter((answer) => answer.status === status);

  afterEach(() => bank.close());

  it('are 64 of one address at most by default: beyond that it is refused at once, and nobody else', async () => {
    await start({ loginThrottle: { client: { failures: 1000 }, account: { failures: 1000 } } });
    // four are checked at a time
    guess('192.0.2.1', 4 + 64 + 5);
    await until(() => answered(429).length === 5);
    expect(answered(429)[0]!.json).toMatchObject({ code: 'too_many_attempts' });
    for (const { headers } of answers) expect(Number(headers['retry-after'])).toBeGreaterThan(0);
    expect(bank.events.at(-1)).toMatchObject({
      type: 'login.throttled',
      scope: 'waiting',
      client: { ip: '192.0.2.1' },
    });
    const other = bank.client().tryLogin('bob', { headers: { 'x-forwarded-for': '192.0.2.2' } });
    hasher.open();
    expect((await other).status).toBe(200);
    await until(() => answers.length === 73);
    expect([answered(429).length, answered(401).length]).toEqual([5, 68]);
  });

  it('are checked in turns of the addresses: a burst of one never stands before a single one of another', async () => {
    await start();
    const users = bank.app.get(BankUsersService);
    const find = users.findByEmail.bind(users);
    let lookUps = 0;
    users.findByEmail = (email) => {
      lookUps += 1;
      return find(email);
    };
    guess('192.0.2.1', 4 + 20);
    await until(() => lookUps === 24);
    guess('192.0.2.2');
    await until(() => lookUps === 25);
    for (let passed = 1; passed <= 2; passed += 1) {
      hasher.next();
      await until(() => hasher.started.length === 4 + passed);
    }
    expect(hasher.started.slice(4)).toEqual(['192.0.2.1', '192.0.2.2']);
    hasher.open();
    await until(() => answers.length === 25);
  });

  it('are bounded in total, and the address with the most of them gives way', async () => {
    await start({ passwordQueue: { perAddress: 8, total: 10 } });
    guess('192.0.2.1', 4 + 8 + 1);
    await until(() => answered(429).length === 1);
    for (const host of [2, 3, 4, 5]) guess(`192.0.2.${host}`);
    await until(() => answered(503).length === 2);
    for (const { json, headers, from } of answered(503)) {
      expect(json).toMatchObject({ code: 'server_busy' });
      expect(Number(headers['retry-after'])).toBeGreaterThan(0);
      expect(from).toBe('192.0.2.1');
    }
    hasher.open();
    await until(() => answers.length === 17);
    expect(answers.filter(({ from, status }) => from !== '192.0.2.1' && status === 401)).toHaveLength(4);
  });

  it('are bounded without a throttle, too, and at re-authentication', async () => {
    await start({ loginThrottle: false, passwordQueue: { perAddress: 2, total: 2 } });
    const client = bank.client();
    const login = client.login('alice', { headers: { 'x-forwarded-for': '192.0.2.1' } });
    await until(() => hasher.started.length === 1);
    hasher.next();
    await login;
    guess('192.0.2.1', 4 + 2 + 1);
    await until(() => answered(429).length === 1);
    const again = await client.post(
      '/auth/reauthenticate',
      { password: 'x' },
      { headers: { 'x-forwarded-for': '192.0.2.1' } },
    );
    expect([again.status, again.headers['retry-after']]).toEqual([429, '5']);
    hasher.open();
    await until(() => answers.length === 7);
  });
});
