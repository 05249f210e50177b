import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { BankClient } from '../support/bank-client.js';
import { EVERYWHERE, openBackend, startBank, type Backend, type Bank } from '../support/bank.js';

const HOME = { 'x-forwarded-for': '192.0.2.1', 'user-agent': 'curl/8.5.0' };
const ABROAD = { 'x-forwarded-for': '2001:db8::7', 'user-agent': 'Wget/1.21 "beta" \\' };

describe.each(EVERYWHERE)('where a session was last seen, on $adapter with $store', ({ adapter, store }) => {
  let backend: Backend;
  let bank: Bank;
  let phone: BankClient;
  let desk: BankClient;

  beforeEach(async () => {
    backend = await openBackend(store);
    bank = await startBank({ adapter, backend, trustProxy: true, options: { fingerprint: false } });
    [phone, desk] = [bank.client(), bank.client()];
    Object.assign(phone.headers, HOME);
    await phone.login('alice');
    await desk.login('alice');
  });

  afterEach(async () => {
    await bank.close();
    await backend.close();
  });

  const phoneAsSeen = async (): Promise<unknown> => {
    const { json } = await desk.get('/auth/sessions');
    const [seen] = (json as { current: boolean; ip?: string; device: string }[]).filter(({ current }) => !current);
    return { ip: seen!.ip, device: seen!.device };
  };

  it('is in the list: address and device of the last request, to the precision of a touch', async () => {
    expect(await phoneAsSeen()).toEqual({ ip: '192.0.2.1', device: 'curl' });
    Object.assign(phone.headers, ABROAD);
    bank.clock.advance(59_000);
    expect((await phone.get('/api/me')).status).toBe(200);
    expect(await phoneAsSeen()).toEqual({ ip: '192.0.2.1', device: 'curl' });
    bank.clock.advance(1_000);
    expect((await phone.get('/api/me')).status).toBe(200);
    expect(await phoneAsSeen()).toEqual({ ip: '2001:db8::7', device: 'Wget' });
    const { json } = await phone.get('/auth/session');
    expect(json).toMatchObject({ ip: '2001:db8::7', userAgent: ABROAD['user-agent'] });
    // at home again, and the session is the same
    Object.assign(phone.headers, HOME);
    bank.clock.advance(60_000);
    expect(await phone.isSignedIn()).toBe(true);
    expect(await phoneAsSeen()).toEqual({ ip: '192.0.2.1', device: 'curl' });
  });

  it('leaves the address of the login in the event', async () => {
    Object.assign(phone.headers, ABROAD);
    bank.clock.advance(60_000);
    await phone.get('/api/me');
    const [created] = bank.events.filter(({ type }) => type === 'session.created');
    expect(created).toMatchObject({ client: { ip: '192.0.2.1', userAgent: 'curl/8.5.0' } });
  });
});
