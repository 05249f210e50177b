import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { SessionAuthService, SessionLifecycleService, type SessionEvent } from 'nestjs-session-auth';
import { addressOf, openDevice, signedInAs, signIn, told } from '../support/bank-pages.js';
import { ADAPTERS, openBackend, startBank, type Bank } from '../support/bank.js';
import { launchChromium, launchPersistentChromium } from '../support/chromium.js';
import { until } from '../support/patience.js';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const ALARMS: readonly SessionEvent['type'][] = ['session.token_reused', 'remember_me.theft'];

let browser: Browser;
let bank: Bank;

beforeAll(async () => {
  browser = await launchChromium();
});
afterAll(() => browser.close());

async function openBank(adapter: (typeof ADAPTERS)[number], options: object): Promise<void> {
  bank = await startBank({ adapter, backend: await openBackend('memory'), options });
}

const sessions = async (): Promise<number> =>
  (await bank.app.get(SessionLifecycleService).list('alice')).sessions.length;
const alarms = (): SessionEvent[] => bank.events.filter(({ type }) => ALARMS.includes(type));
const count = (type: SessionEvent['type']): number => bank.events.filter((event) => event.type === type).length;

/* What an impatient person does: double clicks, and the next click before the answer. Nobody is signed out or alarmed. */
describe.each(ADAPTERS)('an impatient person in Chromium on %s', (adapter) => {
  let page: Page;

  beforeEach(async () => {
    await openBank(adapter, { lifetime: { rotateEvery: '15m' } });
    page = await openDevice(browser, bank);
  });
  afterEach(async () => {
    await page.context().close();
    await bank.close();
  });

  /** Clicks a button twice, as fast as the mouse allows. */
  async function doubleClick(button: string): Promise<void> {
    const box = (await page.getByRole('button', { name: button, exact: true }).boundingBox())!;
    await page.mouse.dblclick(box.x + box.width / 2, box.y + box.height / 2);
  }

  /** Waits for the page that both posts of a double click lead to: the second one may arrive after the first. */
  async function arriveAt(path: string): Promise<void> {
    const isThere = (): boolean => new URL(page.url()).pathname === path;
    try {
      // not `waitForURL`, which rejects when the second post takes the place of the first navigation
      await until(isThere);
      await page.waitForLoadState('networkidle');
      await until(isThere);
    } catch (cause) {
      throw new Error(`at ${page.url()}: ${await page.locator('body').innerText()}`, { cause });
    }
  }

  it('signs in by a double click: one session', async () => {
    await page.goto('/login');
    await page.getByLabel('E-mail').fill('alice@example.com');
    await page.getByLabel('Password').fill('alice-demo-password');
    await doubleClick('Sign in');
    await arriveAt('/account');
    expect(await signedInAs(page)).toBe('Alice');
    expect(await sessions()).toBe(1);
    expect(alarms()).toEqual([]);
  });

  it('sends money by a double click: once', async () => {
    await signIn(page, 'alice');
    await page.getByLabel('To').fill('bob');
    await page.getByLabel('Amount').fill('25');
    await doubleClick('Send');
    await page.getByText('is on its way to bob').waitFor();
    await page.waitForLoadState('networkidle');
    await page.reload();
    expect(await page.locator('section[aria-labelledby=transfers] li').count()).toBe(1);
  });

  it('confirms and changes the password by double clicks, and stays signed in', async () => {
    await signIn(page, 'alice');
    await page.goto('/confirm?next=/devices');
    await page.getByLabel('Password').fill('alice-demo-password');
    await doubleClick('Go on');
    await arriveAt('/devices');
    await page.goto('/password');
    await page.getByLabel('Present password').fill('alice-demo-password');
    await page.getByLabel('New password').fill('another password of hers');
    await doubleClick('Change password');
    await arriveAt('/devices');
    expect(await told(page)).toMatch(/Your password is changed/);
    expect(await signedInAs(page)).toBe('Alice');
    expect(await sessions()).toBe(1);
    expect(alarms()).toEqual([]);
  });

  it('signs out by a double click', async () => {
    await signIn(page, 'alice');
    await doubleClick('Sign out');
    await arriveAt('/login');
    expect(await sessions()).toBe(0);
    expect(alarms()).toEqual([]);
  });

  it('keeps clicking while responses are under way, and never receives the one with the new token', async () => {
    await signIn(page, 'alice');
    for (const lost of [1, 2, 3]) {
      bank.clock.advance(15 * MINUTE);
      // the next click comes before the answer: Chromium drops it, with its cookie
      await page.evaluate(() => {
        const asked = new AbortController();
        void fetch('/api/me', { signal: asked.signal }).catch(() => undefined);
        asked.abort();
      });
      const dropped = page.goto('/devices').catch(() => undefined);
      await page.evaluate('window.stop()').catch(() => undefined);
      await dropped;
      bank.clock.advance(MINUTE);
      expect([lost, await signedInAs(page)]).toEqual([lost, 'Alice']);
    }
    await bank.app.get(SessionAuthService).rolesChanged('alice', ['customer', 'teller']);
    expect(await signedInAs(page)).toBe('Alice');
    expect(alarms()).toEqual([]);
    expect(count('session.used_after_end')).toBe(0);
  });
});

/* What a browser does that is closed and opened again: it loses its session cookies, and is the same device. */
describe.each(ADAPTERS)('a person who closes Chromium, on %s', (adapter) => {
  let profile: string;
  let context: BrowserContext;
  let page: Page;

  beforeEach(async () => {
    // a second session of this device would push the first one out
    await openBank(adapter, { concurrency: { max: 1 } });
    profile = await mkdtemp(join(tmpdir(), 'chromium-profile-'));
    await open();
  });
  afterEach(async () => {
    await context.close();
    await bank.close();
    await rm(profile, { recursive: true, maxRetries: 5 });
  });

  async function open(): Promise<void> {
    context = await launchPersistentChromium(profile, { baseURL: addressOf(bank) });
    context.setDefaultTimeout(25_000);
    page = context.pages()[0] ?? (await context.newPage());
  }

  /** Closes the browser as a user does, and opens it again. */
  async function restart(): Promise<void> {
    await context.close();
    await open();
  }

  it('closes the browser again and again, and is one device', async () => {
    await signIn(page, 'alice', { rememberMe: true });
    for (let closed = 0; closed < 2; closed += 1) {
      await restart();
      bank.clock.advance(10 * SECOND);
      expect(await signedInAs(page)).toBe('Alice');
      bank.clock.advance(5 * MINUTE);
      expect(await signedInAs(page)).toBe('Alice');
      expect(await sessions()).toBe(1);
    }
    expect(count('session.evicted')).toBe(0);
    expect(alarms()).toEqual([]);
  });

  it('closes the browser and signs in by password, and is one device', async () => {
    for (let closed = 0; closed < 2; closed += 1) {
      await signIn(page, 'alice');
      bank.clock.advance(MINUTE);
      expect(await sessions()).toBe(1);
      if (closed === 0) await restart();
    }
    expect(count('session.evicted')).toBe(0);
  });

  it('loses the answer to a remembered sign-in, and is signed in by the next one', async () => {
    await signIn(page, 'alice', { rememberMe: true });
    await restart();
    const cookies = await context.cookies();
    await page.route('**/account', async (route) => {
      // the server has answered, and the network has lost it
      await route.fetch({ headers: { ...route.request().headers() } });
      await route.abort();
    });
    await page.goto('/account').catch(() => undefined);
    // in another tab: Chromium loads one again by itself, at a time of its choice, that shows a failed load
    const failed = page;
    page = await context.newPage();
    await failed.close();
    await context.clearCookies();
    await context.addCookies(cookies);
    bank.clock.advance(5 * MINUTE);
    expect(await signedInAs(page)).toBe('Alice');
    expect(await sessions()).toBe(1);
    expect(alarms()).toEqual([]);
  });
});
