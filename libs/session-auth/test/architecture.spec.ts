import { describe, expect, it } from '@jest/globals';
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import {
  findViolations,
  importsOf,
  longestWayDown,
  type SourceFiles,
  type Violation,
} from './architecture/import-rules.js';

describe('the sources of the library', () => {
  const files = readSources(join(import.meta.dirname, '../src'));

  it('are found', () => {
    expect(files.size).toBeGreaterThan(0);
  });

  it('keep the import rules', () => {
    const report = findViolations(files).map(({ file, rule, detail }) => `${file}: ${rule}: ${detail}`);
    expect(report).toEqual([]);
  });

  it('go down by nine folders at most', () => {
    expect(longestWayDown(files).length).toBeLessThanOrEqual(9);
  });
});

describe('the longest way down', () => {
  it('is the one of most folders, the root included', () => {
    const sources = {
      'index.ts': `export * from './http/a.js'; export * from './session/b.js';`,
      'http/a.ts': `import './own.js'; import '../session/b.js';`,
      'http/own.ts': '',
      'session/b.ts': `import '../errors/c.js';`,
      'errors/c.ts': '',
    };
    expect(longestWayDown(new Map(Object.entries(sources)))).toEqual(['.', 'http', 'session', 'errors']);
  });
});

describe('the import rules', () => {
  it('let a file import its own folder, lower folders and packages', () => {
    expect(
      check({
        'errors/session-auth.error.ts': '',
        'session/session.ts': `import '../errors/session-auth.error.js'; import './session-record.js'; import 'rxjs';`,
        'session/session-record.ts': '',
        'storage/redis/redis-session-store.ts': `import { Redis } from 'ioredis'; import '../../session/session.js';`,
        'session-auth.module.ts': `import './session/session.js';`,
        'index.ts': `export * from './session-auth.module.js';`,
      }),
    ).toEqual([]);
  });

  it.each([
    ['a higher layer', 'session/session.ts', '../http/cookies.js'],
    ['a neighbour in the same layer', 'throttle/login-throttle.ts', '../fingerprint/fingerprint.js'],
    ['another adapter', 'storage/redis/redis-session-store.ts', '../memory/memory-session-store.js'],
    ['an ORM by statements', 'storage/postgres/postgres-session-store.ts', '../typeorm/postgres-data-source.js'],
    ['the root of src', 'session/session.ts', '../session-auth.options.js'],
    ['the contract suites', 'session-auth.module.ts', './testing/session-store-contract.js'],
  ])('refuse an import of %s', (_what, file, specifier) => {
    const target = new URL(specifier, `file:///${file}`).pathname.slice(1).replace(/\.js$/, '.ts');
    expect(check({ [file]: `import '${specifier}';`, [target]: '' })).toEqual([
      expect.objectContaining({ file, rule: 'layer order', detail: expect.stringContaining(target) }),
    ]);
  });

  it('refuse a folder that has no layer, from both sides', () => {
    expect(
      check({
        'novelty/thing.ts': `import '../errors/error-codes.js';`,
        'session/session.ts': `import '../novelty/thing.js';`,
        'errors/error-codes.ts': '',
      }).map(({ file, rule }) => [file, rule]),
    ).toEqual([
      ['novelty/thing.ts', 'layer order'],
      ['session/session.ts', 'layer order'],
    ]);
  });

  it('leave unit tests free to use any layer, but nobody imports a test', () => {
    expect(check({ 'session/session.spec.ts': `import '../http/cookies.js';`, 'http/cookies.ts': '' })).toEqual([]);
    expect(check({ 'session/session.ts': `import './session.spec.js';`, 'session/session.spec.ts': '' })).toMatchObject(
      [{ file: 'session/session.ts', rule: 'import the file' }],
    );
  });

  it('let unit tests share what lies in test, and nobody else leave src', () => {
    const from = (file: string, specifier: string): Violation[] => check({ [file]: `import '${specifier}';` });
    expect(from('session/session.spec.ts', '../../test/any-character.js')).toEqual([]);
    for (const [file, specifier] of [
      ['session/session.ts', '../../test/any-character.js'],
      ['session/session.spec.ts', '../../test/any-character.spec.js'],
      ['session/session.spec.ts', '../../../../test/support/bank.js'],
      ['session/session.spec.ts', '../../package.json'],
    ] as const) {
      expect(from(file, specifier)).toMatchObject([{ file, rule: 'import the file' }]);
    }
  });

  it.each([
    ['two files', { 'session/a.ts': `import './b.js';`, 'session/b.ts': `import './a.js';` }],
    ['a file and itself', { 'session/a.ts': `import './a.js';` }],
    [
      'types alone',
      {
        'session/a.ts': `import type { B } from './b.js';`,
        'session/b.ts': `export type { C } from './c.js';`,
        'session/c.ts': `export type C = import('./a.js').A;`,
      },
    ],
  ])('refuse a cycle of %s', (_what, sources) => {
    const violations = check(sources);
    expect(violations).toMatchObject([{ file: 'session/a.ts', rule: 'no cycles' }]);
    expect(violations[0]!.detail).toMatch(/^session\/a\.ts -> .*session\/a\.ts$/);
  });

  it('take two ways to the same file for no cycle', () => {
    expect(
      check({
        'session/a.ts': `import './b.js'; import './c.js';`,
        'session/b.ts': `import './c.js';`,
        'session/c.ts': '',
      }),
    ).toEqual([]);
  });

  it.each([
    ['session/session.ts', `import { Redis } from 'ioredis';`],
    ['session-auth.module.ts', `const typeorm = await import('typeorm');`],
    ['storage/redis/redis-session-store.ts', `import { DataSource } from 'typeorm';`],
    ['storage/typeorm/typeorm-session-store.ts', `import type { Redis } from 'ioredis';`],
    ['storage/postgres/postgres-session-store.ts', `import { Client } from 'pg';`],
    ['storage/memory/memory-session-store.ts', `export { Redis } from 'ioredis';`],
    ['guards/session-auth.guard.ts', `import { GqlExecutionContext } from '@nestjs/graphql';`],
    ['session/session.ts', `import 'typeorm/driver/postgres/PostgresDriver.js';`],
    ['cookies/session-cookie.ts', `import { Server } from 'socket.io';`],
    ['session/session.spec.ts', `import typeorm from 'typeorm';`],
  ])('refuse an optional peer in %s: %s', (file, text) => {
    expect(check({ [file]: text })).toMatchObject([{ file, rule: 'optional peers' }]);
  });

  it('let the folder of a peer that is loaded late name its types and import() it, and nothing else', () => {
    const lazy = `import type { A } from '@nestjs/swagger'; const b = () => import('@nestjs/swagger');`;
    expect(check({ 'openapi/a.ts': lazy })).toEqual([]);
    const rule = 'optional peers';
    for (const text of [`import { A } from '@nestjs/swagger';`, `export * from '@nestjs/swagger';`]) {
      expect(check({ 'openapi/a.ts': text })).toMatchObject([{ file: 'openapi/a.ts', rule }]);
    }
    expect(check({ 'endpoints/a.ts': lazy }).map(({ detail }) => detail)).toEqual(
      Array(2).fill('imports "@nestjs/swagger", which only openapi may'),
    );
  });

  it('know a package from one whose name begins alike', () => {
    expect(check({ 'session/session.ts': `import 'pg-boss'; import 'wsx'; import 'graphql-tag';` })).toEqual([]);
  });

  it.each(['utils', 'helpers', 'common', 'types', 'interfaces', 'constants', 'shared', 'misc'])(
    'refuse a folder named %s',
    (folder) => {
      const file = `session/${folder}/thing.ts`;
      expect(check({ [file]: '' })).toMatchObject([{ file, rule: 'folder names' }]);
    },
  );

  it.each([
    ['a folder', '../errors'],
    ['an extension left out', '../errors/error-codes'],
    ['a TypeScript extension', '../errors/error-codes.ts'],
    ['a file that is not there', '../errors/no-such-code.js'],
    ['a barrel in a folder', '../errors/index.js'],
    ['the entry point', '../index.js'],
    ['a file outside src', '../../test/architecture.spec.js'],
    ['the own package', 'nestjs-session-auth'],
    ['an entry point of the own package', 'nestjs-session-auth/redis'],
  ])('refuse an import of %s', (_what, specifier) => {
    const sources = { 'errors/error-codes.ts': '', 'errors/index.ts': '', 'index.ts': '' };
    expect(check({ ...sources, 'session/session.ts': `import '${specifier}';` })).toMatchObject([
      { file: 'session/session.ts', rule: 'import the file' },
    ]);
  });

  it('see every way to name a module, and nothing in comments and strings', () => {
    const text = `
      import a from 'a'; import type { B } from 'b'; import 'c'; import d = require('d');
      export * from 'e'; export type { F } from 'f';
      const g = await import('g'); const h = require('h'); type I = import('i').I; let j: typeof import('j');
      // import 'comment';
      const text = "import 'string'"; lookup('call');
    `;
    expect(importsOf('file.ts', text)).toEqual(['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j']);
  });
});

function check(sources: Record<string, string>): Violation[] {
  return findViolations(new Map(Object.entries(sources)));
}

function readSources(folder: string): SourceFiles {
  const files = new Map<string, string>();
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || !entry.name.endsWith('.ts')) continue;
    const path = join(entry.parentPath, entry.name);
    files.set(relative(folder, path).split(sep).join('/'), readFileSync(path, 'utf8'));
  }
  return files;
}
