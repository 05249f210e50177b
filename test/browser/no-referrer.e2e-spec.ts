import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Controller, Get, Header, Headers, Inject, Post, Req } from '@nestjs/common';
import { CsrfProtected, CsrfService, Public } from 'nestjs-session-auth';
import type { Browser, Page } from 'playwright-core';
import { addressOf, openDevice, signIn } from '../support/bank-pages.js';
import { ADAPTERS, openBackend, startBank, type Bank } from '../support/bank.js';
import { launchChromium } from '../support/chromium.js';

@Public()
@Controller('letters')
class LettersController {
  constructor(@Inject(CsrfService) private readonly csrf: CsrfService) {}

  @Get()
  @Header('content-type', 'text/html')
  @Header('referrer-policy', 'no-referrer')
  form(@Req() request: object): string {
    return `<form method="post" action="/letters">${this.csrf.formField(request)}<button>Send</button></form>`;
  }

  /** Sandboxed, so without an origin: any site can embed a frame like this. */
  @Get('framed')
  @Header('content-type', 'text/html')
  framed(): string {
    return '<iframe sandbox="allow-forms" src="/letters"></iframe>';
  }

  @CsrfProtected()
  @Post()
  send(@Headers('origin') origin: string, @Headers('sec-fetch-site') site: string): string {
    return `sent: ${origin}, ${site}`;
  }
}

let browser: Browser;

beforeAll(async () => {
  browser = await launchChromium();
});
afterAll(() => browser.close());

describe.each(ADAPTERS)('a page under no-referrer in Chromium on %s', (adapter) => {
  let bank: Bank;
  let page: Page;

  beforeEach(async () => {
    const module = { controllers: [LettersController] };
    bank = await startBank({ adapter, backend: await openBackend('memory'), module });
    page = await openDevice(browser, bank);
  });
  afterEach(async () => {
    await page.context().close();
    await bank.close();
  });

  it('sends its forms, although it hides its origin', async () => {
    await signIn(page, 'alice');
    await page.goto(`${addressOf(bank)}/letters`);
    await page.getByRole('button', { name: 'Send' }).click();
    await page.getByText('sent: null, same-origin').waitFor();
  });

  it('sends none from a sandbox, which hides its origin as well', async () => {
    await signIn(page, 'alice');
    await page.goto(`${addressOf(bank)}/letters/framed`);
    const answer = page.waitForResponse((response) => response.request().method() === 'POST');
    await page.frameLocator('iframe').getByRole('button', { name: 'Send' }).click();
    expect((await answer).status()).toBe(403);
    expect((await answer).request().headers()['origin']).toBe('null');
  });
});
