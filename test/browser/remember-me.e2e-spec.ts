import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Page } from 'playwright-core';
import { addressOf, signedInAs, signIn } from '../support/bank-pages.js';
import { ADAPTERS, openBackend, startBank, type Bank } from '../support/bank.js';
import { launchPersistentChromium } from '../support/chromium.js';

describe.each(ADAPTERS)('a restart of Chromium on %s', (adapter) => {
  let bank: Bank;
  let profile: string;

  beforeEach(async () => {
    bank = await startBank({ adapter, backend: await openBackend('memory') });
    profile = await mkdtemp(join(tmpdir(), 'chromium-profile-'));
  });
  afterEach(async () => {
    await bank.close();
    await rm(profile, { recursive: true, maxRetries: 5 });
  });

  /** Opens the browser, and closes it as a user does. */
  async function inBrowser<T>(work: (page: Page) => Promise<T>): Promise<T> {
    const context = await launchPersistentChromium(profile, { baseURL: addressOf(bank) });
    try {
      return await work(await context.newPage());
    } finally {
      await context.close();
    }
  }

  it('keeps who wanted to stay signed in, asks for the password where that is not enough, and keeps nobody else', async () => {
    await inBrowser((page) => signIn(page, 'alice', { rememberMe: true }));
    await inBrowser(async (page) => {
      expect(await signedInAs(page)).toBe('Alice');
      await page.goto('/devices');
      expect(await page.locator('.list > li').first().innerText()).toMatch(/This device.*by staying signed in/s);
      await page.getByRole('button', { name: 'Sign out all other devices' }).click();
      await page.waitForURL('**/confirm?*');
      await page.getByRole('button', { name: 'Sign out' }).click();
      await page.waitForURL('**/login?*');
      await signIn(page, 'bob');
    });
    expect(await inBrowser(signedInAs)).toBeUndefined();
  });
});
