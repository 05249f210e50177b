import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Controller, Get, Header } from '@nestjs/common';
import { Public } from 'nestjs-session-auth';
import type { Browser, Page } from 'playwright-core';
import { addressOf, openDevice } from '../support/bank-pages.js';
import { ADAPTERS, openBackend, startBank, type Bank } from '../support/bank.js';
import { launchChromium } from '../support/chromium.js';
import { bundle } from '../support/client-page.js';

const MINUTE = 60_000;
const SCRIPT = await bundle('examples/client/page.js');

@Public()
@Controller('plain-page')
class PlainPageController {
  @Get()
  @Header('content-type', 'text/html')
  page(): string {
    return `<!doctype html><html lang="en"><title>A plain page</title><link rel="icon" href="data:,"><output></output>
      <form id="login"><input name="email"><input name="password"><button>Sign in</button></form>
      <form id="change"><input name="email" value="alice@example.org"><button>Change</button></form>
      <dialog><form method="dialog"><input aria-label="Confirm"><button value="go on">Go on</button></form></dialog>
      <script type="module" src="/plain-page/page.js"></script>`;
  }

  @Get('page.js')
  @Header('content-type', 'text/javascript')
  script(): string {
    return SCRIPT;
  }
}

describe.each(ADAPTERS)('the plain page of the guide in Chromium on %s', (adapter) => {
  let browser: Browser;
  let bank: Bank;
  let page: Page;

  beforeAll(async () => {
    browser = await launchChromium();
  });
  afterAll(() => browser.close());
  beforeEach(async () => {
    const module = { controllers: [PlainPageController] };
    bank = await startBank({ adapter, backend: await openBackend('memory'), module });
    page = await openDevice(browser, bank);
    await page.goto(`${addressOf(bank)}/plain-page`);
  });
  afterEach(async () => {
    await page.context().close();
    await bank.close();
  });

  const says = (text: string): Promise<void> => page.getByText(text).waitFor();
  const signIn = async (password: string): Promise<void> => {
    await page.locator('#login [name=email]').fill('alice@example.com');
    await page.locator('#login [name=password]').fill(password);
    await page.getByRole('button', { name: 'Sign in' }).click();
  };

  it('signs in, asks for the password where it is needed, and says that the session is over', async () => {
    await signIn('wrong');
    await says('password is wrong');
    await signIn('alice-demo-password');
    await page.locator('body[data-user="alice@example.com"]').waitFor();
    bank.clock.advance(11 * MINUTE);
    await page.getByRole('button', { name: 'Change' }).click();
    await page.getByLabel('Confirm').fill('alice-demo-password');
    await page.getByRole('button', { name: 'Go on' }).click();
    await says('It is changed.');
    bank.clock.advance(61 * MINUTE);
    await page.getByRole('button', { name: 'Change' }).click();
    await says('You are signed out.');
    expect(await page.locator('body').getAttribute('data-user')).toBe('');
  });
});
