import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { SESSION_COOKIE } from '../support/bank-client.js';
import { SERVERS, startBank, type Bank } from '../support/bank.js';
import { forgeries } from '../support/forged-cookies.js';
import { watchedBackend, type WatchedBackend } from '../support/watched-store.js';

describe.each(SERVERS)('guessing of session cookies on %s', (adapter) => {
  let backend: WatchedBackend;
  let bank: Bank;
  let genuine: string;

  beforeAll(async () => {
    backend = watchedBackend();
    bank = await startBank({ adapter, backend, trustProxy: true });
    const guesser = bank.client();
    guesser.headers['user-agent'] = 'guesser/1.0';
    await guesser.login('bob');
    genuine = guesser.sealed;
  });

  beforeEach(() => {
    backend.calls.length = 0;
    bank.events.length = 0;
  });

  afterAll(() => bank.close());

  const madeUp = (): string => forgeries(genuine, 1)[0]!;
  const guess = async (cookie: string, ip: string): Promise<number> => {
    const headers = { 'x-forwarded-for': ip, 'user-agent': 'guesser/1.0' };
    return (await bank.client().get('/api/me', { cookie: `${SESSION_COOKIE}=${cookie}`, headers })).status;
  };

  it('is reported once, after a hundred different ones from one address, and does not use the store', async () => {
    for (let count = 0; count < 99; count += 1) expect(await guess(madeUp(), '203.0.113.1')).toBe(401);
    expect(bank.events).toEqual([]);
    for (let count = 0; count < 20; count += 1) await guess(madeUp(), '203.0.113.1');
    expect(bank.events).toEqual([
      {
        type: 'session.guessing_suspected',
        realm: 'default',
        at: expect.any(Date),
        refused: 100,
        client: { ip: '203.0.113.1', userAgent: 'guesser/1.0' },
      },
    ]);
    expect(backend.calls).toEqual([]);
    // the one that they were made from costs a call
    expect(await guess(genuine, '203.0.113.1')).toBe(200);
    expect(backend.calls).toEqual(['find']);
  });

  it('does not count a browser with a dead cookie, or a client without a cookie', async () => {
    const dead = madeUp();
    for (let count = 0; count < 110; count += 1) await guess(dead, '203.0.113.2');
    for (let count = 0; count < 110; count += 1) {
      await bank.client().get('/api/me', { cookie: `other=${count}`, headers: { 'x-forwarded-for': '203.0.113.2' } });
    }
    expect(bank.events).toEqual([]);
  });
});
