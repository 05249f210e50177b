import { mkdir, readFile, writeFile } from 'node:fs/promises';
import type { Results } from '../measured.ts';
import { chartOf } from './chart.ts';
import { markdownOf } from './tables.ts';

/** Writes a run's figures as JSON, Markdown and SVG into a folder that is not kept. */
export async function save(results: Results, folder: URL): Promise<void> {
  await mkdir(folder, { recursive: true });
  await writeFile(new URL('results.json', folder), `${JSON.stringify(results, undefined, 2)}\n`);
  await writeFile(new URL('results.md', folder), `${markdownOf(results)}\n`);
  await writeFile(new URL('added-cpu.svg', folder), chartOf(results));
}

/** Puts a run's figures into the documentation: the chart, and the tables between the marks of `performance.md`. */
export async function publish(results: Results, docs: URL): Promise<void> {
  const chart = '![CPU that each contender adds to the bare route](performance-added-cpu.svg)';
  await replaceBlock('bench', `${chart}\n\n${markdownOf(results)}`, docs);
  await writeFile(new URL('performance-added-cpu.svg', docs), chartOf(results));
}

/** Puts the tables of another run between the marks of its name there. */
export async function replaceBlock(
  name: 'bench' | 'scale' | 'near-cache' | 'revoke',
  text: string,
  docs: URL,
): Promise<void> {
  const page = new URL('performance.md', docs);
  const block = new RegExp(`<!-- ${name} -->[^]*<!-- /${name} -->`);
  const before = await readFile(page, 'utf8');
  if (!block.test(before)) throw new Error(`docs/performance.md has no place for the figures of ${name}`);
  const after = before.replace(block, () => `<!-- ${name} -->\n\n${text}\n\n<!-- /${name} -->`);
  const { format, resolveConfig } = await import('prettier');
  const options = { ...(await resolveConfig(page)), parser: 'markdown' };
  await writeFile(page, await format(after, options));
}
