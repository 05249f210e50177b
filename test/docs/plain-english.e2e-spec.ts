import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { commentsOf, dialectIn, messagesOf, proseOf, wordsIn } from './plain-english.js';

const SOURCES = 'libs/session-auth/src';
const WIDTH = 120;

/** The number of constructions in 1,000 words of some files, and where most of them are. */
async function rateOf(
  paths: readonly string[],
  textOf: (content: string) => string,
): Promise<{ rate: number; worst: Readonly<Record<string, string[]>> }> {
  const found: [string, string[]][] = [];
  let words = 0;
  for (const path of paths) {
    const text = textOf(await readFile(path, 'utf8'));
    words += wordsIn(text);
    found.push([path, dialectIn(text)]);
  }
  const all = found.reduce((sum, [, hits]) => sum + hits.length, 0);
  const worst = [...found].sort(([, a], [, b]) => b.length - a.length).slice(0, 5);
  return { rate: (1000 * all) / words, worst: Object.fromEntries(worst) };
}

async function sources(): Promise<string[]> {
  const names = await readdir(SOURCES, { recursive: true });
  return names.filter((name) => name.endsWith('.ts')).map((name) => join(SOURCES, name));
}

async function guides(): Promise<string[]> {
  const names = await readdir('docs');
  const pages = names.filter((name) => name.endsWith('.md')).map((name) => join('docs', name));
  return ['README.md', 'SECURITY.md', 'CHANGELOG.md', 'CONTRIBUTING.md', ...pages];
}

describe('constructions that readers stumble over', () => {
  it('are at most 3 in 1,000 words of comments', async () => {
    const { rate, worst } = await rateOf(await sources(), commentsOf);
    expect({ rate: rate <= 3 || rate, ...(rate > 3 && { worst }) }).toEqual({ rate: true });
  });

  it('are at most 3 in 1,000 words of comments in the code of guides', async () => {
    const names = await readdir('examples', { recursive: true });
    const files = names.filter((name) => /\.(?:ts|c?js)$/.test(name)).map((name) => join('examples', name));
    const { rate, worst } = await rateOf(files, commentsOf);
    expect({ rate: rate <= 3 || rate, ...(rate > 3 && { worst }) }).toEqual({ rate: true });
  });

  it('are at most 2 in 1,000 words of messages', async () => {
    const { rate, worst } = await rateOf(
      (await sources()).filter((path) => !path.endsWith('.spec.ts')),
      messagesOf,
    );
    expect({ rate: rate <= 2 || rate, ...(rate > 2 && { worst }) }).toEqual({ rate: true });
  });

  it('are at most 2 in 1,000 words of guides', async () => {
    const { rate, worst } = await rateOf(await guides(), proseOf);
    expect({ rate: rate <= 2 || rate, ...(rate > 2 && { worst }) }).toEqual({ rate: true });
  });

  it('are found where they are', () => {
    const text = [
      '/** What of a request the session hangs on: its own as much as it is. */',
      '// answers how many it were',
      "throw new Error('the cursor is none that a page was answered with');",
    ].join('\n');
    expect(dialectIn(commentsOf(text))).toEqual(expect.arrayContaining(['What of', 'as much as it', 'answers']));
    expect(dialectIn(messagesOf(text))).toEqual(['answered', 'is none']);
    expect(dialectIn(proseOf('Whoever asks is told apart, `whatever` it is.'))).toEqual([
      'Whoever',
      'told apart',
      'is told',
    ]);
    expect(dialectIn('Returns how many were removed.')).toEqual([]);
  });
});

describe('the lines of comments', () => {
  it('have at most 120 columns', async () => {
    const wide: string[] = [];
    for (const path of await sources()) {
      const lines = (await readFile(path, 'utf8')).split('\n');
      for (const [index, line] of lines.entries())
        if (line.length > WIDTH && /^\s*(?:\/\/|\/?\*)/.test(line)) wide.push(`${path}:${index + 1}`);
    }
    expect(wide).toEqual([]);
  });
});
