import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { AppModule } from '../../examples/quick-start/app.module.js';
import { DEMO_ARGUMENTS } from '../support/demo-process.js';
import { startExample, type ExampleApp } from '../support/example-app.js';
import { readPages } from '../support/guides.js';
import { blocksOf } from '../support/markdown.js';
import { bashOf } from './powershell.js';

const run = promisify(execFile);

/** Scripts of the reader's application, not of this repository. */
const OF_APPLICATIONS = ['docs/nest-add.md: npm run start:dev'];

/** A command of a page. */
interface Command {
  readonly page: string;
  readonly text: string;
}

describe('the commands in README and guides', () => {
  let commands: readonly Command[];

  beforeAll(async () => {
    commands = [...(await readPages())].flatMap(([page, text]) =>
      [...text.matchAll(/\b(?:npm|npx) [^`|&;\n]+/g)].map(([found]) => ({ page, text: found.trim() })),
    );
  });

  it('name scripts of package.json', async () => {
    const { scripts } = JSON.parse(await readFile('package.json', 'utf8')) as { scripts: Record<string, string> };
    const named = commands.flatMap(({ page, text }) =>
      [...(/^npm (?:run )?((?<=run )[\w:-]+|start|test)/.exec(text)?.slice(1) ?? [])].map((script) => ({
        page,
        text,
        script,
      })),
    );
    expect(named.length).toBeGreaterThan(40);
    const missing = named.filter(({ script }) => !(script in scripts)).map(({ page, text }) => `${page}: ${text}`);
    expect(missing).toEqual(OF_APPLICATIONS);
  });

  it('start the demo as the tests of its pages do', async () => {
    const { scripts } = JSON.parse(await readFile('package.json', 'utf8')) as { scripts: Record<string, string> };
    expect(scripts['start']).toBe(`npm run --silent build && node ${DEMO_ARGUMENTS.join(' ')}`);
  });

  it('name tests that exist', async () => {
    const files = await testFiles();
    const patterns = commands.flatMap(({ text }) => /^npm test -- ([\w/-]+)/.exec(text)?.[1] ?? []);
    expect(patterns).toEqual(expect.arrayContaining(['csrf', 'near-cache', 'test/stores/mysql']));
    for (const pattern of patterns) {
      expect([pattern, files.some((file) => new RegExp(pattern).test(file))]).toEqual([pattern, true]);
    }
    const stacks = commands.flatMap(({ text }) => /^npm run test:stacks -- ([\w-]+)/.exec(text)?.[1] ?? []);
    expect(await readdir('test/stacks')).toEqual(expect.arrayContaining(stacks));
  });

  it('name files of the installed package that it contains', async () => {
    const paths = [...(await readPages()).values()].flatMap((text) =>
      [...text.matchAll(/node_modules\/nestjs-session-auth\/([\w./-]+\.\w+)/g)].map(([, path]) => path!),
    );
    expect(paths.length).toBeGreaterThan(3);
    const manifest = await readFile('libs/session-auth/package.json', 'utf8');
    const { exports } = JSON.parse(manifest) as { exports: Record<string, unknown> };
    for (const path of paths) {
      expect(Object.keys(exports)).toContain(`./${path}`);
      expect(await readFile(join('libs/session-auth', path), 'utf8')).not.toBe('');
    }
  });

  describe('of the README, for a login', () => {
    let example: ExampleApp;
    let folder: string;

    beforeEach(async () => {
      example = await startExample(AppModule);
      folder = await mkdtemp(join(tmpdir(), 'commands-'));
    });
    afterEach(async () => {
      await example.close();
      await rm(folder, { recursive: true });
    });

    it.each(['sh', 'powershell'])('sign in and read, in a block of %s', async (language) => {
      const blocks = blocksOf('README.md', await readFile('README.md', 'utf8'));
      const block = blocks.find(({ language: each, code }) => each === language && code.includes('/auth/login'))!;
      const script = language === 'powershell' ? bashOf(block.code) : block.code;
      const here = script.replaceAll('localhost:3000', `localhost:${example.port}`);
      const { stdout } = await run('bash', ['-c', here], { cwd: folder });
      expect(stdout).toContain('"user":{"id":"1","email":"ada@example.com","roles":["author"]}');
      expect(stdout).toMatch(/\{"author":"ada@example.com"\}$/);
    });
  });
});

/** The paths that `npm test` chooses from. */
async function testFiles(): Promise<string[]> {
  const found: string[] = [];
  for (const folder of ['libs/session-auth/src', 'libs/session-auth/test', 'src', 'bench', 'test', 'examples']) {
    const names = await readdir(folder, { recursive: true });
    found.push(...names.filter((name) => /spec\.ts$/.test(name)).map((name) => `${folder}/${name}`));
  }
  return found;
}
