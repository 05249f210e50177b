import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { AxiosError, type AxiosInstance } from 'axios';
import { createSessionClient, type SessionClient } from 'nestjs-session-auth/client';
import { axiosOf } from '../../examples/client-axios/api.js';
import { ADAPTERS, openBackend, startBank, type Bank } from '../support/bank.js';
import { fetchAsPage } from '../support/page-fetch.js';

const MINUTE = 60_000;
const ALICE = { email: 'alice@example.com', password: 'alice-demo-password' };

describe.each(ADAPTERS)('axios with the client on %s', (adapter) => {
  let bank: Bank;
  let restore: () => void;
  let heard: string[];
  let session: SessionClient;
  let api: AxiosInstance;

  beforeEach(async () => {
    bank = await startBank({
      adapter,
      backend: await openBackend('memory'),
      options: { lifetime: { rotateEvery: '15m' } },
    });
    const address = `http://127.0.0.1:${bank.port}`;
    restore = fetchAsPage(address);
    heard = [];
    session = createSessionClient({
      path: `${address}/auth`,
      on: {
        sessionRequired: () => heard.push('sessionRequired'),
        recentAuthenticationRequired: async () => {
          heard.push('recentAuthenticationRequired');
          await session.reauthenticate(ALICE);
          return true;
        },
      },
    });
    api = axiosOf(session, address);
  });
  afterEach(async () => {
    restore();
    await bank.close();
  });

  const statusOf = (asked: Promise<{ status: number }>): Promise<number | undefined> =>
    asked.then(
      ({ status }) => status,
      (error: unknown) => (error as AxiosError).response?.status,
    );

  it('sends the token, and a new one after a rotation', async () => {
    await session.login(ALICE);
    const transfer = (): Promise<{ data: unknown }> => api.post('/api/transfer', { to: 'bob', amount: 1 });
    expect((await transfer()).data).toEqual({ status: 'success' });
    bank.clock.advance(16 * MINUTE);
    expect((await api.get('/api/me')).data).toMatchObject({ userId: 'alice' });
    expect((await transfer()).data).toEqual({ status: 'success' });
    expect((await api.patch<object>('/api/preferences', { theme: 'dark' })).data).toEqual({ theme: 'dark' });
  });

  it('steps up, and tells the end of the session once', async () => {
    await session.login(ALICE);
    bank.clock.advance(11 * MINUTE);
    expect(await statusOf(api.post('/api/settings/email', { email: ALICE.email }))).toBe(200);
    bank.clock.advance(61 * MINUTE);
    expect(await Promise.all([statusOf(api.get('/api/me')), statusOf(api.get('/api/me'))])).toEqual([401, 401]);
    expect(heard).toEqual(['recentAuthenticationRequired', 'sessionRequired']);
  });
});
