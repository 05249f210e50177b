import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';
import { addressOf, openDevice, signedInAs, signIn } from '../support/bank-pages.js';
import { ADAPTERS, openBackend, startBank, type Bank } from '../support/bank.js';
import { launchChromium } from '../support/chromium.js';

let browser: Browser;

beforeAll(async () => {
  browser = await launchChromium();
});
afterAll(() => browser.close());

describe.each(ADAPTERS)('pages of others in Chromium, against the bank on %s', (adapter) => {
  let bank: Bank;
  let victim: Page;
  let attacker: Server;
  /** What the attacker's page holds. */
  let trap: string;

  beforeEach(async () => {
    bank = await startBank({ adapter, backend: await openBackend('memory') });
    victim = await openDevice(browser, bank);
    attacker = createServer((_, response) => void response.setHeader('content-type', 'text/html').end(trap));
    attacker.listen(0);
    await once(attacker, 'listening');
  });
  afterEach(async () => {
    for (const context of browser.contexts()) await context.close();
    attacker.closeAllConnections();
    attacker.close();
    await bank.close();
  });

  /** The attacker's page, at a host of the choice. */
  const at = (host: string): string => `http://${host}:${(attacker.address() as AddressInfo).port}/`;

  function form(action: string, fields: Record<string, string>): string {
    const inputs = Object.entries(fields).map(
      ([name, value]) => `<input type="hidden" name="${name}" value="${value}">`,
    );
    return `<form method="post" action="${addressOf(bank)}${action}">${inputs.join('')}<button>Win a prize</button></form>`;
  }

  function rejections(): unknown[] {
    return bank.events.flatMap((event) => (event.type === 'csrf.rejected' ? [event.origin] : []));
  }

  // from another site no cookie comes along (SameSite=Lax); from another port of the same site it does
  it.each([
    { host: '127.0.0.1', shown: 'Hello Alice', rejected: 0 },
    { host: 'localhost', shown: 'This form is out of date', rejected: 1 },
  ])('send no money by forms and scripts on $host', async ({ host, shown, rejected }) => {
    await signIn(victim, 'alice');
    trap = form('/account/transfer', { to: 'mallory', amount: '1000', csrf_token: 'A'.repeat(86) });
    await victim.goto(at(host));
    const send = (mode: string, type: string, body: string): Promise<string> =>
      victim.evaluate(
        `fetch('${addressOf(bank)}/api/transfer', { method: 'POST', credentials: 'include', mode: '${mode}',
          headers: { 'content-type': '${type}' }, body: '${body}' }).then((answer) => answer.type, () => 'refused')`,
      );
    expect(await send('cors', 'application/json', '{"to":"mallory","amount":1000}')).toBe('refused');
    expect(await send('no-cors', 'text/plain', '{"to":"mallory","amount":1000}')).toBe('opaque');
    expect(await send('no-cors', 'application/x-www-form-urlencoded', 'to=mallory&amount=1000')).toBe('opaque');
    await victim.getByRole('button').click();
    await victim.getByText(shown).waitFor();
    expect(rejections()).toEqual(Array(3 * rejected).fill(new URL(at(host)).origin));
    expect(await signedInAs(victim)).toBe('Alice');
    expect(await victim.getByText('Nothing yet.').count()).toBe(1);
  });

  it('sign nobody in and nobody out, and frame no page, but may link to one', async () => {
    trap = form('/login', { email: 'bob@example.com', password: 'bob-demo-password', rememberMe: 'yes' });
    await victim.goto(at('127.0.0.1'));
    await victim.getByRole('button').click();
    await victim.getByText('This form is out of date').waitFor();
    expect(await victim.context().cookies()).toEqual([]);

    await signIn(victim, 'alice');
    trap = form('/logout', {});
    await victim.goto(at('127.0.0.1'));
    await victim.getByRole('button').click();
    await victim.getByText('This form is out of date').waitFor();

    trap = `<iframe src="${addressOf(bank)}/account"></iframe><a href="${addressOf(bank)}/account">Your bank</a>`;
    await victim.goto(at('localhost'));
    expect(await victim.frames()[1]!.getByText('Hello Alice').count()).toBe(0);
    await victim.goto(at('127.0.0.1'));
    await victim.getByRole('link').click();
    await victim.getByText('Hello Alice').waitFor();
  });
});
