import { afterEach, describe, expect, it } from '@jest/globals';
import { REMEMBER_COOKIE } from '../support/bank-client.js';
import { ADAPTERS, startBank, type Bank } from '../support/bank.js';
import { watchedBackend } from '../support/watched-store.js';

const FORGED = {
  'x-forwarded-for': '203.0.113.9',
  'x-forwarded-proto': 'https',
  'x-forwarded-host': 'evil.example',
  'x-forwarded-port': '443',
  'x-real-ip': '203.0.113.9',
  'x-client-ip': '203.0.113.9',
  'cf-connecting-ip': '203.0.113.9',
  'true-client-ip': '203.0.113.9',
  forwarded: 'for=203.0.113.9;proto=https;host=evil.example',
};

describe.each(ADAPTERS)('headers of a proxy on %s', (adapter) => {
  let bank: Bank;

  afterEach(() => bank.close());

  const start = async (trustProxy: boolean): Promise<Bank> =>
    (bank = await startBank({ adapter, backend: watchedBackend(), trustProxy }));

  const addresses = (): (string | undefined)[] =>
    bank.events.flatMap((event) => ('client' in event && event.client ? [event.client.ip] : []));

  it('that a client made up change nothing: not its address, not our own origin', async () => {
    await start(false);
    const alice = bank.client();
    const { ip } = (await alice.login('alice', { headers: FORGED })) as unknown as { ip: string };
    expect(ip).toBe('127.0.0.1');
    const host = `127.0.0.1:${bank.port}`;
    const transfer = async (headers: Record<string, string>): Promise<number> =>
      (await alice.post('/api/transfer', { to: 'bob', amount: 1 }, { headers })).status;
    expect(await transfer({ ...FORGED, origin: `http://${host}` })).toBe(201);
    expect(await transfer({ ...FORGED, origin: `https://${host}` })).toBe(403);
    for (const origin of ['https://evil.example', 'http://evil.example', 'https://evil.example:443']) {
      expect(await transfer({ ...FORGED, origin })).toBe(403);
    }
    expect(new Set(addresses())).toEqual(new Set(['127.0.0.1']));
  });

  it('count where the proxy is trusted: for the address and the scheme, never for the host', async () => {
    await start(true);
    const alice = bank.client();
    const { ip } = (await alice.login('alice', { headers: { ...FORGED } })) as unknown as { ip: string };
    expect(ip).toBe('203.0.113.9');
    const host = `127.0.0.1:${bank.port}`;
    const transfer = async (headers: Record<string, string>): Promise<number> =>
      (await alice.post('/api/transfer', { to: 'bob', amount: 1 }, { headers })).status;
    expect(await transfer({ ...FORGED, origin: `https://${host}` })).toBe(201);
    expect(await transfer({ ...FORGED, origin: `http://${host}` })).toBe(403);
    expect(await transfer({ ...FORGED, origin: 'https://evil.example' })).toBe(403);
    expect(addresses()).toContain('203.0.113.9');
  });

  it('with nonsense in them break nothing, trusted or not', async () => {
    const nonsense = [
      '',
      ',',
      'unknown',
      '::1, 203.0.113.9',
      "'; DROP TABLE sessions; --",
      'a'.repeat(5000),
      '%0d%0aX: y',
    ];
    for (const trusted of [false, true]) {
      await start(trusted);
      for (const text of nonsense) {
        const alice = bank.client();
        const headers = { 'x-forwarded-for': text, 'x-forwarded-proto': text, 'x-forwarded-host': text };
        expect((await alice.tryLogin('alice', { headers })).status).toBe(200);
        expect((await alice.get('/api/me', { headers })).status).toBe(200);
        expect((await alice.get('/auth/sessions', { headers })).status).toBe(200);
        const answer = await alice.post('/api/transfer', {}, { headers: { ...headers, origin: text } });
        expect(answer.status).toBe(403);
      }
      await bank.close();
    }
    await start(false);
  });

  it('a remembered device that signs in tells its own address, not one it made up', async () => {
    await start(false);
    const alice = bank.client();
    await alice.login('alice', { rememberMe: true });
    alice.restart();
    expect(alice.cookies.has(REMEMBER_COOKIE)).toBe(true);
    const session = (await alice.get('/auth/session', { headers: FORGED })).json;
    expect(session).toMatchObject({ authentication: 'remember-me', ip: '127.0.0.1' });
  });
});
