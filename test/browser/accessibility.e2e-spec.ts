import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import axe, { type AxeResults } from 'axe-core';
import type { Browser, Locator, Page } from 'playwright-core';
import { fillLogin, openDevice, picture, signIn, told } from '../support/bank-pages.js';
import { ADAPTERS, openBackend, startBank, type Bank } from '../support/bank.js';
import { launchChromium } from '../support/chromium.js';

let browser: Browser;
let bank: Bank;

beforeAll(async () => {
  browser = await launchChromium();
});
afterAll(() => browser.close());
afterEach(async () => {
  for (const context of browser.contexts()) await context.close();
  await bank.close();
});

describe.each(ADAPTERS)('the pages in Chromium on %s', (adapter) => {
  beforeEach(async () => {
    bank = await startBank({ adapter, backend: await openBackend('memory') });
  });

  it('need no script for sign-in, transfer and sign-out', async () => {
    const page = await openDevice(browser, bank, { javaScriptEnabled: false });
    await signIn(page, 'alice', { rememberMe: true });
    await page.getByLabel('To').fill('bob');
    await page.getByLabel('Amount').fill('7');
    await page.getByRole('button', { name: 'Send' }).click();
    await page.getByRole('status').waitFor();
    expect(await told(page)).toBe('€7.00 is on its way to bob.');
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.waitForURL('**/login?*');
    expect(await told(page)).toBe('You are signed out.');
  });

  it('need no mouse for sign-in, transfer and sign-out, and show where the focus is', async () => {
    const page = await openDevice(browser, bank);
    const { keyboard } = page;
    await page.goto('/login');
    await keyboard.press('Tab');
    const skip = page.getByRole('link', { name: 'Skip to content' });
    expect(await hasFocus(skip)).toBe(true);
    expect((await skip.boundingBox())!.y).toBeGreaterThanOrEqual(0);
    await keyboard.press('Enter');
    await keyboard.press('Tab');
    expect(await hasFocus(page.getByLabel('E-mail'))).toBe(true);
    await keyboard.type('alice@example.com');
    await keyboard.press('Tab');
    await keyboard.type('alice-demo-password');
    await tabTo(page, page.getByLabel('Stay signed in'));
    await keyboard.press('Space');
    expect(await page.getByLabel('Stay signed in').isChecked()).toBe(true);
    await tabTo(page, page.getByRole('button', { name: 'Sign in' }));
    await keyboard.press('Enter');
    await page.waitForURL('**/account');

    await tabTo(page, page.getByLabel('To'));
    await keyboard.type('bob');
    await tabTo(page, page.getByLabel('Amount'));
    await keyboard.type('7');
    await keyboard.press('Enter');
    await page.getByRole('status').waitFor();
    expect(await told(page)).toBe('€7.00 is on its way to bob.');
    await tabTo(page, page.getByRole('button', { name: 'Sign out' }));
    await keyboard.press('Space');
    await page.waitForURL('**/login?*');
    expect(await told(page)).toBe('You are signed out.');
  });
});

const DESK = { width: 1280, height: 800 };
const PHONE = { width: 360, height: 740 };

describe('axe', () => {
  beforeEach(async () => {
    bank = await startBank({ adapter: 'express', backend: await openBackend('memory') });
  });

  it('finds nothing on any page, and no page is wider than a phone', async () => {
    const page = await openDevice(browser, bank, { viewport: DESK });
    const findings: Record<string, unknown> = {};
    const examine = async (name: string): Promise<void> => {
      await page.evaluate(axe.source);
      const { violations } = await page.evaluate<AxeResults>('axe.run({ resultTypes: ["violations"] })');
      await picture(page, name);
      await page.setViewportSize(PHONE);
      const width = await page.evaluate<number>('document.documentElement.scrollWidth');
      await page.setViewportSize(DESK);
      findings[name] = [
        ...violations.map(({ id, impact, nodes }) => `${impact} ${id}: ${nodes.map(({ html }) => html).join(' ')}`),
        ...(width > PHONE.width ? [`${width} pixels wide`] : []),
      ];
    };
    await page.goto('/');
    await examine('home');
    await page.goto('/login');
    await examine('login');
    await fillLogin(page, 'admin', 'a wrong password');
    await page.getByRole('alert').waitFor();
    await examine('login-refused');
    await bank.client().login('alice');
    await signIn(page, 'admin');
    const send = async (amount: string): Promise<void> => {
      await page.getByLabel('To').fill('bob');
      await page.getByLabel('Amount').fill(amount);
      await page.getByRole('button', { name: 'Send' }).click();
      await page.locator('[role=status], [role=alert]').waitFor();
    };
    await send('12.50');
    await examine('account');
    await send('lots');
    await examine('account-refused');
    for (const path of ['/devices', '/password', '/confirm', '/outbox', '/admin', '/admin/users/alice']) {
      await page.goto(path);
      await examine(path.slice(1).replaceAll('/', '-'));
    }
    await page.goto('/admin/users/nobody');
    await examine('not-found');
    expect(findings).toEqual(Object.fromEntries(Object.keys(findings).map((name) => [name, []])));
    expect(Object.keys(findings)).toHaveLength(12);
  });
});

/** Presses Tab until the focus is there, and looks whether that can be seen. */
async function tabTo(page: Page, target: Locator): Promise<void> {
  for (let i = 0; i < 20 && !(await hasFocus(target)); i += 1) await page.keyboard.press('Tab');
  expect(await hasFocus(target)).toBe(true);
  expect(await page.evaluate('getComputedStyle(document.activeElement).outlineStyle')).toBe('solid');
}

async function hasFocus(target: Locator): Promise<boolean> {
  return (await target.and(target.page().locator(':focus')).count()) === 1;
}
