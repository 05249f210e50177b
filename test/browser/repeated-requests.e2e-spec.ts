import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { BrowserContext, Page } from 'playwright-core';
import { SessionAuthService, SessionLifecycleService, type SessionEvent } from 'nestjs-session-auth';
import { addressOf, signedInAs, signIn, told } from '../support/bank-pages.js';
import { ADAPTERS, openBackend, startBank, type Bank } from '../support/bank.js';
import { launchPersistentChromium } from '../support/chromium.js';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const ALARMS: readonly SessionEvent['type'][] = ['session.token_reused', 'remember_me.theft'];

/* What an impatient person does: double clicks, aborted requests, closed browsers. Nobody is signed out or alarmed. */
describe.each(ADAPTERS)('an impatient person in Chromium on %s', (adapter) => {
  let bank: Bank;
  let profile: string;
  let context: BrowserContext;

  beforeEach(async () => {
    const options = { lifetime: { rotateEvery: '15m' } } as const;
    bank = await startBank({ adapter, backend: await openBackend('memory'), options });
    profile = await mkdtemp(join(tmpdir(), 'chromium-profile-'));
    await open();
  });
  afterEach(async () => {
    await context.close();
    await bank.close();
    await rm(profile, { recursive: true, maxRetries: 5 });
  });

  async function open(): Promise<Page> {
    context = await launchPersistentChromium(profile, { baseURL: addressOf(bank) });
    context.setDefaultTimeout(25_000);
    return context.newPage();
  }

  /** Closes the browser as a user does, and opens it again. */
  async function restart(): Promise<Page> {
    await context.close();
    return open();
  }

  const sessions = async (): Promise<number> =>
    (await bank.app.get(SessionLifecycleService).list('alice')).sessions.length;
  const alarms = (): SessionEvent[] => bank.events.filter(({ type }) => ALARMS.includes(type));
  const count = (type: SessionEvent['type']): number => bank.events.filter((event) => event.type === type).length;

  /** Clicks a button twice, as fast as the mouse allows. */
  async function doubleClick(page: Page, button: string): Promise<void> {
    const box = (await page.getByRole('button', { name: button, exact: true }).boundingBox())!;
    await page.mouse.dblclick(box.x + box.width / 2, box.y + box.height / 2);
  }

  it('signs in by a double click: one session', async () => {
    const page = await context.newPage();
    await page.goto('/login');
    await page.getByLabel('E-mail').fill('alice@example.com');
    await page.getByLabel('Password').fill('alice-demo-password');
    await doubleClick(page, 'Sign in');
    await page.waitForURL('**/account');
    expect(await signedInAs(page)).toBe('Alice');
    expect(await sessions()).toBe(1);
    expect(alarms()).toEqual([]);
  });

  it('sends money by a double click: once', async () => {
    const page = await context.newPage();
    await signIn(page, 'alice');
    await page.getByLabel('To').fill('bob');
    await page.getByLabel('Amount').fill('25');
    await doubleClick(page, 'Send');
    await page.getByText('is on its way to bob').waitFor();
    await page.waitForLoadState('networkidle');
    await page.reload();
    expect(await page.locator('section[aria-labelledby=transfers] li').count()).toBe(1);
  });

  it('confirms and changes the password by double clicks, and stays signed in', async () => {
    const page = await context.newPage();
    await signIn(page, 'alice');
    await page.goto('/confirm?next=/devices');
    await page.getByLabel('Password').fill('alice-demo-password');
    await doubleClick(page, 'Go on');
    await page.waitForURL('**/devices');
    await page.goto('/password');
    await page.getByLabel('Present password').fill('alice-demo-password');
    await page.getByLabel('New password').fill('another password of hers');
    await doubleClick(page, 'Change password');
    await page.waitForURL('**/devices');
    expect(await told(page)).toMatch(/Your password is changed/);
    expect(await signedInAs(page)).toBe('Alice');
    expect(await sessions()).toBe(1);
    expect(alarms()).toEqual([]);
  });

  it('signs out by a double click', async () => {
    const page = await context.newPage();
    await signIn(page, 'alice');
    await doubleClick(page, 'Sign out');
    await page.waitForURL('**/login**');
    expect(await sessions()).toBe(0);
    expect(alarms()).toEqual([]);
  });

  it('clicks on while answers are under way, and never sees the one with the new token', async () => {
    const page = await context.newPage();
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

  it('closes the browser again and again, and is one device', async () => {
    let page = await context.newPage();
    await signIn(page, 'alice', { rememberMe: true });
    for (let closed = 0; closed < 4; closed += 1) {
      page = await restart();
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
    let page = await context.newPage();
    for (let closed = 0; closed < 4; closed += 1) {
      await signIn(page, 'alice');
      bank.clock.advance(MINUTE);
      expect(await sessions()).toBe(1);
      page = await restart();
    }
    expect(count('session.evicted')).toBe(0);
  });

  it('loses the answer to a remembered sign-in, and is signed in by the next one', async () => {
    let page = await context.newPage();
    await signIn(page, 'alice', { rememberMe: true });
    page = await restart();
    const cookies = await context.cookies();
    await page.route('**/account', async (route) => {
      // the server has answered, and the network has lost it
      await route.fetch({ headers: { ...route.request().headers() } });
      await route.abort();
    });
    await page.goto('/account').catch(() => undefined);
    await page.unrouteAll();
    await context.clearCookies();
    await context.addCookies(cookies);
    bank.clock.advance(5 * MINUTE);
    expect(await signedInAs(page)).toBe('Alice');
    expect(await sessions()).toBe(1);
    expect(alarms()).toEqual([]);
  });
});
