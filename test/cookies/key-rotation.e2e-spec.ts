import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { SERVERS, openBackend, startBank, type Backend, type Bank } from '../support/bank.js';

const OLD = 'the secret of last year, quite long enough';
const NEW = 'the secret of this year, quite long enough';

describe.each(SERVERS)('key rotation on %s', (adapter) => {
  let backend: Backend;
  const banks: Bank[] = [];

  const start = async (...secrets: string[]): Promise<Bank> => {
    const bank = await startBank({ adapter, backend, secrets });
    banks.push(bank);
    return bank;
  };

  beforeEach(async () => (backend = await openBackend('memory')));

  afterEach(async () => {
    for (const bank of banks.splice(0)) await bank.close();
    await backend.close();
  });

  it('keeps users signed in, re-seals their cookies under the new key, and lets the old key go', async () => {
    const before = await start(OLD);
    const alice = before.client();
    await alice.login('alice');
    const sealedByOld = alice.cookie;

    alice.port = (await start(NEW, OLD)).port;
    const resealed = await alice.get('/api/me');
    expect(resealed.status).toBe(200);
    expect(resealed.setCookies).toHaveLength(1);
    expect(resealed.headers['cache-control']).toBe('no-store');
    expect(alice.cookie).not.toBe(sealedByOld);
    expect((await alice.get('/api/me')).setCookies).toEqual([]);

    alice.port = (await start(NEW)).port;
    expect(await alice.isSignedIn()).toBe(true);
    expect(await alice.isSignedIn({ cookie: sealedByOld })).toBe(false);
  });

  it('signs everybody out at once when all secrets are new, remembered devices too', async () => {
    const before = await start(OLD);
    const customers = ['alice', 'bob', 'admin'].map((name) => ({ name, client: before.client() }));
    for (const { name, client } of customers) await client.login(name, { rememberMe: true });
    const { port } = await start(NEW);
    for (const { name, client } of customers) {
      const { cookie } = client;
      client.port = port;
      expect(await client.isSignedIn({ cookie })).toBe(false);
      // the login page works for them as for anybody
      await client.login(name);
      expect(await client.isSignedIn()).toBe(true);
      expect(await client.isSignedIn({ cookie })).toBe(false);
    }
  });

  it('does not re-seal for a session that is over', async () => {
    const before = await start(OLD);
    const alice = before.client();
    await alice.login('alice');
    const stolen = alice.cookie;
    await alice.post('/auth/logout');
    const after = await start(NEW, OLD);
    const answer = await after.client().get('/api/me', { cookie: stolen });
    expect([answer.status, answer.setCookies]).toEqual([401, []]);
  });
});
