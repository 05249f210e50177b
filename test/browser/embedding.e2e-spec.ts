import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';
import { addressOf, openDevice, signIn } from '../support/bank-pages.js';
import { ADAPTERS, openBackend, startBank, type Bank } from '../support/bank.js';
import { launchChromium } from '../support/chromium.js';
import { StatementsController } from '../support/statements-controller.js';

let browser: Browser;

beforeAll(async () => {
  browser = await launchChromium();
});
afterAll(() => browser.close());

describe.each(ADAPTERS)('a page of a sibling in Chromium, against the bank on %s', (adapter) => {
  let bank: Bank;
  let sibling: Server;
  let victim: Page;

  beforeEach(async () => {
    const module = { controllers: [StatementsController] };
    bank = await startBank({ adapter, backend: await openBackend('memory'), module });
    sibling = createServer((_, response) => void response.setHeader('content-type', 'text/html').end('<p>A trap</p>'));
    sibling.listen(0);
    await once(sibling, 'listening');
    victim = await openDevice(browser, bank);
    await signIn(victim, 'alice');
  });
  afterEach(async () => {
    await victim.context().close();
    sibling.closeAllConnections();
    sibling.close();
    await bank.close();
  });

  /** What becomes of an element that embeds something of the bank's. */
  const embed = (element: 'img' | 'script', path: string): Promise<unknown> =>
    victim.evaluate(`new Promise((resolve) => {
      const element = document.createElement('${element}');
      element.onload = () => resolve('loaded');
      element.onerror = () => resolve('refused');
      element.src = '${addressOf(bank)}/statements/${path}';
      document.body.append(element);
    })`);
  const fetchOf = (path: string): Promise<unknown> =>
    victim.evaluate(`fetch('${addressOf(bank)}/statements/${path}', { mode: 'no-cors', credentials: 'include' })
      .then((answer) => answer.type, () => 'refused')`);

  it('embeds open pages with the visitor’s session, and no guarded page', async () => {
    // another port of one host is another origin of the same site: the cookie comes along
    const trap = `http://localhost:${(sibling.address() as AddressInfo).port}/`;
    await victim.goto(trap);
    expect([await embed('img', 'open/picture'), await embed('script', 'open/script')]).toEqual(['loaded', 'loaded']);
    expect(await victim.evaluate('globalThis.told')).toBe('of Alice');
    expect(await fetchOf('open/picture')).toBe('opaque');

    await victim.goto(trap);
    expect([await embed('img', 'guarded/picture'), await embed('script', 'guarded/script')]).toEqual([
      'refused',
      'refused',
    ]);
    expect(await victim.evaluate('globalThis.told')).toBeUndefined();
    expect(await fetchOf('guarded/picture')).toBe('refused');

    await victim.evaluate(`location.assign('${addressOf(bank)}/statements/guarded/script')`);
    await victim.getByText('of Alice').waitFor();
    await victim.goto('/account');
    expect(await embed('img', 'guarded/picture')).toBe('loaded');
  });
});
