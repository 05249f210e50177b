import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import axe, { type AxeResults } from 'axe-core';
import type { Browser, Locator, Page, Response } from 'playwright-core';
import { openDevice, picture, signedInAs, signIn, told } from '../support/bank-pages.js';
import { ADAPTERS, openBackend, startBank, type Bank } from '../support/bank.js';
import { launchChromium } from '../support/chromium.js';
import { BANK_COOKIES, OFFICE_COOKIES } from '../support/office.js';

let browser: Browser;

beforeAll(async () => {
  browser = await launchChromium();
});
afterAll(() => browser.close());

describe.each(ADAPTERS)('a customer and staff in one Chromium on %s', (adapter) => {
  let bank: Bank;
  let customer: Page;
  let staff: Page;

  beforeEach(async () => {
    bank = await startBank({ adapter, backend: await openBackend('memory'), office: true });
    customer = await openDevice(browser, bank);
    staff = await customer.context().newPage();
    await signIn(customer, 'alice', { rememberMe: true });
    await enterOffice(staff);
  });
  afterEach(async () => {
    for (const context of browser.contexts()) await context.close();
    await bank.close();
  });

  /** The cookies that the browser has of a realm, by name. */
  const cookiesOf = async (names: readonly string[]): Promise<Record<string, string>> => {
    const cookies = await customer.context().cookies();
    return Object.fromEntries(
      cookies.filter(({ name }) => names.includes(name)).map(({ name, value }) => [name, value]),
    );
  };

  /** Presses a page's button for it, and returns what is answered. */
  const signOut = async (page: Page): Promise<Response> => {
    const answered = page.waitForResponse((response) => response.url().endsWith('/logout'));
    await page.getByRole('button', { name: 'Sign out', exact: true }).click();
    const answer = await answered;
    await page.waitForURL('**/login?*');
    expect(await told(page)).toBe('You are signed out.');
    return answer;
  };

  it('both are signed in, each on the own pages', async () => {
    expect(await signedInAs(customer)).toBe('Alice');
    expect(await staff.getByRole('heading', { level: 1 }).innerText()).toBe('Hello Olga');
    await staff.reload();
    expect(await staff.getByRole('region', { name: 'Customers' }).locator('tbody tr').allInnerTexts()).toEqual([
      'Alice\talice@example.com\topen\t1 device',
      'Bob\tbob@example.com\topen\t0 devices',
    ]);
    expect(await staff.locator('.list > li').allInnerTexts()).toEqual([expect.stringContaining('This device')]);
  });

  it('the customer signs out: staff have their data, and the form that was open works', async () => {
    await keepNote(staff, 'ask Bob');
    await noteOf(staff).fill('Bob has called');
    await storeInBrowser(customer);
    const kept = await cookiesOf(OFFICE_COOKIES);
    expect(Object.keys(kept).sort()).toEqual(['__Host-office-session', '__Host-office-session-device']);

    await expectExpired(await signOut(customer), BANK_COOKIES);
    expect([await cookiesOf(BANK_COOKIES), await cookiesOf(OFFICE_COOKIES)]).toEqual([
      { '__Host-session-csrf': expect.any(String) }, // of the sign-in form that the browser was sent to
      kept,
    ]);
    expect(await isStored(customer)).toBe(true);
    await staff.getByRole('button', { name: 'Keep' }).click();
    await staff.getByRole('status').waitFor();
    expect(await told(staff)).toBe('Your note is kept.');
    expect(await noteOf(staff).inputValue()).toBe('Bob has called');
    expect(await signedInAs(customer)).toBeUndefined();
  });

  it('staff sign out: the customer has their data, and the form that was open works', async () => {
    // a page without a policy that forbids scripts to fetch
    const script = await customer.context().newPage();
    await script.goto('/health');
    await script.evaluate(async () => {
      const { csrfToken } = (await (await fetch('/auth/csrf')).json()) as { csrfToken: string };
      const headers = { 'content-type': 'application/json', 'x-csrf-token': csrfToken };
      await fetch('/api/preferences', { method: 'PATCH', headers, body: JSON.stringify({ theme: 'dark' }) });
    });
    await customer.getByLabel('To').fill('bob');
    await customer.getByLabel('Amount').fill('7');
    await storeInBrowser(staff);
    const kept = await cookiesOf(BANK_COOKIES);
    expect(Object.keys(kept).sort()).toEqual(['__Host-session', '__Host-session-device', '__Host-session-remember']);

    await expectExpired(await signOut(staff), OFFICE_COOKIES);
    expect([await cookiesOf(OFFICE_COOKIES), await cookiesOf(BANK_COOKIES)]).toEqual([
      { '__Host-office-session-csrf': expect.any(String) },
      kept,
    ]);
    expect(await isStored(staff)).toBe(true);
    await customer.getByRole('button', { name: 'Send' }).click();
    await customer.getByRole('status').waitFor();
    expect(await told(customer)).toBe('€7.00 is on its way to bob.');
    expect(await script.evaluate(async () => (await fetch('/api/preferences')).json())).toEqual({ theme: 'dark' });
    await staff.goto('/office');
    expect(new URL(staff.url()).pathname).toBe('/office/login');
  });

  it('staff sign in elsewhere: this page says why they are signed out, and the customer stays', async () => {
    const elsewhere = await openDevice(browser, bank);
    await enterOffice(elsewhere);
    await staff.reload();
    expect(new URL(staff.url()).pathname).toBe('/office/login');
    expect(await told(staff)).toMatch(/^You were signed out here because you signed in on more devices/);
    expect(await signedInAs(customer)).toBe('Alice');
  });

  it('the pages of the office are for everybody: axe finds nothing, and no page is wider than a phone', async () => {
    const findings: Record<string, unknown> = {};
    const examine = async (name: string): Promise<void> => {
      await staff.evaluate(axe.source);
      const { violations } = await staff.evaluate<AxeResults>('axe.run({ resultTypes: ["violations"] })');
      await picture(staff, `${adapter}-${name}`);
      await staff.setViewportSize({ width: 360, height: 740 });
      const width = await staff.evaluate<number>('document.documentElement.scrollWidth');
      await picture(staff, `${adapter}-${name}-phone`);
      await staff.setViewportSize({ width: 1280, height: 800 });
      findings[name] = { violations: violations.map(({ id }) => id), width };
    };
    await keepNote(staff, 'ask Bob for his new address');
    await examine('office');
    await noteOf(staff).fill('x'.repeat(201));
    await staff.getByRole('button', { name: 'Keep' }).click();
    await staff.getByRole('alert').waitFor();
    await examine('office-refused');
    await signOut(staff);
    await examine('office-login');
    const nothing = { violations: [], width: 360 };
    expect(findings).toEqual({ office: nothing, 'office-refused': nothing, 'office-login': nothing });
  });
});

async function enterOffice(page: Page): Promise<void> {
  await page.goto('/office/login');
  await page.getByLabel('E-mail').fill('olga@office.example.com');
  await page.getByLabel('Password').fill('olga-demo-password');
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.waitForURL('**/office');
}

function noteOf(page: Page): Locator {
  return page.getByRole('textbox', { name: 'Note' });
}

async function keepNote(page: Page, note: string): Promise<void> {
  await noteOf(page).fill(note);
  await page.getByRole('button', { name: 'Keep' }).click();
  await page.getByRole('status').waitFor();
}

/** Expects that a logout expires the cookies of its realm one by one, and has the browser clear nothing else. */
async function expectExpired(answer: Response, names: readonly string[]): Promise<void> {
  const request = await answer.request().allHeaders();
  const sent = names.filter((name) => request['cookie']!.includes(`${name}=`));
  expect(sent.length).toBeGreaterThan(1);
  const headers = await answer.headersArray();
  const valuesOf = (wanted: string): string[] =>
    headers.filter(({ name }) => name.toLowerCase() === wanted).map(({ value }) => value);
  expect(valuesOf('clear-site-data')).toEqual([]);
  const expired = valuesOf('set-cookie').filter((line) => /; Max-Age=0(;|$)/.test(line));
  expect(expired.map((line) => line.slice(0, line.indexOf('='))).sort()).toEqual([...sent].sort());
}

/** Keeps something in the storage of the site's origin. */
async function storeInBrowser(page: Page): Promise<void> {
  await page.evaluate("localStorage.setItem('kept', 'yes')");
}

async function isStored(page: Page): Promise<boolean> {
  return page.evaluate("localStorage.getItem('kept') === 'yes'");
}
