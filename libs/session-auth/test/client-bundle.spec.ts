import { readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { importsOf } from './architecture/import-rules.js';

const SIZE = '../client/size.js';
const FOLDER = join(import.meta.dirname, '../src/client');

interface Bundles {
  readonly MOST_BYTES: number;
  readonly bundleOf: (entry: string) => { text: string; files: string[]; imports: object[] };
}

describe('the client for browsers', () => {
  it('takes at most 2,500 bytes, minified, and brings nothing along', async () => {
    const { MOST_BYTES, bundleOf } = (await import(SIZE)) as Bundles;
    const { text, files, imports } = bundleOf(join(FOLDER, 'index.ts'));
    expect(MOST_BYTES).toBe(2500);
    expect(Buffer.byteLength(text)).toBeLessThanOrEqual(MOST_BYTES);
    expect(files.filter((file) => !file.includes('src/client/'))).toEqual([]);
    expect(imports).toEqual([]);
    expect(text).not.toMatch(/\bimport\b|\brequire\b/);
  });

  it('loads nothing with its files but files of its own', () => {
    const loaded = readdirSync(FOLDER).flatMap((name) =>
      importsOf(name, readFileSync(join(FOLDER, name), 'utf8'), 'with the file'),
    );
    expect([...new Set(loaded)]).toEqual(['./session-client.js']);
  });

  it('has types that lead to no package: browsers have neither Nest nor Node.js', () => {
    const reached = new Set([join(FOLDER, 'index.ts')]);
    const packages: string[] = [];
    for (const file of reached) {
      for (const specifier of importsOf(file, readFileSync(file, 'utf8'))) {
        if (specifier.startsWith('.')) reached.add(join(dirname(file), specifier.replace(/js$/, 'ts')));
        else packages.push(`${file}: ${specifier}`);
      }
    }
    expect(packages).toEqual([]);
    expect([...reached].map((file) => basename(file))).toContain('answers.ts');
  });

  it('keeps nothing in the storage of the browser', async () => {
    const { bundleOf } = (await import(SIZE)) as Bundles;
    expect(bundleOf(join(FOLDER, 'index.ts')).text).not.toMatch(/storage|indexedDB|cookie|caches/i);
  });
});
