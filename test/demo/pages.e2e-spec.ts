import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Get } from '@nestjs/common';
import { MemorySessionStore } from 'nestjs-session-auth';
import { PageController } from '../../src/pages/page.controller.js';
import { PagesModule } from '../../src/pages/pages.module.js';
import { type Answer, type BankClient } from '../support/bank-client.js';
import { ADAPTERS, EVERYWHERE, openBackend, startBank, type Backend, type Bank } from '../support/bank.js';

const PAGES = ['/account', '/devices', '/password', '/confirm', '/outbox', '/admin', '/admin/users/alice'];

/** Sends a form of a page as browsers do, with the token that stands in the page. */
async function sendForm(
  client: BankClient,
  page: string,
  action: string,
  fields: Record<string, string>,
): Promise<Answer> {
  const { text } = await client.get(page);
  const token = /name="csrf_token" value="([^"]+)"/.exec(text)?.[1] ?? '';
  return client.post(action, new URLSearchParams({ csrf_token: token, ...fields }).toString(), {
    csrf: false,
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
  });
}

describe.each(EVERYWHERE)('the pages on $adapter with $store', ({ adapter, store }) => {
  let backend: Backend;
  let bank: Bank;

  beforeEach(async () => {
    backend = await openBackend(store);
    bank = await startBank({ adapter, backend });
  });
  afterEach(async () => {
    await bank.close();
    await backend.close();
  });

  it('take urlencoded forms, and answer them with the next page', async () => {
    const client = bank.client();
    const fields = { email: 'admin@example.com', password: 'admin-demo-password', next: '/devices' };
    expect(await sendForm(client, '/login', '/login', fields)).toMatchObject({
      status: 303,
      headers: { location: '/devices' },
    });
    for (const page of PAGES) {
      const { status, headers, text } = await client.get(page);
      expect({ page, status, type: headers['content-type'] }).toEqual({
        page,
        status: 200,
        type: 'text/html; charset=utf-8',
      });
      expect(text).toMatch(/^<!doctype html>.*<\/html>$/s);
    }
    const sent = await sendForm(client, '/account', '/account/transfer', { to: 'bob', amount: '12.34' });
    expect(sent).toMatchObject({ status: 303, headers: { location: '/account' } });
    expect((await client.get('/account')).text).toContain('€12.34 is on its way to bob.');
    expect(await sendForm(client, '/account', '/logout', {})).toMatchObject({
      status: 303,
      headers: { location: '/login?because=logout' },
    });
    expect(await client.isSignedIn()).toBe(false);
  });
});

class FailingStore extends MemorySessionStore {
  override find(): Promise<never> {
    return Promise.reject(new Error('down'));
  }
}

@PageController('broken')
class BrokenController {
  @Get()
  broken(): never {
    throw new Error('a defect with <details>');
  }
}

describe.each(ADAPTERS)('the pages on %s', (adapter) => {
  let bank: Bank;
  let client: BankClient;

  beforeEach(async () => {
    bank = await startBank({
      adapter,
      backend: await openBackend('memory'),
      module: { imports: [PagesModule], controllers: [BrokenController] },
    });
    client = bank.client();
  });
  afterEach(() => bank.close());

  it('run no script but files of their own, load nothing from elsewhere, and are neither framed nor stored', async () => {
    await client.login('alice');
    for (const page of ['/', '/login', '/account', '/admin', '/broken']) {
      const { headers, text } = await client.get(page);
      expect(headers['content-security-policy']).toBe(
        "default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'self'; img-src 'self'; " +
          "form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
      );
      expect(headers).toMatchObject({
        'cache-control': 'no-store',
        'x-content-type-options': 'nosniff',
        'referrer-policy': 'same-origin',
      });
      const ownFile = /<script src="\/assets\/account-[0-9a-f]{12}\.js" defer><\/script>/;
      expect(text.replace(ownFile, '')).not.toMatch(/<script|<style| style=| on\w+=/);
    }
  });

  it('lead strangers to the sign-in form, and from there to where they wanted', async () => {
    for (const page of PAGES) {
      const { status, headers } = await client.get(page);
      expect({ page, status, to: headers.location }).toEqual({
        page,
        status: 303,
        to: `/login?next=${encodeURIComponent(page)}`,
      });
    }
    expect((await client.get('/login?next=%2Fdevices')).text).toContain('name="next" value="/devices"');
  });

  it.each([
    '//evil.example',
    '/\\evil.example',
    'https://evil.example',
    '/%2Fevil',
    'javascript:alert(1)',
    '/a?b=c',
    '',
  ])('lead nobody to %s', async (next) => {
    const fields = { email: 'alice@example.com', password: 'alice-demo-password', next };
    expect((await sendForm(client, '/login', '/login', fields)).headers.location).toBe('/account');
    const again = await client.get(`/login?next=${encodeURIComponent(next)}`);
    expect(again).toMatchObject({ status: 303, headers: { location: '/account' } });
  });

  it('do nothing for a form without its token', async () => {
    const form = { headers: { 'content-type': 'application/x-www-form-urlencoded' }, csrf: false } as const;
    const refused = await client.post('/login', 'email=alice%40example.com&password=alice-demo-password', form);
    expect(refused).toMatchObject({ status: 403, headers: { 'content-type': 'text/html; charset=utf-8' } });
    await client.login('alice');
    for (const action of ['/account/transfer', '/devices/end-others', '/password', '/outbox/settings', '/logout']) {
      const { status, text } = await client.post(action, 'to=bob&amount=1', form);
      expect({ action, status }).toEqual({ action, status: 403 });
      expect(text).toContain('This form is out of date');
    }
    expect((await client.get('/account')).text).toContain('Nothing yet.');
  });

  it('say what is wrong with a transfer, and keep the input', async () => {
    await client.login('alice');
    for (const amount of ['', 'lots', '0', '-1', '1.234', '1e3', '0x10', '1000000.01']) {
      const { status, text } = await sendForm(client, '/account', '/account/transfer', { to: '"><b>', amount });
      expect({ amount, status }).toEqual({ amount, status: 422 });
      expect(text).toContain('Enter an amount from 0.01 to 1000000');
      expect(text).toContain('value="&quot;&gt;&lt;b&gt;"');
      expect(text).toContain('aria-describedby="amount-problem"');
    }
    expect((await sendForm(client, '/account', '/account/transfer', { amount: '1' })).text).toContain('Say who gets');
    expect((await client.get('/account')).text).toContain('Nothing yet.');
  });

  it('take fields for texts only', async () => {
    await client.login('alice');
    const csrf = await client.csrfToken();
    for (const body of [{ to: ['bob'], amount: { $gt: 0 } }, ['to', 'bob'], { amount: 5 }]) {
      expect((await client.post('/account/transfer', body, { csrf })).status).toBe(422);
    }
  });

  it('tell who tries too often how long to wait', async () => {
    const fields = { email: 'bob@example.com', password: 'wrong' };
    for (let i = 0; i < 5; i += 1) expect((await sendForm(client, '/login', '/login', fields)).status).toBe(401);
    const { status, headers, text } = await sendForm(client, '/login', '/login', fields);
    expect({ status, retryAfter: headers['retry-after'] }).toEqual({ status: 429, retryAfter: '60' });
    expect(text).toContain('Too many wrong passwords. Try again in a minute.');
  });

  it('explain in words that a page is forbidden or does not exist', async () => {
    await client.login('alice');
    expect(await client.get('/admin')).toMatchObject({
      status: 403,
      text: expect.stringContaining('Not for this account'),
    });
    await client.login('admin');
    expect(await client.get('/admin/users/nobody')).toMatchObject({
      status: 404,
      text: expect.stringContaining('Not found'),
    });
    expect(await sendForm(client, '/devices', '/devices/no-such-session/end', {})).toMatchObject({ status: 404 });
    expect(await client.get('/devices?cursor=nonsense')).toMatchObject({
      status: 400,
      text: expect.stringContaining('could not make sense'),
    });
  });

  it('show many devices by pages, each once', async () => {
    await bank.close();
    const options = { concurrency: { max: Infinity } };
    bank = await startBank({ adapter, backend: await openBackend('memory'), options });
    client.port = bank.port;
    for (let i = 0; i < 23; i += 1) await bank.client().login('alice');
    await client.login('alice');
    const devicesOn = async (path: string): Promise<{ ids: string[]; next: string | undefined }> => {
      const { text } = await client.get(path);
      const ids = [...text.matchAll(/action="\/devices\/([\w-]+)\/end"/g)].map((match) => match[1]!);
      return { ids, next: /href="(\/devices\?cursor=[^"]+)">Show more/.exec(text)?.[1] };
    };
    const first = await devicesOn('/devices');
    expect(first.ids).toHaveLength(20);
    const second = await devicesOn(first.next!);
    expect(second).toEqual({ ids: expect.any(Array), next: undefined });
    expect(new Set([...first.ids, ...second.ids]).size).toBe(24);
  });

  it('answer an outage of the store in words, and never as a stranger', async () => {
    await client.login('alice');
    await bank.close();
    const storage = { sessions: { useValue: new FailingStore() } };
    const backend = { ...(await openBackend('memory')), storage };
    bank = await startBank({ adapter, backend });
    client.port = bank.port;
    for (const page of ['/', '/login', '/account', '/devices']) {
      const { status, headers, text } = await client.get(page);
      expect({ page, status, retryAfter: headers['retry-after'] }).toEqual({ page, status: 503, retryAfter: '1' });
      expect(text).toContain('Try again in a few seconds.');
      expect(headers['set-cookie']).toBeUndefined();
    }
  });

  it('answer a defect in words, and log it', async () => {
    const { status, text } = await client.get('/broken');
    expect(status).toBe(500);
    expect(text).toContain('Something went wrong');
    expect(text).not.toContain('details');
    expect(bank.log.join('\n')).toContain('a defect with <details>');
  });
});
