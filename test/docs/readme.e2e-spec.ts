import { readFile } from 'node:fs/promises';
import { beforeAll, describe, expect, it } from '@jest/globals';

const MOST_WORDS = 1500;

describe('the README', () => {
  let readme: string;

  beforeAll(async () => {
    readme = await readFile('README.md', 'utf8');
  });

  it('has at most 1,500 words besides code', () => {
    const prose = readme.replace(/^```.*?^```$/gms, '');
    expect(prose.split(/\s+/).length).toBeLessThanOrEqual(MOST_WORDS);
  });
});

describe('the page of the options', () => {
  it('names every existing option, and no other', async () => {
    const page = await readFile('docs/options.md', 'utf8');
    const named = new Set([...page.matchAll(/^\| `(\w+)/gm)].map((match) => match[1]));
    const source = await readFile('libs/session-auth/src/session-auth.options.ts', 'utf8');
    const declared = (name: string): string[] => {
      const body = new RegExp(`export interface ${name} \\{(.*?)^\\}`, 'ms').exec(source)![1]!;
      return [...body.matchAll(/^ {2}readonly (\w+)\??:/gm)].map((match) => match[1]!);
    };
    const all = new Set([...declared('SessionAuthOptions'), ...declared('SessionAuthExtras')]);
    all.delete('imports');
    expect([...named].sort()).toEqual([...all].sort());
  });
});
