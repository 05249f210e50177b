import { readFile } from 'node:fs/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import axe, { type AxeResults } from 'axe-core';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { launchChromium } from '../support/chromium.js';
import {
  builtLinks,
  builtPage,
  builtPages,
  isBuilt,
  isInRepository,
  repositoryPath,
  serveBuiltSite,
  type BuiltSite,
} from './built-site.js';

interface Manifest {
  readonly repository: { readonly url: string };
}

const DESK = { width: 1280, height: 800 };
const PHONE = { width: 360, height: 740 };

/** Pages of each kind: prose, code, wide tables, a picture, a list, and the reference. */
const EXAMPLES = [
  '/',
  '/docs/',
  '/docs/options/',
  '/docs/csrf/',
  '/docs/postgresql/',
  '/docs/demo/',
  '/docs/performance/',
  '/docs/decisions/',
  '/api/nestjs-session-auth/',
  '/api/nestjs-session-auth/classes/SessionAuthService/',
  '/api/nestjs-session-auth/interfaces/SessionRecord/',
];

let browser: Browser;
let site: BuiltSite;
const elsewhere: string[] = [];

beforeAll(async () => {
  // only the site has an address
  const browsing = launchChromium(['--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1']);
  [browser, site] = await Promise.all([browsing, serveBuiltSite()]);
});
afterAll(() => Promise.all([browser.close(), site.close()]));
afterEach(async () => {
  for (const context of browser.contexts()) await context.close();
  expect(elsewhere.splice(0)).toEqual([]);
});

/** Opens a page of the site. Requests to others fail, and are noted. */
async function visit(path: string, options: BrowserContextOptions = {}): Promise<Page> {
  const context = await browser.newContext({ viewport: DESK, baseURL: site.url, ...options });
  context.on('request', (request) => {
    if (new URL(request.url()).origin !== site.url) elsewhere.push(request.url());
  });
  const page = await context.newPage();
  await page.goto(path);
  return page;
}

/** Waits for React to have taken the page over: the switch of colours works from then on. */
async function usable(page: Page): Promise<void> {
  await page.locator('button[aria-label*="dark and light"]:not([disabled])').first().waitFor({ state: 'attached' });
}

describe('the documentation site', () => {
  it('begins with the README, and has every guide in the groups of their index', async () => {
    const page = await visit('/');
    await usable(page);
    expect(await page.locator('h1').innerText()).toBe('nestjs-session-auth');
    const groups = await page.locator('.theme-doc-sidebar-item-category-level-1 > div').allInnerTexts();
    expect(groups).toEqual(expect.arrayContaining(['Start', 'Storage', 'Evidence', 'The project']));
    await page.locator('nav.menu').getByRole('link', { name: 'Sessions in Redis' }).click();
    await page.waitForURL('**/docs/redis/');
    expect(await page.locator('h1').innerText()).toBe('Sessions in Redis');
    // a link from one guide to another, and to a file that only the repository has
    const links = await page.evaluate<string[]>(
      '[...document.querySelectorAll(".markdown a")].map((link) => link.getAttribute("href"))',
    );
    expect(links).toContain('/docs/operations/');
    expect(links).toEqual(expect.arrayContaining([expect.stringMatching(/^https:.*\/blob\/HEAD\/examples\/redis-/)]));
  });

  it('finds a word in the guides first, and an export of the package', async () => {
    const page = await visit('/');
    await usable(page);
    const search = page.locator('.navbar__search-input');
    const results = page.locator('.navbar__search [role=option]');
    await search.fill('fingerprint');
    await results.first().waitFor();
    expect(await results.first().innerText()).not.toContain('API');
    await search.fill('redisStorage');
    await page.locator('.navbar__search [role=option]', { hasText: 'redisStorage' }).first().click();
    await page.waitForURL(/\/(?:api|docs)\//);
    expect((await page.locator('article').innerText()).toLowerCase()).toContain('redisstorage');
  });

  it('has no page that is wider than a phone, and asks for nothing that is not there', async () => {
    const pages = await builtPages();
    expect(pages.length).toBeGreaterThan(300);
    const wide: string[] = [];
    const measure = async (paths: readonly string[]): Promise<void> => {
      const page = await visit('/', { viewport: PHONE, javaScriptEnabled: false });
      for (const path of paths) {
        await page.goto(path);
        const width = await page.evaluate<number>('document.documentElement.scrollWidth');
        if (width > PHONE.width) wide.push(`${path}: ${width} pixels`);
      }
    };
    await Promise.all([0, 1, 2].map((tab) => measure(pages.filter((_, index) => index % 3 === tab))));
    expect(wide).toEqual([]);
    expect(site.missing).toEqual([]);
  });

  it('has links that all lead to a page of it or to a file of the repository, headings included', async () => {
    const { repository } = JSON.parse(await readFile('libs/session-auth/package.json', 'utf8')) as Manifest;
    const checked = new Map<string, Promise<boolean>>();
    const broken: string[] = [];
    let outside = 0;
    for (const path of await builtPages()) {
      for (const link of builtLinks(await builtPage(path))) {
        const target = new URL(link, `http://site${path}`);
        const inRepository = repositoryPath(target.href, repository.url);
        if (target.hostname !== 'site' && inRepository === undefined) continue;
        if (inRepository !== undefined) outside += 1;
        if (!checked.has(target.href))
          checked.set(target.href, inRepository === undefined ? isBuilt(target) : isInRepository(inRepository));
        if (!(await checked.get(target.href))) broken.push(`${path}: ${link}`);
      }
    }
    expect(broken).toEqual([]);
    expect(checked.size).toBeGreaterThan(500);
    expect(outside).toBeGreaterThan(10);
    // the check itself
    expect(await isBuilt(new URL('http://site/docs/none/'))).toBe(false);
    expect(await isBuilt(new URL('http://site/docs/csrf/#none'))).toBe(false);
    expect(await isInRepository('blob/HEAD/docs')).toBe(false);
  });

  it('shows pictures', async () => {
    const page = await visit('/docs/demo/');
    const picture = page.locator('.markdown img').first();
    await picture.scrollIntoViewIfNeeded();
    await expect(picture.evaluate((image: { decode(): Promise<void> }) => image.decode())).resolves.toBeUndefined();
  });

  it('names no other host in what a page loads by itself', async () => {
    const found: string[] = [];
    for (const path of await builtPages()) {
      const loads = (await builtPage(path)).match(
        /<(?:script|img|iframe)[^>]* src="?https?:[^>]*>|<link[^>]*rel="?(?:stylesheet|preconnect|dns-prefetch|preload|icon)[^>]*href="?https?:[^>]*>/g,
      );
      found.push(...(loads ?? []).map((tag) => `${path}: ${tag}`));
    }
    expect(found).toEqual([]);
  });
});

describe.each(['light', 'dark'] as const)('the documentation site in %s colours', (colorScheme) => {
  it('has nothing that axe objects to, such as too little contrast, wide and narrow', async () => {
    const page = await visit('/', { colorScheme });
    const findings: Record<string, string[]> = {};
    const examine = async (name: string, options = ''): Promise<void> => {
      await page.evaluate(axe.source);
      const { violations } = await page.evaluate<AxeResults>(`axe.run({ resultTypes: ["violations"]${options} })`);
      for (const { id, nodes } of violations)
        (findings[`${name}: ${id}`] ??= []).push(...nodes.map(({ html }) => html));
    };
    for (const path of EXAMPLES) {
      await page.goto(path);
      await usable(page);
      expect(await page.locator('html').getAttribute('data-theme')).toBe(colorScheme);
      for (const viewport of [DESK, PHONE]) {
        await page.setViewportSize(viewport);
        await examine(`${path} at ${viewport.width}`);
      }
    }
    await page.setViewportSize(DESK);
    await page.locator('.navbar__search-input').fill('cookie');
    await page.locator('.navbar__search [role=option]').first().waitFor();
    // what the search plugin tells assistive technology is its own
    await examine('the search', ', runOnly: ["color-contrast"]');
    expect(findings).toEqual({});
  });
});
