import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { BankClient } from '../support/bank-client.js';
import { EVERYWHERE, openBackend, startBank, type Backend, type Bank } from '../support/bank.js';
import {
  BANK_COOKIES,
  enterOffice,
  formToken,
  isInOffice,
  OFFICE_COOKIES,
  sendForm,
  tryOffice,
} from '../support/office.js';

const MINUTE = 60_000;
const CUSTOMERS = '/office/api/customers';

describe.each(EVERYWHERE)('the back office on $adapter with $store', ({ adapter, store }) => {
  let backend: Backend;
  let bank: Bank;
  let client: BankClient;

  beforeEach(async () => {
    backend = await openBackend(store);
    bank = await startBank({ adapter, backend, office: true });
    client = bank.client();
  });
  afterEach(async () => {
    await bank.close();
    await backend.close();
  });

  const cookiesOf = (names: readonly string[]): [string, string][] =>
    [...client.cookies].filter(([name]) => names.includes(name));

  it('is closed to strangers and to customers, and the bank is closed to staff', async () => {
    const closed = { status: 401, json: { code: 'session_required', realm: 'office' } };
    expect(await client.get(CUSTOMERS)).toMatchObject(closed);
    await client.login('admin', { rememberMe: true });
    expect(await client.get(CUSTOMERS)).toMatchObject(closed);
    expect(await client.get('/office')).toMatchObject({
      status: 303,
      headers: { location: '/office/login?next=%2Foffice' },
    });
    const staff = bank.client();
    await enterOffice(staff);
    expect(await staff.get('/api/me')).toMatchObject({
      status: 401,
      json: { code: 'session_required', realm: 'default' },
    });
    expect((await staff.get('/account')).headers.location).toBe('/login?next=%2Faccount');
  });

  it('knows staff only, and the bank knows customers only', async () => {
    expect((await tryOffice(client, 'alice@example.com', 'alice-demo-password')).status).toBe(401);
    const staff = { email: 'olga@office.example.com', password: 'olga-demo-password' };
    expect(await client.post('/auth/login', staff)).toMatchObject({
      status: 401,
      json: { code: 'invalid_credentials', realm: 'default' },
    });
    const { csrfToken } = (await client.get('/office/auth/csrf')).json as { csrfToken: string };
    expect(await client.post('/office/auth/login', staff, { csrf: csrfToken })).toMatchObject({
      status: 200,
      json: { user: { id: 'olga', roles: ['clerk'] }, session: { realm: 'office' } },
    });
    expect(await isInOffice(client)).toBe(true);
    expect(await client.isSignedIn()).toBe(false);
  });

  it('lists the customers, with where they are signed in and without their secrets', async () => {
    for (let i = 0; i < 2; i += 1) await bank.client().login('bob');
    await enterOffice(client);
    const { json } = await client.get(CUSTOMERS);
    expect(json).toEqual([
      { id: 'alice', name: 'Alice', email: 'alice@example.com', disabled: false, sessions: 0 },
      { id: 'bob', name: 'Bob', email: 'bob@example.com', disabled: false, sessions: 2 },
    ]);
    const { status, headers, text } = await client.get('/office');
    expect([status, headers['content-type']]).toEqual([200, 'text/html; charset=utf-8']);
    expect(text.replace(/<[^>]*>|\s+/g, ' ').replace(/ +/g, ' ')).toMatch(
      /Hello Olga.*Bob bob@example.com open 2 devices.*This device/,
    );
  });

  it('ends the first session of a member of staff at the second sign-in, says why, and no other', async () => {
    const [second, oscar] = [bank.client(), bank.client()];
    await client.login('alice');
    await enterOffice(client);
    await enterOffice(oscar, 'oscar');
    await enterOffice(second);
    expect([await isInOffice(client), await isInOffice(second), await isInOffice(oscar)]).toEqual([false, true, true]);
    expect((await client.get('/office/login')).text).toContain(
      'You were signed out here because you signed in on more',
    );
    expect(await client.isSignedIn()).toBe(true);
  });

  it('keeps its own session when the customer signs out, with data and tokens', async () => {
    await client.login('alice', { rememberMe: true });
    await enterOffice(client);
    const token = await formToken(client, '/office');
    await sendForm(client, '/office/note', token, { note: 'ask Bob for his <new> address' });
    const kept = cookiesOf(OFFICE_COOKIES);
    expect(kept.map(([name]) => name)).toEqual(['__Host-office-session', '__Host-office-session-device']);

    const { setCookies, headers } = await sendForm(client, '/logout', await formToken(client, '/account'));
    expect(headers['clear-site-data']).toBeUndefined();
    for (const name of ['__Host-session', '__Host-session-remember', '__Host-session-device']) {
      expect(setCookies).toContainEqual(expect.stringMatching(new RegExp(`^${name}=; Max-Age=0; Path=/;`)));
    }
    expect([cookiesOf(BANK_COOKIES), cookiesOf(OFFICE_COOKIES)]).toEqual([[], kept]);
    expect(await client.isSignedIn()).toBe(false);
    expect((await client.get('/office')).text).toContain('value="ask Bob for his &lt;new&gt; address"');
    expect(await sendForm(client, '/office/note', token, { note: 'done' })).toMatchObject({
      status: 303,
      headers: { location: '/office' },
    });
    expect((await client.get('/office')).text).toContain('value="done"');
  });

  it('leaves the session of a customer when its own ends, with data and tokens', async () => {
    await client.login('alice', { rememberMe: true });
    await client.ask('PATCH', '/api/preferences', { body: { theme: 'dark' } });
    const [form, json] = [await formToken(client, '/account'), await client.csrfToken()];
    await enterOffice(client);
    const kept = cookiesOf(BANK_COOKIES);
    expect(kept).toHaveLength(3);

    const out = await sendForm(client, '/office/logout', await formToken(client, '/office'));
    expect([out.headers.location, out.headers['clear-site-data']]).toEqual(['/office/login?because=logout', undefined]);
    expect([cookiesOf(OFFICE_COOKIES), cookiesOf(BANK_COOKIES)]).toEqual([[], kept]);
    expect((await client.get('/office/login?because=logout')).text).toContain('You are signed out.');
    expect(await isInOffice(client)).toBe(false);
    expect((await client.get('/api/preferences')).json).toEqual({ theme: 'dark' });
    expect((await client.post('/api/transfer', { to: 'bob', amount: 1 }, { csrf: json })).status).toBe(201);
    const transfer = await sendForm(client, '/account/transfer', form, { to: 'bob', amount: '1' });
    expect([transfer.status, transfer.headers.location]).toEqual([303, '/account']);
  });

  it('takes no form with a token of the bank, and the bank takes none of its tokens', async () => {
    await client.login('alice');
    await enterOffice(client);
    const [bankToken, officeToken] = [await formToken(client, '/account'), await formToken(client, '/office')];
    const refused = await sendForm(client, '/office/note', bankToken, { note: 'forged' });
    expect(refused).toMatchObject({
      status: 403,
      text: expect.stringContaining('href="/office">Go to the back office'),
    });
    expect((await sendForm(client, '/account/transfer', officeToken, { to: 'bob', amount: '1' })).status).toBe(403);
    expect((await client.get('/office')).text).not.toContain('forged');
    expect((await client.get('/account')).text).toContain('Nothing yet.');
  });

  it('keeps no note that is empty or too long, and says so', async () => {
    await enterOffice(client);
    const token = await formToken(client, '/office');
    for (const note of ['', ' ', 'x'.repeat(201)]) {
      const { status, text } = await sendForm(client, '/office/note', token, { note });
      expect(status).toBe(422);
      expect(text).toContain('A note takes 1 to 200 characters.');
    }
    expect((await sendForm(client, '/office/note', token, { note: 'x'.repeat(200) })).status).toBe(303);
  });

  it('signs staff out after a quarter of an hour without a request, and customers after an hour', async () => {
    await client.login('alice');
    await enterOffice(client);
    bank.clock.advance(14 * MINUTE);
    expect(await isInOffice(client)).toBe(true);
    bank.clock.advance(16 * MINUTE);
    expect(await isInOffice(client)).toBe(false);
    expect((await client.get('/office/login')).text).toContain('Your session has expired.');
    expect(await client.isSignedIn()).toBe(true);
    bank.clock.advance(61 * MINUTE);
    expect(await client.isSignedIn()).toBe(false);
  });

  it('signs staff out after eight hours of work, and not the customer', async () => {
    await client.login('alice');
    await enterOffice(client);
    for (let minutes = 14; minutes < 8 * 60; minutes += 14) {
      bank.clock.advance(14 * MINUTE);
      expect([minutes, await isInOffice(client), await client.isSignedIn()]).toEqual([minutes, true, true]);
    }
    bank.clock.advance(5 * MINUTE);
    expect([await isInOffice(client), await client.isSignedIn()]).toEqual([false, true]);
  });
});
