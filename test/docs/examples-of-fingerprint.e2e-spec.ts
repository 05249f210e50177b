import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { AppModule } from '../../examples/fingerprint/app.module.js';
import { forwardedHeaders } from '../../examples/fingerprint/forwarded-headers.js';
import { SESSION_COOKIE, type BankClient } from '../support/bank-client.js';
import { logIn, startExample, type ExampleApp } from '../support/example-app.js';

const CHROME = 'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/134.0.0.0';

describe('the examples of the fingerprint', () => {
  let example: ExampleApp;
  let browser: BankClient;

  beforeEach(async () => {
    example = await startExample(AppModule);
    browser = example.client();
    Object.assign(browser.headers, { 'user-agent': CHROME, 'accept-language': 'de', 'x-country': 'CH' });
    expect((await logIn(browser)).status).toBe(200);
  });
  afterEach(() => example.close());

  const ask = async (headers: Record<string, string>): Promise<number> =>
    (await browser.get('/auth/session', { headers })).status;

  it('refuse a request from another country, and accept one whose country the proxy does not know', async () => {
    expect(await ask({ 'x-country': 'XX' })).toBe(200);
    expect(await ask({ 'x-country': 'FR' })).toBe(401);
    expect(await ask({})).toBe(200);
  });

  it('let a server render for the browser, which without its headers would end the session', async () => {
    const cookie = `${SESSION_COOKIE}=${browser.sealed}`;
    const url = `http://127.0.0.1:${example.port}/auth/session`;
    const request = { cookie, 'user-agent': CHROME, 'accept-language': 'de', host: 'bank.example', te: undefined };
    const rendered = await fetch(url, { headers: forwardedHeaders(request) });
    expect(rendered.status).toBe(200);
    expect((await fetch(url, { headers: { cookie } })).status).toBe(401);
    expect(await ask({})).toBe(401);
  });
});
