import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';
import { findFreePort } from '../../src/local-services/free-port.js';
import { fillLogin } from '../support/bank-pages.js';
import type { Answer } from '../support/bank-client.js';
import { openBackend, startBank, type Bank } from '../support/bank.js';
import { launchChromium } from '../support/chromium.js';
import { senderFor } from '../support/http-server.js';
import { until } from '../support/patience.js';

const MINUTE = 60_000;
const FOLDER = process.env['TEST_NEXT_FROM']!;
const NEXT = 'node_modules/next/dist/bin/next';
const sendBy = senderFor('express');

describe('Next.js as a backend for the frontend, in Chromium', () => {
  let bank: Bank;
  let browser: Browser;
  let server: ChildProcess;
  let address: string;
  let page: Page;

  beforeAll(async () => {
    const port = await findFreePort();
    address = `http://localhost:${port}`;
    bank = await startBank({
      adapter: 'express',
      backend: await openBackend('memory'),
      options: { csrf: { publicOrigin: address }, lifetime: { rotateEvery: '15m' } },
    });
    const { NODE_OPTIONS: _, NODE_ENV: __, ...inherited } = process.env;
    const env = {
      ...inherited,
      NEXT_TELEMETRY_DISABLED: '1',
      NEST_ORIGIN: `http://127.0.0.1:${bank.port}`,
      // a network that is needed would fail the build
      HTTPS_PROXY: 'http://127.0.0.1:1',
    };
    const built = spawnSync(process.execPath, [NEXT, 'build'], { cwd: FOLDER, env, encoding: 'utf8' });
    if (built.status !== 0) throw new Error(built.stdout + built.stderr);
    server = spawn(process.execPath, [NEXT, 'start', '--port', `${port}`], { cwd: FOLDER, env, stdio: 'ignore' });
    await until(() =>
      fetch(`${address}/login`).then(
        ({ ok }) => ok,
        () => false,
      ),
    );
    browser = await launchChromium();
  });
  afterAll(async () => {
    await browser.close();
    const ended = once(server, 'exit');
    server.kill();
    await ended;
    await bank.close();
  });
  beforeEach(async () => {
    const context = await browser.newContext({ baseURL: address });
    page = await context.newPage();
  });
  afterEach(() => page.context().close());

  const signIn = async (): Promise<void> => {
    await page.goto('/account');
    await page.waitForURL('**/login');
    await fillLogin(page, 'alice');
    await page.waitForURL('**/account');
  };
  const send = async (): Promise<string> => {
    const answered = page.waitForResponse('**/api/transfer');
    await page.getByRole('button', { name: 'Send money' }).click();
    await answered;
    await page.locator('output:not(:empty)').waitFor();
    return page.locator('output').innerText();
  };

  it('logs in through the server, which renders the page for the user', async () => {
    await signIn();
    expect(await page.getByRole('heading').innerText()).toBe('alice@example.com');
    expect(await send()).toBe('201');
    const names = (await page.context().cookies()).map(({ name, domain }) => [name, domain]);
    expect(names).toContainEqual(['__Host-session', 'localhost']);
  });

  it('renders pages while the token is due, and the browser gets the successor', async () => {
    await signIn();
    const tokenOf = async (): Promise<string | undefined> =>
      (await page.context().cookies()).find(({ name }) => name === '__Host-session')?.value;
    const before = await tokenOf();
    bank.clock.advance(16 * MINUTE);
    for (let visit = 0; visit < 2; visit += 1) {
      await page.goto('/account');
      expect(await page.getByRole('heading').innerText()).toBe('alice@example.com');
    }
    expect(await tokenOf()).toBe(before);
    expect(await send()).toBe('201');
    expect(await tokenOf()).not.toBe(before);
    await page.reload();
    expect(await page.getByRole('heading').innerText()).toBe('alice@example.com');
    expect(await send()).toBe('201');
  });

  it('leads to the login after a logout, and after the session has expired', async () => {
    await signIn();
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.waitForURL('**/login');
    await signIn();
    bank.clock.advance(61 * MINUTE);
    await page.getByRole('button', { name: 'Send money' }).click();
    await page.waitForURL('**/login');
    await page.goto('/account');
    await page.waitForURL('**/login');
  });

  it('does not hide from the bank where a request came from', async () => {
    await signIn();
    const sent = page.waitForRequest('**/api/transfer');
    await send();
    const request = await sent;
    const { host: _host, connection: _connection, 'content-length': _length, ...headers } = await request.allHeaders();
    const cookie = (await page.context().cookies()).map(({ name, value }) => `${name}=${value}`).join('; ');
    const again = (origin: string, site: string): Promise<Answer> =>
      sendBy(Number(new URL(address).port), 'POST', '/api/transfer', {
        body: { to: 'bob', amount: 1 },
        headers: { ...headers, cookie, origin, 'sec-fetch-site': site },
      });
    const refused = { status: 403, json: { code: 'csrf_failed' } };
    expect(await again('https://evil.example', 'same-origin')).toMatchObject(refused);
    expect(await again('null', 'cross-site')).toMatchObject(refused);
    expect(await again(address, 'cross-site')).toMatchObject(refused);
    expect(await again(address, 'same-origin')).toMatchObject({ status: 201 });
  });
});
