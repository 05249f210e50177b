import { mkdir, readFile, writeFile } from 'node:fs/promises';
import type { Results } from '../measured.ts';
import { chartOf } from './chart.ts';
import { markdownOf } from './tables.ts';

const BLOCK = /<!-- bench -->[^]*<!-- \/bench -->/;

/** Writes a run's figures as JSON, Markdown and SVG into a folder that is not kept. */
export async function save(results: Results, folder: URL): Promise<void> {
  await mkdir(folder, { recursive: true });
  await writeFile(new URL('results.json', folder), `${JSON.stringify(results, undefined, 2)}\n`);
  await writeFile(new URL('results.md', folder), `${markdownOf(results)}\n`);
  await writeFile(new URL('added-cpu.svg', folder), chartOf(results));
}

/** Puts a run's figures into the documentation: the chart, and the tables between the marks of `performance.md`. */
export async function publish(results: Results, docs: URL): Promise<void> {
  const page = new URL('performance.md', docs);
  const text = await readFile(page, 'utf8');
  if (!BLOCK.test(text)) throw new Error('docs/performance.md has no place for the figures');
  const block = `<!-- bench -->\n\n${markdownOf(results)}\n\n<!-- /bench -->`;
  const { format, resolveConfig } = await import('prettier');
  const options = { ...(await resolveConfig(page)), parser: 'markdown' };
  await writeFile(
    page,
    await format(
      text.replace(BLOCK, () => block),
      options,
    ),
  );
  await writeFile(new URL('performance-added-cpu.svg', docs), chartOf(results));
}
