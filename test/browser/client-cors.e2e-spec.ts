import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';
import { CORS } from '../../examples/csrf-spa/cors.js';
import { addressOf, openDevice } from '../support/bank-pages.js';
import { ADAPTERS, openBackend, startBank, type Bank } from '../support/bank.js';
import { launchChromium } from '../support/chromium.js';
import { ClientPageController, heard, inPage, loginOf, openClientPage } from '../support/client-page.js';
import { until } from '../support/patience.js';

const MINUTE = 60_000;

describe.each(ADAPTERS)('a page with the client on another origin than the bank, in Chromium on %s', (adapter) => {
  let browser: Browser;
  /** The origin of the page. */
  let site: Bank;
  let bank: Bank;
  let page: Page;

  beforeAll(async () => {
    browser = await launchChromium();
  });
  afterAll(() => browser.close());
  beforeEach(async () => {
    const module = { controllers: [ClientPageController] };
    site = await startBank({ adapter, backend: await openBackend('memory'), module });
  });
  afterEach(async () => {
    await page.context().close();
    await bank.close();
    await site.close();
  });

  const open = async (allowedHeaders: string[]): Promise<void> => {
    const origin = [addressOf(site)];
    bank = await startBank({
      adapter,
      backend: await openBackend('memory'),
      options: { csrf: { trustedOrigins: origin } },
      cors: { ...CORS, origin, allowedHeaders, methods: ['GET', 'POST'] },
    });
    page = await openDevice(browser, site);
    await page.clock.install();
    await openClientPage(page, site);
    await inPage(page, `void (client = openClient({ path: '${addressOf(bank)}/auth' }))`);
    await inPage(page, loginOf('alice'));
    expect(await hooks()).toEqual(['login']);
  };
  const hooks = async (): Promise<string[]> => (await heard(page)).map((line) => line.split(' ').at(-1)!);
  const pass = async (milliseconds: number): Promise<void> => {
    bank.clock.advance(milliseconds);
    await page.clock.runFor(milliseconds);
  };
  const statusOf = (path: string): Promise<unknown> =>
    inPage(page, `statusOf(client.fetch('${addressOf(bank)}${path}'))`);
  const transfer = (): Promise<unknown> =>
    inPage(page, `statusOf(post('${addressOf(bank)}/api/transfer', { to: 'bob', amount: 1 }))`);

  it('has login, requests, expiry and the time of a 429 by the CORS options of the guide', async () => {
    await open(CORS.allowedHeaders);
    expect([await statusOf('/api/me'), await transfer()]).toEqual([200, 201]);
    await pass(58 * MINUTE + 20_000);
    await until(() => inPage<boolean>(page, 'heard.length > 0'));
    expect(await hooks()).toEqual(['expiring']);
    await pass(2 * MINUTE);
    await until(() => inPage<boolean>(page, 'heard.length > 0'));
    expect(await hooks()).toEqual(['sessionRequired']);
    const wrong = `client.login({ email: 'alice@example.com', password: 'wrong' }).catch(({ retryAfter }) => retryAfter)`;
    await until(async () => (await inPage<number>(page, wrong)) > 0);
  });

  it('hears of the expiry only by its next request where X-Session-Passive is not allowed', async () => {
    await open(CORS.allowedHeaders.filter((name) => name !== 'X-Session-Passive'));
    expect([await statusOf('/api/me'), await transfer()]).toEqual([200, 201]);
    const refused = page.waitForEvent('requestfailed', (request) => request.url().endsWith('/auth/session'));
    await pass(58 * MINUTE + 20_000);
    await refused;
    await pass(2 * MINUTE);
    expect(await hooks()).toEqual([]);
    expect(await statusOf('/api/me')).toBe(401);
    expect(await hooks()).toEqual(['sessionRequired']);
  });
});
