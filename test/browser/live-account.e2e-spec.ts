import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';
import { openDevice, picture, signIn } from '../support/bank-pages.js';
import { ADAPTERS, openBackend, startBank, type Backend, type Bank } from '../support/bank.js';
import { launchChromium } from '../support/chromium.js';

const MINUTE = 60_000;

let browser: Browser;

beforeAll(async () => {
  browser = await launchChromium();
});
afterAll(() => browser.close());

describe.each(ADAPTERS)('the account page in Chromium, without a click, on %s', (adapter) => {
  let backend: Backend;
  let bank: Bank;
  let page: Page;

  beforeEach(async () => {
    backend = await openBackend('redis');
    bank = await startBank({ adapter, backend: { ...backend, storage: backend.linkedStorage! } });
    page = await openDevice(browser, bank);
    const listening = page.waitForResponse('**/account/events');
    await signIn(page, 'bob');
    await listening;
  });
  afterEach(async () => {
    for (const context of browser.contexts()) await context.close();
    await bank.close();
    await backend.close();
  });

  const isEnded = (): Promise<void> => page.getByRole('heading', { name: 'You have been signed out' }).waitFor();

  it('shows money that comes in, and the new balance', async () => {
    const alice = bank.client();
    await alice.login('alice');
    await alice.post('/api/transfer', { to: 'bob', amount: 25.5 });
    await page.getByText('From alice').waitFor();
    expect(await page.locator('#transfer-list li').count()).toBe(1);
    expect(await page.locator('.balance').textContent()).toBe('€2,525.50');
    expect(await page.getByText('Nothing yet.').isVisible()).toBe(false);
    // and so it does when it is loaded again
    await page.reload();
    expect(await page.locator('.balance').textContent()).toBe('€2,525.50');
  });

  it('says within a second that the session was ended on another device, and shows nothing of the account', async () => {
    const other = await openDevice(browser, bank);
    await signIn(other, 'bob');
    await other.goto('/devices');
    const endedAt = Date.now();
    await other.getByRole('button', { name: 'Sign out all other devices' }).click();
    await isEnded();
    process.stdout.write(`${adapter}: the page said so ${Date.now() - endedAt} ms after the click\n`);
    expect(await page.getByText('Balance').count()).toBe(0);
    expect(await page.getByRole('button', { name: 'Sign out' }).count()).toBe(0);
    await picture(page, `${adapter}-session-ended`);
    await page.getByRole('link', { name: 'Sign in again' }).click();
    await page.waitForURL('**/login?next=%2Faccount');
  });

  it('says that the session has expired, though it was open all the time', async () => {
    bank.clock.advance(61 * MINUTE);
    await isEnded();
  });
});
