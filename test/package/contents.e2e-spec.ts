import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it, jest } from '@jest/globals';
import { emptyProject, install, packLibrary, run } from './package-project.js';
import { PATIENCE } from '../support/patience.js';

jest.setTimeout(PATIENCE);

/** The SQL that users run. */
const tables = [
  'postgres/schema.sql',
  'postgres/upgrade.sql',
  'mysql/schema.sql',
  'mysql/upgrade.sql',
  'sqlite/schema.sql',
  'sqlite/upgrade.sql',
];

/** What `nest add` looks for. */
const schematics = ['schematics/collection.json', 'schematics/nest-add.schema.json'];

describe('the package as it would be published', () => {
  let tarball: string;

  beforeAll(async () => {
    tarball = await packLibrary();
  });

  it('holds the build, its documents and nothing else', async () => {
    const files = (await run('tar', ['-tzf', tarball])).stdout.trim().split('\n');
    const guides = (await readdir('docs')).filter((name) => name.endsWith('.md')).map((name) => `docs/${name}`);
    const pictures = ['docs/images/devices.png', 'docs/performance-added-cpu.svg'];
    const pages = ['README.md', 'CHANGELOG.md', 'SECURITY.md', ...guides, ...pictures];
    const documents = ['package.json', 'LICENSE', ...pages, ...tables, ...schematics].map((name) => `package/${name}`);
    expect(files).toEqual(expect.arrayContaining([...documents, 'package/dist/index.js', 'package/dist/index.d.ts']));
    const others = files.filter((file) => !documents.includes(file) && !/^package\/dist\/.*\.(js|d\.ts)$/.test(file));
    expect(others).toEqual([]);
    expect(files.filter((file) => file.includes('.spec.'))).toEqual([]);
  });

  it('passes publint and are-the-types-wrong', async () => {
    const checks = [
      run(process.execPath, ['node_modules/publint/src/cli.js', '--strict', tarball]),
      run(process.execPath, [
        'node_modules/@arethetypeswrong/cli/dist/index.js',
        tarball,
        '--ignore-rules',
        'cjs-resolves-to-esm',
        // which have no types
        '--exclude-entrypoints',
        ...tables.map((name) => `./${name}`),
      ]),
    ];
    const [publint, types] = await Promise.all(checks);
    expect(publint!.stdout).toContain('All good!');
    expect(types!.stdout).toContain('No problems found');
  });

  it('is as large, and depends on as much, as docs/packages.md says', async () => {
    const page = await readFile('docs/packages.md', 'utf8');
    const { dependencies } = JSON.parse(await readFile('libs/session-auth/package.json', 'utf8')) as {
      dependencies: object;
    };
    const section = page.slice(0, page.indexOf('\n## '));
    const named = [...section.matchAll(/^\| `([^`]+)`/gm)].map((match) => match[1]);
    expect(named.sort()).toEqual(Object.keys(dependencies).sort());

    const project = await emptyProject('size');
    await install(project, '--omit=peer', tarball);
    const said = /tarball has (\d+) kB; installed it takes ([\d.]+) MB, ([\d.]+) MB with/
      .exec(section)!
      .slice(1)
      .map(Number);
    const modules = join(project, 'node_modules');
    const own = await sizeOf(join(modules, 'nestjs-session-auth'));
    const found = [(await readFile(tarball)).length / 1e3, own / 1e6, (await sizeOf(modules)) / 1e6];
    for (const [index, size] of found.entries()) {
      expect({ index, near: Math.abs(size / said[index]! - 1) < 0.15 || `${said[index]}, now ${size}` }).toEqual({
        index,
        near: true,
      });
    }
  });
});

async function sizeOf(path: string): Promise<number> {
  const entries = await readdir(path, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  const sizes = await Promise.all(files.map(async (file) => (await readFile(join(file.parentPath, file.name))).length));
  return sizes.reduce((sum, size) => sum + size, 0);
}
