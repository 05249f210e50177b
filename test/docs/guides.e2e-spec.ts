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

  it('show exactly the code that is compiled and tested', async () => {
    let blocks = 0;
    for (const guide of await guides()) {
      const text = await readFile(guide, 'utf8');
      const shown = [...text.matchAll(/^```[jt]s\n\/\/ (\S+)\n(.*?)^```$/gms)];
      expect([...text.matchAll(/^```[jt]s$/gm)]).toHaveLength(shown.length);
      for (const [, file, code] of shown) {
        const source = await readFile(file!, 'utf8');
        // a line of an ellipsis leaves something out
        for (const part of code!.split(/^ *\/\/ …\n/m)) expect(source).toContain(part);
      }
      blocks += shown.length;
    }
    expect(blocks).toBeGreaterThan(3);
  });
});

async function guides(): Promise<string[]> {
  const names = await readdir('docs', { recursive: true });
  return names.filter((name) => name.endsWith('.md')).map((name) => `docs/${name}`);
}
