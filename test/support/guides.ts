import { readdir, readFile } from 'node:fs/promises';
import { blocksOf, type Block } from './markdown.js';

/** The pages that users and contributors read, with their text. */
export async function readPages(): Promise<ReadonlyMap<string, string>> {
  const names = await readdir('docs', { recursive: true });
  const guides = names.filter((name) => name.endsWith('.md')).map((name) => `docs/${name}`);
  const pages = ['README.md', 'SECURITY.md', 'CONTRIBUTING.md', 'CHANGELOG.md', ...guides];
  return new Map(await Promise.all(pages.map(async (page) => [page, await readFile(page, 'utf8')] as const)));
}

/** The fenced blocks of all pages. */
export async function readBlocks(): Promise<Block[]> {
  return [...(await readPages())].flatMap(([page, text]) => blocksOf(page, text));
}
