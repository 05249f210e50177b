import { afterEach, describe, expect, it } from '@jest/globals';
import { CsrfProtected, type SessionAuthOptions } from 'nestjs-session-auth';
import type { BankClient } from '../support/bank-client.js';
import { SERVERS, TEST_SECRETS, type Bank } from '../support/bank.js';
import { startCsrfBank } from '../support/csrf-bank.js';

describe.each(SERVERS)('CSRF options on %s', (adapter) => {
  let bank: Bank;

  const open = async (options: Partial<SessionAuthOptions>): Promise<BankClient> => {
    bank = await startCsrfBank(adapter, options);
    return bank.client();
  };

  afterEach(() => bank.close());

  it('publicOrigin is believed, and not Host', async () => {
    const alice = await open({ csrf: { publicOrigin: ['https://bank.example', 'https://www.bank.example'] } });
    await alice.login('alice');
    const transfer = async (headers: Record<string, string>): Promise<number> =>
      (await alice.post('/api/transfer', { to: 'bob', amount: 1 }, { headers })).status;
    expect(await transfer({ origin: 'https://bank.example' })).toBe(201);
    expect(await transfer({ origin: 'https://www.bank.example' })).toBe(201);
    expect(await transfer({ origin: 'https://evil.example', host: 'evil.example' })).toBe(403);
    expect(await transfer({ origin: 'http://evil.example', host: 'evil.example' })).toBe(403);
    expect(await transfer({ origin: 'https://evil.example', 'x-forwarded-host': 'evil.example' })).toBe(403);
    expect(await transfer({ origin: `http://127.0.0.1:${bank.port}` })).toBe(403);
  });

  it('trustedOrigins are trusted, scheme and port and all, and need a token', async () => {
    const trustedOrigins = ['https://shop.example', 'https://*.pay.example:8443'];
    const alice = await open({ csrf: { trustedOrigins } });
    await alice.login('alice');
    const transfer = async (origin: string, site = 'cross-site', csrf?: false): Promise<number> => {
      const headers = { origin, 'sec-fetch-site': site };
      return (await alice.post('/api/transfer', { to: 'bob', amount: 1 }, { headers, csrf })).status;
    };
    for (const origin of ['https://shop.example', 'https://a.pay.example:8443', 'https://a.b.pay.example:8443']) {
      for (const site of ['cross-site', 'same-site', 'odd']) expect(await transfer(origin, site)).toBe(201);
      expect(await transfer(origin, 'cross-site', false)).toBe(403);
    }
    for (const origin of [
      'http://shop.example',
      'https://www.shop.example',
      'https://shop.example:8443',
      'https://pay.example:8443',
      'https://a.pay.example',
      'http://a.pay.example:8443',
      'https://evilpay.example:8443',
      'https://a.pay.example.evil.example:8443',
    ]) {
      expect(await transfer(origin)).toBe(403);
    }
  });

  it('global protects every handler that is not exempt; names and verbs are the application’s', async () => {
    const csrf = { global: true, header: 'X-Bank-Token', field: 'bank_token', methods: ['POST'] };
    const alice = await open({ csrf });
    const { json } = await alice.get('/auth/csrf');
    expect(json).toMatchObject({ headerName: 'x-bank-token', fieldName: 'bank_token' });
    const post = async (headers: Record<string, string>, body?: unknown): Promise<number> =>
      (await alice.post('/verbs/open', body, { csrf: false, headers })).status;
    const { csrfToken } = json as { csrfToken: string };
    expect(await post({})).toBe(403);
    expect(await post({ 'x-csrf-token': csrfToken })).toBe(403);
    expect(await post({ 'x-bank-token': csrfToken })).toBe(201);
    expect(await post({}, { bank_token: csrfToken })).toBe(201);
    expect((await alice.post('/walled/out', undefined, { csrf: false })).status).toBe(201);
    expect((await alice.ask('DELETE', '/verbs/any', { csrf: false })).status).toBe(200);
    expect((await alice.ask('DELETE', '/verbs/deletes', { csrf: false })).status).toBe(403);
  });

  it('a token and a pre-session cookie of an old key are good, and re-sealed', async () => {
    const visitor = await open({});
    const csrf = await visitor.csrfToken();
    await bank.close();
    const { port } = (bank = await startCsrfBank(
      adapter,
      {},
      { secrets: ['a newer secret, 32 bytes or more of it', ...TEST_SECRETS] },
    ));
    visitor.port = port;
    expect((await visitor.post('/verbs/any', {}, { csrf })).status).toBe(200);
    const again = await visitor.get('/auth/csrf');
    expect(again.setCookies).toHaveLength(1);
    expect((await visitor.post('/verbs/any', {}, { csrf })).status).toBe(200);
    await bank.close();
    bank = await startCsrfBank(adapter, {}, { secrets: ['a newer secret, 32 bytes or more of it'] });
    visitor.port = bank.port;
    expect((await visitor.post('/verbs/any', {}, { csrf })).status).toBe(403);
    expect((await visitor.post('/verbs/any', {}, {})).status).toBe(200);
  });

  it('a pre-session ends with the absolute lifetime', async () => {
    const visitor = await open({});
    const csrf = await visitor.csrfToken();
    bank.clock.advance(24 * 3_600_000 - 1000);
    expect((await visitor.post('/verbs/any', {}, { csrf })).status).toBe(200);
    bank.clock.advance(1000);
    expect((await visitor.post('/verbs/any', {}, { csrf })).status).toBe(403);
  });

  it('a token of before an interval’s rotation works for the request that brings it about', async () => {
    const alice = await open({ lifetime: { rotateEvery: '5m' } });
    await alice.login('alice');
    const { cookie } = alice;
    const csrf = await alice.csrfToken();
    bank.clock.advance(5 * 60_000);
    const answer = await alice.post('/api/transfer', { to: 'bob', amount: 1 }, { csrf });
    expect(answer.status).toBe(201);
    expect(answer.setCookies).toHaveLength(1);
    // a parallel request with the old cookie, in its grace
    expect((await alice.post('/api/transfer', { to: 'bob', amount: 1 }, { csrf, cookie })).status).toBe(201);
    expect((await alice.post('/api/transfer', { to: 'bob', amount: 1 }, { csrf })).status).toBe(403);
  });
});

describe('CSRF options', () => {
  it.each<[SessionAuthOptions['csrf'], RegExp]>([
    [{ methods: ['post'] }, /csrf\.methods: .*allowed is an array of HTTP verbs in capitals/],
    [{ methods: [] }, /csrf\.methods/],
    [{ header: 'x csrf' }, /csrf\.header: given 'x csrf'; allowed is the name of an HTTP header/],
    [{ field: '' }, /csrf\.field/],
    [{ trustedOrigins: ['https://shop.example/path'] }, /csrf\.trustedOrigins: given 'https:\/\/shop\.example\/path'/],
    [{ trustedOrigins: ['*'] }, /csrf\.trustedOrigins: given '\*'/],
    [{ trustedOrigins: ['null'] }, /csrf\.trustedOrigins/],
    [{ trustedOrigins: 'https://shop.example' as never }, /csrf\.trustedOrigins: .*an array/],
    [{ publicOrigin: '*.bank.example' }, /csrf\.publicOrigin: given '\*\.bank\.example'/],
    [{ publicOrigin: [] }, /csrf\.publicOrigin/],
    [{ publicOrigin: 1 as never }, /csrf\.publicOrigin: given number/],
    [{ global: 'yes' as never }, /csrf\.global/],
    [{ origins: [] } as never, /csrf\.origins: given an unknown option/],
  ])('%p do not boot', async (csrf, message) => {
    await expect(startCsrfBank('express', { csrf })).rejects.toThrow(message);
  });

  it('an invalid verb is refused at the decorator', () => {
    expect(() => CsrfProtected({ methods: ['post'] })).toThrow(/@CsrfProtected: methods: given "post"/);
  });
});
