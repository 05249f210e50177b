import { mkdtemp, readdir, readFile, stat } from 'node:fs/promises';
import { join, posix } from 'node:path';
import { beforeAll, describe, expect, it, jest } from '@jest/globals';
import { anchorsOf, linksOf } from '../support/markdown.js';
import { PATIENCE } from '../support/patience.js';
import { packLibrary, run } from './package-project.js';

jest.setTimeout(PATIENCE);

interface Manifest {
  readonly repository: { readonly url: string; readonly directory: string };
  readonly homepage: string;
  readonly bugs: { readonly url: string };
}

describe('the documents of the package as it would be published', () => {
  let folder: string;
  let repository: string;
  let manifest: Manifest;
  let pages: readonly string[];

  beforeAll(async () => {
    const target = await mkdtemp(join(process.env['TEST_RUN_FOLDER']!, 'documents-'));
    await run('tar', ['-xzf', await packLibrary(), '-C', target]);
    folder = join(target, 'package');
    manifest = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')) as Manifest;
    repository = manifest.repository.url.replace('git+', '').replace('.git', '');
    pages = (await readdir(folder, { recursive: true })).filter((name) => name.endsWith('.md'));
  });

  /** Every link of every page, with what is wrong with it. */
  async function flaws(): Promise<readonly string[]> {
    const found: string[] = [];
    for (const page of pages) {
      for (const target of linksOf(await readFile(join(folder, page), 'utf8'))) {
        const flaw = await flawOf(page, target);
        if (flaw) found.push(`${page}: ${target}: ${flaw}`);
      }
    }
    return found;
  }

  async function flawOf(page: string, target: string): Promise<string | undefined> {
    const [address = '', heading] = target.split('#');
    if (!/^https?:/.test(address)) {
      const file = address === '' ? page : posix.join(posix.dirname(page), address);
      return missing(join(folder, file), heading);
    }
    if (!address.startsWith(repository)) return undefined;
    const [, view, path] = /^\/(blob|tree|raw)\/HEAD\/(.+)$/.exec(address.slice(repository.length)) ?? [];
    if (path === undefined) return 'is no page of a repository';
    const found = await stat(path).catch(() => undefined);
    if (found?.isDirectory() !== (view === 'tree')) return `${view} is wrong for it`;
    return missing(path, heading);
  }

  async function missing(path: string, heading?: string): Promise<string | undefined> {
    const found = await stat(path).catch(() => undefined);
    if (!found) return 'does not exist';
    if (heading === undefined) return undefined;
    return anchorsOf(await readFile(path, 'utf8')).includes(heading) ? undefined : 'has no such heading';
  }

  it('have links that all lead to a file of the package or of the repository, headings included', async () => {
    expect(pages.length).toBeGreaterThan(30);
    expect(await flaws()).toEqual([]);
    // the check itself
    expect(await flawOf('README.md', 'docs/none.md')).toBe('does not exist');
    expect(await flawOf('README.md', 'docs/csrf.md#none')).toBe('has no such heading');
    expect(await flawOf('README.md', `${repository}/blob/HEAD/none.md`)).toBe('blob is wrong for it');
    expect(await flawOf('README.md', `${repository}/blob/HEAD/docs`)).toBe('blob is wrong for it');
  });

  it('have a README without a relative link, since npm shows it without the other files', async () => {
    const links = linksOf(await readFile(join(folder, 'README.md'), 'utf8'));
    expect(links.length).toBeGreaterThan(20);
    expect(links.filter((link) => !link.startsWith('https:'))).toEqual([]);
  });

  it('keep a link relative where its file is in the package', async () => {
    const links = linksOf(await readFile(join(folder, 'docs/README.md'), 'utf8'));
    expect(links).toEqual(expect.arrayContaining(['csrf.md', 'asvs.md', `${repository}/tree/HEAD/docs/decisions`]));
    const inPackage = await Promise.all(
      pages.map(async (page) => [page, linksOf(await readFile(join(folder, page), 'utf8'))] as const),
    );
    const absolute = inPackage
      .filter(([page]) => page !== 'README.md')
      .flatMap(([, targets]) => targets)
      .filter((target) => target.startsWith(repository))
      .map(
        (target) =>
          target
            .slice(repository.length)
            .replace(/^\/\w+\/HEAD\//, '')
            .split('#')[0]!,
      );
    expect(absolute.length).toBeGreaterThan(10);
    expect(absolute.filter((path) => pages.includes(path))).toEqual([]);
  });

  it('have the same text as in the repository besides their links', async () => {
    const withoutLinks = (text: string): string => text.replace(/\]\([^)\s]+\)/g, ']()');
    for (const page of pages) {
      const [packed, source] = await Promise.all([join(folder, page), page].map((path) => readFile(path, 'utf8')));
      expect({ page, same: withoutLinks(packed!) === withoutLinks(source!) }).toEqual({ page, same: true });
    }
  });

  it('name one repository in package.json', () => {
    expect(manifest.repository.directory).toBe('libs/session-auth');
    expect([manifest.homepage, manifest.bugs.url]).toEqual([`${repository}#readme`, `${repository}/issues`]);
  });
});
