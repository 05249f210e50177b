import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import ms, { type StringValue } from 'ms';
import type { LifetimePreset } from 'nestjs-session-auth';
import ts from 'typescript';
import { ADAPTERS, openBackend, startBank } from '../support/bank.js';

const ROOT = join(import.meta.dirname, '../..');
const ASVS = readFileSync(join(ROOT, 'docs/asvs.md'), 'utf8');
const PACKAGES = readFileSync(join(ROOT, 'docs/packages.md'), 'utf8');
const SECURITY = readFileSync(join(ROOT, 'SECURITY.md'), 'utf8');
const REQUIREMENTS = 70;

interface Row {
  readonly id: string;
  readonly text: string;
  readonly proofs: readonly { readonly file: string; readonly title: string }[];
}

/** The rows of the tables of requirements and of deviations. */
function rowsOf(markdown: string, kind: 'C' | 'D' = 'C'): Row[] {
  return [...markdown.matchAll(new RegExp(`^\\| (${kind}\\d+) +\\|(.*)\\|$`, 'gm'))].map(([, id = '', text = '']) => ({
    id,
    text,
    proofs: [...text.matchAll(/`([^`]+\.ts)`: “([^”]+)”/g)].map(([, file = '', title = '']) => ({ file, title })),
  }));
}

/** The titles of all tests in a source file, as they are written there. */
function titlesOf(source: string): Set<string> {
  const titles = new Set<string>();
  const visit = (node: ts.Node): void => {
    if (ts.isCallExpression(node) && isTest(node.expression)) {
      const [title] = node.arguments;
      if (title !== undefined && ts.isStringLiteralLike(title)) titles.add(title.text);
    }
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile('source.ts', source, ts.ScriptTarget.Latest));
  return titles;
}

/** `it`, `it.each(…)`, `test`; not `it.skip`, which proves nothing. */
function isTest(callee: ts.Expression): boolean {
  if (ts.isIdentifier(callee)) return callee.text === 'it' || callee.text === 'test';
  if (!ts.isCallExpression(callee) || !ts.isPropertyAccessExpression(callee.expression)) return false;
  return callee.expression.name.text === 'each' && isTest(callee.expression.expression);
}

/** What is wrong with a table; nothing is missing, made up or out of order when this is empty. */
function flawsOf(rows: readonly Row[], kind = 'C', length = REQUIREMENTS): string[] {
  const expected = Array.from({ length }, (_, index) => `${kind}${index + 1}`);
  const flaws = rows.map(({ id }) => id).join() === expected.join() ? [] : ['not every row once, in order'];
  for (const { id, text, proofs } of rows) {
    if (proofs.length === 0 && !/\*\*(Not yet|The application’s)/.test(text))
      flaws.push(`${id}: neither test nor reason`);
    if (proofs.length !== text.split('.ts`').length - 1) flaws.push(`${id}: a file without a title`);
    for (const { file, title } of proofs) {
      const titles = titlesIn(file);
      if (titles === undefined) flaws.push(`${id}: there is no ${file}`);
      else if (!titles.has(title)) flaws.push(`${id}: ${file} has no test “${title}”`);
    }
  }
  return flaws;
}

const known = new Map<string, ReadonlySet<string> | undefined>();

/** The titles in a file of the repository; undefined where there is no such file. */
function titlesIn(file: string): ReadonlySet<string> | undefined {
  const path = join(ROOT, file);
  if (!known.has(file)) known.set(file, existsSync(path) ? titlesOf(readFileSync(path, 'utf8')) : undefined);
  return known.get(file);
}

describe('the table of requirements in docs/asvs.md', () => {
  it('has every requirement, with existing tests or the reason why there is no test', () => {
    expect(flawsOf(rowsOf(ASVS))).toEqual([]);
  });

  it('is followed by the deviations, each of a requirement, with existing tests', () => {
    const deviations = rowsOf(ASVS, 'D');
    expect(deviations.length).toBeGreaterThan(0);
    expect(flawsOf(deviations, 'D', deviations.length)).toEqual([]);
    const ids = new Set(rowsOf(ASVS).map(({ id }) => id));
    for (const { text } of deviations) expect(ids).toContain(text.split('|')[0]!.trim());
  });

  it('would be found out if it were wrong', () => {
    const row = (id: string, text: string): Row => rowsOf(`| ${id} |${text}|`)[0]!;
    const rows = rowsOf(ASVS).map(({ id }) => row(id, ' **Not yet.** '));
    const flawsWith = (text: string): string[] => flawsOf([row('C1', text), ...rows.slice(1)]);
    const table = 'test/docs/security-table.e2e-spec.ts';
    expect(flawsWith(' x | `test/none.e2e-spec.ts`: “a” ')).toEqual(['C1: there is no test/none.e2e-spec.ts']);
    expect(flawsWith(` x | \`${table}\`: “no such test” `)).toEqual([`C1: ${table} has no test “no such test”`]);
    expect(flawsWith(` x | \`${table}\` `)).toEqual(['C1: neither test nor reason', 'C1: a file without a title']);
    expect(flawsWith(' x | ')).toEqual(['C1: neither test nor reason']);
    expect(flawsWith(' x | **Not yet.** Because. ')).toEqual([]);
    expect(flawsOf(rows.slice(1))).toEqual(['not every row once, in order']);
    expect(flawsOf([...rows].reverse())).toEqual(['not every row once, in order']);
    expect([...titlesOf("it('a', f); it.each([1])('b', f); it.skip('c', f); describe('d', f); // it('e')")]).toEqual([
      'a',
      'b',
    ]);
  });
});

describe('the table of attacks in SECURITY.md', () => {
  it('quotes tests that there are', () => {
    const quoted = [...SECURITY.matchAll(/`([^`]+\.ts)`: “([^”]+)”/g)];
    expect(quoted.length).toBeGreaterThan(0);
    for (const [, file = '', title = ''] of quoted)
      expect([file, [...(titlesIn(file) ?? [])]]).toEqual([file, expect.arrayContaining([title])]);
  });
});

describe('the lifetimes in docs/asvs.md', () => {
  const section = ASVS.split('## Lifetimes by NIST')[1]!.split('\n## ')[0]!;
  const lines = [...section.matchAll(/^\| (`nistAal\d`|by default) +\|[^|]*\| ([^|]+?) +\| ([^|]+?) +\|$/gm)];
  const documented = lines.map(([, name = '', idle = '', absolute = '']) => {
    const preset = name === 'by default' ? undefined : (name.replaceAll('`', '') as LifetimePreset);
    return { preset, idle: ms(idle as StringValue), absolute: ms(absolute as StringValue) };
  });

  it('say of NIST’s levels and of the defaults what the code does', async () => {
    expect(documented.map(({ preset }) => preset)).toEqual(['nistAal1', 'nistAal2', 'nistAal3', undefined]);
    for (const [index, { preset, idle, absolute }] of documented.entries()) {
      const adapter = ADAPTERS[index % ADAPTERS.length]!;
      const options = preset === undefined ? {} : { lifetime: preset };
      const bank = await startBank({ adapter, backend: await openBackend('memory'), options });
      try {
        const { createdAt, expiresAt, absoluteExpiresAt } = await bank.client().login('alice');
        const after = (time: string): number => Date.parse(time) - Date.parse(createdAt);
        expect([preset, after(expiresAt), after(absoluteExpiresAt)]).toEqual([preset, idle, absolute]);
      } finally {
        await bank.close();
      }
    }
  });
});

describe('the dependencies in docs/packages.md', () => {
  interface Locked {
    readonly version: string;
    readonly dependencies?: Readonly<Record<string, string>>;
  }

  /** What npm installs with a package of the lock file, itself included, as `name version`. */
  function installedWith(packages: Readonly<Record<string, Locked>>, path: string): string[] {
    return Object.keys(packages[path]!.dependencies ?? {}).flatMap((name) => {
      const nested = `${path}/node_modules/${name}`;
      const found = nested in packages ? nested : `node_modules/${name}`;
      return [`${name} ${packages[found]!.version}`, ...installedWith(packages, found)];
    });
  }

  it('are all that the library brings along, in the versions of the lock file', () => {
    const lock = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')) as {
      readonly packages: Readonly<Record<string, Locked>>;
    };
    const section = PACKAGES.split('## Versions and advisories')[1]!.split('\n## ')[0]!;
    const documented = [...section.matchAll(/^\| `([^`]+)` +\| (\S+) /gm)].map(
      ([, name, version]) => `${name} ${version}`,
    );
    expect(documented).toEqual(installedWith(lock.packages, 'libs/session-auth'));
  });
});
