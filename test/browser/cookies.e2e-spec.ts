import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';
import { ADAPTERS, openBackend, startBank, type Bank } from '../support/bank.js';
import { launchChromium } from '../support/chromium.js';

let browser: Browser;

beforeAll(async () => {
  browser = await launchChromium();
});
afterAll(() => browser.close());

describe.each(ADAPTERS)('the cookies in Chromium on %s', (adapter) => {
  let bank: Bank;
  let page: Page;

  beforeEach(async () => {
    bank = await startBank({ adapter, backend: await openBackend('memory') });
    page = await browser.newPage({ baseURL: `http://localhost:${bank.port}` });
    await page.goto('/health');
  });
  afterEach(async () => {
    await page.context().close();
    await bank.close();
  });

  it('are kept with the attributes that the guides promise', async () => {
    const status = await page.evaluate(async () => {
      const { csrfToken } = (await (await fetch('/auth/csrf')).json()) as { csrfToken: string };
      const answer = await fetch('/auth/login', {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'x-csrf-token': csrfToken },
        body: JSON.stringify({ email: 'alice@example.com', password: 'alice-demo-password', rememberMe: true }),
      });
      return answer.status;
    });
    expect(status).toBe(200);
    const cookies = await page.context().cookies();
    const days = (time: number): number => Math.round((time * 1000 - Date.now()) / 86_400_000);
    const kept = cookies.map(({ name, domain, path, secure, httpOnly, sameSite, expires }) => [
      name,
      { domain, path, secure, httpOnly, sameSite, days: expires === -1 ? 'until the browser closes' : days(expires) },
    ]);
    const attributes = { domain: 'localhost', path: '/', secure: true, httpOnly: true, sameSite: 'Lax' };
    expect(Object.fromEntries(kept)).toEqual({
      '__Host-session': { ...attributes, days: 'until the browser closes' },
      '__Host-session-remember': { ...attributes, days: 30 },
      '__Host-session-device': { ...attributes, days: 180 },
    });
    expect(await page.evaluate('document.cookie')).toBe('');
  });
});
