import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Controller, Get, Header } from '@nestjs/common';
import { Public } from 'nestjs-session-auth';
import type { Browser, Page } from 'playwright-core';
import { addressOf, openDevice } from '../support/bank-pages.js';
import { openBackend, startBank, type Bank } from '../support/bank.js';
import { launchChromium } from '../support/chromium.js';
import { bundle, inPage, loginOf } from '../support/client-page.js';

const MINUTE = 60_000;
const SCRIPT = await bundle('examples/client-react/use-session.ts', 'test/support/react-page.ts');

@Public()
@Controller('react-page')
class ReactPageController {
  @Get()
  @Header('content-type', 'text/html')
  page(): string {
    return '<!doctype html><title>React</title><link rel="icon" href="data:,"><main></main><script type="module" src="/react-page/page.js"></script>';
  }

  @Get('page.js')
  @Header('content-type', 'text/javascript')
  script(): string {
    return SCRIPT;
  }
}

describe('the hook for React in Chromium', () => {
  let browser: Browser;
  let bank: Bank;
  let page: Page;

  beforeAll(async () => {
    browser = await launchChromium();
  });
  afterAll(() => browser.close());
  beforeEach(async () => {
    bank = await startBank({
      adapter: 'fastify',
      backend: await openBackend('memory'),
      module: { controllers: [ReactPageController] },
    });
    page = await openDevice(browser, bank);
    await page.goto(`${addressOf(bank)}/react-page`);
  });
  afterEach(async () => {
    await page.context().close();
    await bank.close();
  });

  const shows = (tab: Page, text: string): Promise<void> => tab.getByText(text, { exact: true }).first().waitFor();

  it('shows who is signed in, in each component and tab, and that the session is over', async () => {
    await shows(page, 'nobody');
    const tab = await page.context().newPage();
    await tab.goto(page.url());
    await shows(tab, 'nobody');
    await inPage(page, loginOf('alice'));
    for (const each of [page, tab]) await shows(each, 'alice@example.com');
    expect(await page.locator('p').allInnerTexts()).toEqual(['alice@example.com', 'alice@example.com']);
    await page.reload();
    await shows(page, 'alice@example.com');
    bank.clock.advance(61 * MINUTE);
    await inPage(page, `client.fetch('/api/me')`);
    await shows(page, 'nobody');
    await inPage(tab, loginOf('bob'));
    for (const each of [page, tab]) await shows(each, 'bob@example.com');
    await inPage(tab, 'client.logout()');
    for (const each of [page, tab]) await shows(each, 'nobody');
  });
});
