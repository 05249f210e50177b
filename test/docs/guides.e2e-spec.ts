import { readdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { HTTP_STATUS_BY_CODE } from '../../libs/session-auth/src/errors/error-codes.js';
import { anchorsOf, linksOf } from '../support/markdown.js';

describe('the guides', () => {
  it('have links that resolve, headings included', async () => {
    const pages = ['README.md', 'CONTRIBUTING.md', 'CHANGELOG.md', 'SECURITY.md', ...(await guides())];
    const broken: string[] = [];
    for (const page of pages) {
      for (const target of linksOf(await readFile(page, 'utf8'))) {
        if (/^https?:/.test(target)) continue;
        const [path, heading] = target.split('#');
        const file = path === '' ? page : join(dirname(page), path!);
        const found = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) =>
          error.code === 'EISDIR' ? '' : undefined,
        );
        if (found === undefined || (heading !== undefined && !anchorsOf(found).includes(heading)))
          broken.push(`${page}: ${target}`);
      }
    }
    expect(broken).toEqual([]);
  });

  it('are all in the index', async () => {
    const index = await readFile('docs/README.md', 'utf8');
    const pages = (await readdir('docs')).filter((name) => name.endsWith('.md') && name !== 'README.md');
    expect(pages.filter((page) => !index.includes(`(${page})`))).toEqual([]);
  });

  it('list every error code with its status', async () => {
    const text = await readFile('docs/errors.md', 'utf8');
    const listed = [...text.matchAll(/^\| `(\w+)` +\| (\d{3})/gm)].map(([, code, status]) => [code!, Number(status)]);
    expect(Object.fromEntries(listed)).toEqual(HTTP_STATUS_BY_CODE);
  });
});

async function guides(): Promise<string[]> {
  const names = await readdir('docs', { recursive: true });
  return names.filter((name) => name.endsWith('.md')).map((name) => `docs/${name}`);
}
