import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';
import { openDevice, signedInAs, signIn } from '../support/bank-pages.js';
import { ADAPTERS, openBackend, startBank, type Bank } from '../support/bank.js';
import { launchChromium } from '../support/chromium.js';
import { makeSelfSignedCertificate } from '../support/self-signed-certificate.js';

const HOST = 'bank.test';

let browser: Browser;

beforeAll(async () => {
  // no name that browsers trust without TLS, as they do localhost
  browser = await launchChromium([`--host-resolver-rules=MAP ${HOST} 127.0.0.1`]);
});
afterAll(() => browser.close());

describe.each(ADAPTERS)('a session of HTTPS in Chromium on %s', (adapter) => {
  let secure: Bank;
  /** The same bank, on the same sessions, where somebody on the way has made the browser speak plain HTTP. */
  let plain: Bank;
  let page: Page;

  beforeEach(async () => {
    const backend = await openBackend('memory');
    secure = await startBank({ adapter, backend, certificate: makeSelfSignedCertificate(HOST) });
    plain = await startBank({ adapter, backend });
    const baseURL = `https://${HOST}:${secure.port}`;
    page = await openDevice(browser, secure, { baseURL, ignoreHTTPSErrors: true });
  });
  afterEach(async () => {
    await page.context().close();
    await plain.close();
    await secure.close();
  });

  it('is not sent over plain HTTP, where it can be neither made nor planted', async () => {
    await signIn(page, 'alice');
    const before = await page.context().cookies();
    expect(before.map(({ name, secure }) => [name, secure])).toContainEqual(['__Host-session', true]);

    const request = page.waitForRequest(`http://${HOST}:${plain.port}/account`);
    await page.goto(`http://${HOST}:${plain.port}/account`);
    expect((await (await request).allHeaders())['cookie']).toBeUndefined();
    await page.getByLabel('E-mail').fill('bob@example.com');
    await page.getByLabel('Password').fill('bob-demo-password');
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByText('This form is out of date').waitFor();
    await page.evaluate("document.cookie = '__Host-session=planted; path=/'");

    expect(await page.context().cookies(`https://${HOST}`)).toEqual(before);
    expect(await signedInAs(page)).toBe('Alice');
  });
});
