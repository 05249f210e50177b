import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { importsOf } from './architecture/import-rules.js';

const SIZE = '../client/size.js';
const FOLDER = join(import.meta.dirname, '../src/client');

interface Bundles {
  readonly MOST_BYTES: number;
  readonly bundleOf: (entry: string) => { text: string; files: string[]; imports: object[] };
}

/** A module of as many bytes, minified. */
function printing(bytes: number): string {
  return `console.log("${'x'.repeat(bytes - 'console.log("");\n'.length)}");`;
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

  it.each([
    ['passes 2,500 bytes', { 'index.js': printing(2500) }, 0, ''],
    ['fails at one more', { 'index.js': printing(2501) }, 1, '2501 of 2500 bytes; it brings along: nothing'],
    ['fails at a package', { 'index.js': `export * from 'bcrypt';` }, 1, 'it brings along: bcrypt'],
    ['fails at a file of another folder', { 'index.js': `export * from '../a.js';`, '../a.js': '' }, 1, 'dist/a.js'],
  ])('has its size checked by the build, which %s', (_what, files, status, message) => {
    // in the repository, for esbuild
    const folder = mkdtempSync(join(import.meta.dirname, '.client-size-'));
    try {
      for (const name of ['client', 'dist/client']) mkdirSync(join(folder, name), { recursive: true });
      copyFileSync(join(import.meta.dirname, SIZE), join(folder, 'client/size.js'));
      for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, 'dist/client', name), text);
      const built = spawnSync(process.execPath, [join(folder, 'client/size.js')], { encoding: 'utf8' });
      expect([built.status, built.stderr]).toEqual([status, message === '' ? '' : expect.stringContaining(message)]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('is built with this check', () => {
    const { scripts } = JSON.parse(readFileSync(join(import.meta.dirname, '../package.json'), 'utf8')) as {
      scripts: Record<string, string>;
    };
    expect(scripts['build']).toMatch(/&& node client\/size\.js$/);
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
