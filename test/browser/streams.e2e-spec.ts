import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';
import { openDevice, signIn } from '../support/bank-pages.js';
import { ADAPTERS, openBackend, startBank, type Bank } from '../support/bank.js';
import { launchChromium } from '../support/chromium.js';
import { StreamController } from '../support/stream-controller.js';

let browser: Browser;

beforeAll(async () => {
  browser = await launchChromium();
});
afterAll(() => browser.close());

describe.each(ADAPTERS)('an EventSource in Chromium on %s', (adapter) => {
  let bank: Bank;

  afterEach(async () => {
    for (const context of browser.contexts()) await context.close();
    await bank.close();
  });

  /** Listens in a page, and keeps there what comes. */
  const listen = (page: Page): Promise<unknown> =>
    page.evaluate(`
      globalThis.told = [];
      globalThis.source = new EventSource('/streams/guarded');
      source.addEventListener('session_ended', ({ data }) => told.push(JSON.parse(data)));
      source.addEventListener('error', () => told.push(source.readyState));
      new Promise((resolve) => source.addEventListener('tick', resolve, { once: true }));
    `);

  it('learns that another device has ended its session, fails to connect again, and gives up', async () => {
    bank = await startBank({
      adapter,
      backend: await openBackend('memory'),
      module: { controllers: [StreamController] },
    });
    // the pages of the bank connect to nothing
    const page = await openDevice(browser, bank, { bypassCSP: true });
    const other = await openDevice(browser, bank);
    await signIn(page, 'alice');
    await signIn(other, 'alice');
    await listen(page);
    const refused = page.waitForResponse((answer) => answer.url().endsWith('/streams/guarded'));
    await other.goto('/devices');
    await other.getByRole('button', { name: 'Sign out all other devices' }).click();
    expect((await refused).status()).toBe(401);
    await page.waitForFunction('source.readyState === EventSource.CLOSED');
    // connecting again, then closed
    expect(await page.evaluate('told')).toEqual([{ code: 'session_ended', endReason: 'revoked' }, 0, 2]);
  });
});
