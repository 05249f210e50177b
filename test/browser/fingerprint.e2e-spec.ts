import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';
import { openDevice, signedInAs, signIn, told } from '../support/bank-pages.js';
import { ADAPTERS, openBackend, startBank, type Bank } from '../support/bank.js';
import { launchChromium } from '../support/chromium.js';
import { MediaController } from '../support/media-site.js';

let browser: Browser;

beforeAll(async () => {
  browser = await launchChromium();
});
afterAll(() => browser.close());

describe.each(ADAPTERS)('the default fingerprint in Chromium on %s', (adapter) => {
  let bank: Bank;
  let page: Page;

  beforeEach(async () => {
    const backend = await openBackend('memory');
    bank = await startBank({ adapter, backend, module: { controllers: [MediaController] } });
    page = await openDevice(browser, bank);
    await signIn(page, 'alice');
  });
  afterEach(async () => {
    for (const context of browser.contexts()) await context.close();
    await bank.close();
  });

  it('keeps a page signed in with fetches, forms, pictures, a video and a service worker', async () => {
    const { seen } = bank.app.get(MediaController);
    await page.goto('/media/page');
    expect(await loaded(page)).toEqual({ picture: 10, clip: 160 });
    // the same once more, past a service worker
    await page.evaluate(`(async () => {
      const taken = new Promise((resolve) => navigator.serviceWorker.addEventListener('controllerchange', resolve));
      await navigator.serviceWorker.register('/media/worker.js', { scope: '/media/' });
      await taken;
    })()`);
    await page.reload();
    expect(await loaded(page)).toEqual({ picture: 10, clip: 160 });
    const statuses = await page.evaluate(`(async () => {
      const csrfToken = document.querySelector('[name=csrf_token]').value;
      const xhr = () => new Promise((resolve) => {
        const request = new XMLHttpRequest();
        request.open('GET', '/media/data');
        request.onload = () => resolve(request);
        request.send();
      });
      const answers = await Promise.all([
        fetch('/media/data'),
        fetch('/media/data', { method: 'POST', headers: { 'x-csrf-token': csrfToken } }),
        fetch('/media/clip.webm', { headers: { range: 'bytes=10-20' } }),
        fetch('/media/picture.svg', { mode: 'no-cors', cache: 'reload', keepalive: true }),
        xhr(),
      ]);
      return answers.map(({ status }) => status);
    })()`);
    expect(statuses).toEqual([200, 200, 206, 200, 200]);
    await page.getByRole('button').click();
    await page.waitForURL('**/media/data');
    expect(await signedInAs(page)).toBe('Alice');

    // Chromium did send what makes this worth a test
    const differing = (header: string): number => new Set(seen.map(({ headers }) => String(headers[header]))).size;
    expect(seen.filter(({ headers }) => headers.range !== undefined).length).toBeGreaterThanOrEqual(3);
    expect(differing('accept-encoding')).toBeGreaterThan(1);
    expect(seen.map(({ headers }) => headers['sec-fetch-dest'])).toEqual(
      expect.arrayContaining(['document', 'image', 'video', 'empty', 'serviceworker']),
    );
    expect(bank.events.filter(({ type }) => type === 'session.fingerprint_mismatch')).toEqual([]);
  });

  it('ends a session that another User-Agent shows, and tells both', async () => {
    const thief = await openDevice(browser, bank, {
      userAgent: 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0',
      storageState: await page.context().storageState(),
    });
    expect(await signedInAs(thief)).toBeUndefined();
    expect(await told(thief)).toMatch(/^Your session was used by what looked like another browser/);
    expect(await signedInAs(page)).toBeUndefined();
    expect(await told(page)).toMatch(/^Your session was used by what looked like another browser/);
  });
});

/** Waits until picture and video are there, plays to the video's end, and answers how wide they are. */
function loaded(page: Page): Promise<unknown> {
  return page.evaluate(`(async () => {
    const picture = document.getElementById('picture');
    await picture.decode();
    const clip = document.getElementById('clip');
    clip.playbackRate = 8;
    const ended = new Promise((resolve, reject) => {
      clip.onended = resolve;
      clip.onerror = () => reject(new Error(clip.error.message));
    });
    await clip.play();
    await ended;
    return { picture: picture.naturalWidth, clip: clip.videoWidth };
  })()`);
}
