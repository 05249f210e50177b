import { readFile, readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { readBlocks } from '../support/guides.js';
import type { Block } from '../support/markdown.js';
import { compileSnippets, type Snippet } from './snippet-program.js';

const CODE = ['ts', 'tsx', 'js', 'jsx'];
/** What a block may be that is not code to paste. */
const OTHERS = ['sh', 'powershell', 'console', 'json', 'sql', 'text'];

describe('the blocks of code in README and guides', () => {
  let blocks: readonly Block[];
  let snippets: readonly Snippet[];

  beforeAll(async () => {
    blocks = await readBlocks();
    snippets = blocks
      .filter(({ language }) => CODE.includes(language))
      .map(({ page, line, code }) => ({ place: `${page}:${line}`, path: /^\/\/ (\S+)\n/.exec(code)?.[1] ?? '', code }));
  });

  it('say which language they are in', () => {
    const unknown = blocks.filter(({ language }) => ![...CODE, ...OTHERS].includes(language));
    expect(unknown.map(({ page, line, language }) => `${page}:${line} ${language}`)).toEqual([]);
  });

  it('are each a whole file, whose path is in the first line', async () => {
    expect(snippets.length).toBeGreaterThan(80);
    const others: string[] = [];
    for (const { place, path, code } of snippets) {
      const source = await readFile(path, 'utf8').catch(() => undefined);
      if (code !== `// ${path}\n${source}`) others.push(`${place} ${path}`);
    }
    expect(others).toEqual([]);
  });

  it('show a file at most once on a page', () => {
    const shown = snippets.map(({ place, path }) => `${place.split(':')[0]} ${path}`);
    expect(shown.filter((each, index) => shown.indexOf(each) !== index)).toEqual([]);
  });

  it('compile as they are pasted, each alone', async () => {
    const inStacks = await foldersOfStacks();
    const here = snippets.filter(({ path }) => !inStacks.includes(dirname(path)));
    expect(here.length).toBeGreaterThan(70);
    const whole = here.find(({ path }) => path === 'examples/quick-start/notes.controller.ts')!;
    const spoilt = {
      'without its closing line': whole.code.replace(/\}\n$/, ''),
      'without its imports': whole.code.replace(/^import .*\n/gm, ''),
      'with an option that does not exist': `import type { SessionAuthOptions } from 'nestjs-session-auth';
        export const options: SessionAuthOptions = { secrets: [], lifetimes: {} };`,
      'with a module that does not exist': `import './no-such-file.js';`,
      'of a script without its imports': `export const session = createSessionClient();`,
    };
    const bad = Object.entries(spoilt).map(([place, code]) => ({
      place,
      path: place.includes('script') ? 'examples/client/session.js' : whole.path,
      code,
    }));
    const errors = compileSnippets([...here, ...bad]);
    expect(Object.keys(errors).filter((place) => place in spoilt)).toEqual(Object.keys(spoilt));
    expect(Object.fromEntries(Object.entries(errors).filter(([place]) => !(place in spoilt)))).toEqual({});
  });

  it('of the README import no file that the README does not show', () => {
    const readme = snippets.filter(({ place }) => place.startsWith('README.md:'));
    const shown = readme.map(({ path }) => path);
    const missing = readme.flatMap(({ path, code }) =>
      [...code.matchAll(/ from '(\.[^']+)\.js'/g)]
        .map(([, target]) => `${join(dirname(path), target!)}.ts`)
        .filter((target) => !shown.includes(target)),
    );
    expect(missing).toEqual([]);
  });
});

/** The folders of examples whose packages are installed in test/stacks only: they are compiled there. */
async function foldersOfStacks(): Promise<string[]> {
  const tsconfig = await readFile('tsconfig.json', 'utf8');
  const [, list] = /"exclude": \[(.*?)\]/s.exec(tsconfig)!;
  const excluded = [...list!.matchAll(/"(examples\/[^"]+)"/g)].map(([, path]) => path!);
  const compiled: string[] = [];
  for (const name of await readdir('test/stacks')) {
    const manifest = await readFile(`test/stacks/${name}/package.json`, 'utf8').catch(() => '{}');
    compiled.push(...((JSON.parse(manifest) as { examples?: string[] }).examples ?? []));
  }
  // those of the ORMs have a stack each, which runs its one file
  const ofOrms = await readdir('examples/postgresql-executors');
  expect(await readdir('test/stacks')).toEqual(expect.arrayContaining(ofOrms.map((name) => name.replace('.ts', ''))));
  const others = excluded.filter((path) => path !== 'examples/postgresql-executors');
  expect(compiled.map((name) => `examples/${name}`)).toEqual(expect.arrayContaining(others));
  return excluded;
}
