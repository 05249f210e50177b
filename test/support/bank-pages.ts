import { mkdir } from 'node:fs/promises';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import type { Bank } from './bank.js';

// a machine may have other things to do: only what never comes is an error
const PATIENCE = 25_000;

/** Opens a tab on a device of its own, at the bank. The device looks like any other unless `options` say otherwise. */
export async function openDevice(browser: Browser, bank: Bank, options: BrowserContextOptions = {}): Promise<Page> {
  const context = await browser.newContext({ baseURL: addressOf(bank), ...options });
  context.setDefaultTimeout(PATIENCE);
  return context.newPage();
}

/** The bank as browsers are to reach it: `localhost` is a secure context without TLS. */
export function addressOf({ port }: Bank): string {
  return `http://localhost:${port}`;
}

/** Fills in the sign-in form and sends it. */
export async function fillLogin(page: Page, name: string, password = `${name}-demo-password`): Promise<void> {
  await page.getByLabel('E-mail').fill(`${name}@example.com`);
  await page.getByLabel('Password').fill(password);
  await page.getByRole('button', { name: 'Sign in' }).click();
}

/** Signs in as one of the demo's users, by the form, and lands on the account page. */
export async function signIn(page: Page, name: string, { rememberMe = false } = {}): Promise<void> {
  await page.goto('/login');
  if (rememberMe) await page.getByLabel('Stay signed in').check();
  await fillLogin(page, name);
  await page.waitForURL('**/account');
}

/** Whom a device is signed in as, by what the account page greets; undefined: it is sent to the sign-in form. */
export async function signedInAs(page: Page): Promise<string | undefined> {
  await page.goto('/account');
  const heading = await page.getByRole('heading', { level: 1 }).innerText();
  return /^Hello (.+)$/.exec(heading)?.[1];
}

/** What the page tells in its notice or alert. */
export async function told(page: Page): Promise<string> {
  return page.locator('[role=status], [role=alert]').first().innerText();
}

/** Keeps a picture of a page, for people to look at after the run. */
export async function picture(page: Page, name: string): Promise<void> {
  await mkdir('test-artefacts', { recursive: true });
  await page.screenshot({ path: `test-artefacts/${name}.png`, fullPage: true });
}
