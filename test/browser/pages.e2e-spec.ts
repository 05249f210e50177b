import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';
import { openDevice, fillLogin, signedInAs, signIn, told } from '../support/bank-pages.js';
import { openBackend, startBank, type Backend, type Bank } from '../support/bank.js';
import { launchChromium } from '../support/chromium.js';

let browser: Browser;

beforeAll(async () => {
  browser = await launchChromium();
});
afterAll(() => browser.close());

// every adapter and every store; what one of them does does not depend on the other
const HERE = [
  { adapter: 'express', store: 'memory' },
  { adapter: 'fastify', store: 'memory' },
  { adapter: 'express', store: 'redis' },
  { adapter: 'fastify', store: 'postgres' },
] as const;

describe.each(HERE)('the pages in Chromium on $adapter with $store', ({ adapter, store }) => {
  let backend: Backend;
  let bank: Bank;
  let page: Page;

  beforeEach(async () => {
    backend = await openBackend(store);
    bank = await startBank({ adapter, backend });
    page = await openDevice(browser, bank);
  });
  afterEach(async () => {
    for (const context of browser.contexts()) await context.close();
    await bank.close();
    await backend.close();
  });

  it('lead through sign-in, transfer and sign-out, and leave nothing behind the back button', async () => {
    await page.goto('/account');
    expect(new URL(page.url()).pathname).toBe('/login');
    await fillLogin(page, 'alice', 'a wrong password');
    await page.getByRole('alert').waitFor();
    expect(await told(page)).toBe('E-mail or password is wrong.');
    expect(await page.getByLabel('E-mail').inputValue()).toBe('alice@example.com');
    await fillLogin(page, 'alice');
    await page.waitForURL('**/account');

    await page.getByLabel('To').fill('<b>bob</b>');
    await page.getByLabel('Amount').fill('25.50');
    await page.getByRole('button', { name: 'Send' }).click();
    await page.getByRole('status').waitFor();
    expect(await told(page)).toBe('€25.50 is on its way to <b>bob</b>.');
    await page.reload();
    expect(await page.locator('.list > li').allInnerTexts()).toEqual([expect.stringContaining('To <b>bob</b>')]);
    expect(await page.getByRole('status').count()).toBe(0);
    expect(await page.locator('.balance').innerText()).toBe('€2,474.50');

    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.waitForURL('**/login?*');
    expect(await told(page)).toBe('You are signed out.');
    await page.goBack();
    expect(await page.getByText('Hello Alice').count()).toBe(0);
    expect(await signedInAs(page)).toBeUndefined();
  });

  it('show two devices to each other, and let one sign the other out', async () => {
    const phone = await openDevice(browser, bank);
    await signIn(page, 'alice');
    await signIn(phone, 'alice');
    await page.goto('/devices');
    const devices = page.locator('.list > li');
    expect(await devices.allInnerTexts()).toEqual([
      expect.stringMatching(/^Chrome.* on Linux\nFrom this computer \([\d.]+\) · active just now · signed in just now/),
      expect.stringMatching(/^Chrome.* on Linux This device\nFrom this computer/),
    ]);
    await devices.first().getByRole('button').click();
    await page.getByRole('status').waitFor();
    expect(await told(page)).toBe('That device was signed out.');
    expect(await devices.count()).toBe(1);
    expect(await signedInAs(phone)).toBeUndefined();
    expect(await told(phone)).toBe('You were signed out from another device, or by the bank.');
    expect(await signedInAs(page)).toBe('Alice');
  });
});
