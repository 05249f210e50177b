import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';
import { fillLogin, openDevice, picture, signedInAs, signIn, told } from '../support/bank-pages.js';
import { ADAPTERS, openBackend, startBank, type Bank } from '../support/bank.js';
import { launchChromium } from '../support/chromium.js';

const PHONE =
  'Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1';
const MINUTE = 60_000;

let browser: Browser;

beforeAll(async () => {
  browser = await launchChromium();
});
afterAll(() => browser.close());

describe.each(ADAPTERS)('several devices of one user in Chromium on %s', (adapter) => {
  let bank: Bank;
  let page: Page;
  let phone: Page;

  beforeEach(async () => {
    bank = await startBank({ adapter, backend: await openBackend('memory') });
    page = await openDevice(browser, bank);
    phone = await openDevice(browser, bank, { userAgent: PHONE, viewport: { width: 390, height: 844 } });
  });
  afterEach(async () => {
    for (const context of browser.contexts()) await context.close();
    await bank.close();
  });

  it('end the oldest at the limit; time ends the next; each device is told the reason once', async () => {
    await signIn(page, 'alice');
    for (let i = 0; i < 3; i += 1) await bank.client().login('alice');
    expect(await signedInAs(page)).toBeUndefined();
    expect(await told(page)).toMatch(/^You were signed out here because you signed in on more devices/);
    await fillLogin(page, 'alice');
    await page.waitForURL('**/account');
    bank.clock.advance(61 * MINUTE);
    expect(await signedInAs(page)).toBeUndefined();
    expect(await told(page)).toBe('Your session has expired. Please sign in again.');
    await page.reload();
    expect(await page.getByRole('status').count()).toBe(0);
  });

  it('are all signed out but one, once the password was entered again', async () => {
    await signIn(page, 'alice');
    await signIn(phone, 'alice', { rememberMe: true });
    bank.clock.advance(11 * MINUTE);
    await page.goto('/devices');
    await picture(page, `${adapter}-devices`);
    await phone.goto('/devices');
    await picture(phone, `${adapter}-devices-phone`);
    await page.getByRole('button', { name: 'Sign out all other devices' }).click();
    await page.waitForURL('**/confirm?next=%2Fdevices');
    await page.getByLabel('Password').fill('a wrong password');
    await page.getByRole('button', { name: 'Go on' }).click();
    await page.getByRole('alert').waitFor();
    expect(await told(page)).toBe('This is not your password.');
    expect(await signedInAs(phone)).toBe('Alice');

    await page.getByLabel('Password').fill('alice-demo-password');
    await page.getByRole('button', { name: 'Go on' }).click();
    await page.waitForURL('**/devices');
    await page.getByRole('button', { name: 'Sign out all other devices' }).click();
    await page.getByRole('status').waitFor();
    expect(await told(page)).toBe('One other device was signed out.');
    expect(await page.locator('.list > li').allInnerTexts()).toEqual([expect.stringContaining('This device')]);
    // not by its remember-me cookie either
    expect(await signedInAs(phone)).toBeUndefined();
    expect(await signedInAs(page)).toBe('Alice');
  });

  it('are signed out by a change of password, and learn why', async () => {
    await signIn(page, 'alice');
    await signIn(phone, 'alice', { rememberMe: true });
    await page.goto('/password');
    const change = async (present: string, next: string): Promise<void> => {
      await page.getByLabel('Present password').fill(present);
      await page.getByLabel('New password').fill(next);
      await page.getByRole('button', { name: 'Change password' }).click();
      await page.locator('[role=status], [role=alert]').first().waitFor();
    };
    await change('a wrong password', 'a better password');
    expect(await told(page)).toBe('This is not your present password.');
    await change('alice-demo-password', 'short');
    expect(await told(page)).toBe('Nothing was changed: see below.');
    await change('alice-demo-password', 'a better password');
    expect(await told(page)).toBe('Your password is changed. One other device was signed out.');

    expect(await signedInAs(phone)).toBeUndefined();
    expect(await told(phone)).toMatch(/^Your password was changed/);
    await fillLogin(phone, 'alice', 'a better password');
    await phone.waitForURL('**/account');
    expect(await signedInAs(page)).toBe('Alice');
  });

  it('are looked after by the bank’s own people', async () => {
    await signIn(page, 'admin');
    await signIn(phone, 'bob');
    await page.getByRole('link', { name: 'Admin' }).click();
    expect(await page.getByRole('region', { name: 'Users' }).locator('tbody tr').allInnerTexts()).toEqual([
      'Alice\talice@example.com\tcustomer\t0',
      'Bob\tbob@example.com\tcustomer\t1',
      'Ada Min\tadmin@example.com\tadmin\t1',
    ]);
    await page.getByRole('link', { name: 'Bob' }).click();
    expect(await page.locator('.list > li').allInnerTexts()).toEqual([expect.stringMatching(/^Safari on iOS/)]);
    await page.getByRole('button', { name: 'Sign out Safari on iOS' }).click();
    await page.getByRole('status').waitFor();
    expect(await told(page)).toBe('Bob was signed out there.');
    expect(await signedInAs(phone)).toBeUndefined();
    expect(await told(phone)).toBe('You were signed out from another device, or by the bank.');

    await fillLogin(phone, 'bob');
    await phone.waitForURL('**/account');
    await page.getByRole('button', { name: 'Sign Bob out everywhere' }).click();
    await page.getByText('Bob was signed out everywhere (1).').waitFor();
    expect(await signedInAs(phone)).toBeUndefined();

    await page.getByRole('link', { name: 'Admin' }).click();
    const events = page.getByRole('region', { name: 'Recent events' }).locator('tbody tr');
    expect((await events.allInnerTexts()).join('\n')).toMatch(/session_destroyed\tbob\t[\d.]+\treason: revoked/);
    await picture(page, `${adapter}-admin`);
    // who is not of the bank sees neither the link nor the page
    await fillLogin(phone, 'bob');
    await phone.waitForURL('**/account');
    expect(await phone.getByRole('link', { name: 'Admin' }).count()).toBe(0);
    expect((await phone.goto('/admin'))?.status()).toBe(403);
  });

  it('are announced by mail, unless their user wants none', async () => {
    await signIn(page, 'alice');
    await signIn(phone, 'bob');
    await page.goto('/outbox');
    const subjects = page.getByRole('heading', { level: 2 });
    expect(await subjects.allInnerTexts()).toEqual([expect.stringMatching(/^New device: Chrome.* on Linux$/)]);
    expect(await page.locator('pre').innerText()).toMatch(/^Hello Alice,.*this computer \([\d.]+\)/s);
    await picture(page, `${adapter}-outbox`);
    await page.getByLabel('Mail me').uncheck();
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByRole('status').waitFor();
    expect(await told(page)).toBe('You will get no more mails.');
    await bank.client().login('alice');
    await page.goto('/outbox');
    expect(await subjects.count()).toBe(1);
    expect(await page.getByLabel('Mail me').isChecked()).toBe(false);
  });
});
