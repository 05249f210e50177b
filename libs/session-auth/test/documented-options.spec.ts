import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import ts from 'typescript';

const SOURCES = join(import.meta.dirname, '../src');

const EXPORTS = [
  'index.ts',
  'storage/redis/index.ts',
  'storage/postgres/index.ts',
  'storage/typeorm/index.ts',
  'storage/mysql/index.ts',
  'storage/sqlite/index.ts',
  'websockets/index.ts',
  'graphql/index.ts',
  'client/index.ts',
  'passport/index.ts',
  'testing/index.ts',
]
  .map((name) => readFileSync(join(SOURCES, name), 'utf8'))
  .join();
const isExported = (name: string): boolean => new RegExp(`\\b${name}\\b`).test(EXPORTS);

describe('the options', () => {
  const interfaces = readdirSync(SOURCES, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && !name.endsWith('.spec.ts'))
    .flatMap((name) => {
      const source = ts.createSourceFile(name, readFileSync(join(SOURCES, name), 'utf8'), ts.ScriptTarget.ES2023, true);
      return source.statements.filter(ts.isInterfaceDeclaration);
    })
    .filter(({ name }) => /(Options|Extras)$/.test(name.text) && isExported(name.text));

  it('are found', () => {
    expect(interfaces.map(({ name }) => name.text)).toEqual(
      expect.arrayContaining(['SessionAuthOptions', 'CookieOptions', 'CsrfOptions', 'TypeOrmStorageOptions']),
    );
  });

  it('have a word of help for the editor at every key, and a default at every one that may be left out', () => {
    const bare = interfaces.flatMap(({ name, members }) =>
      members.flatMap((member) => {
        const text = member.getFullText().slice(0, member.getLeadingTriviaWidth());
        const missing = [
          ...(/\/\*\*/.test(text) ? [] : ['help']),
          ...(member.questionToken === undefined || INTERNAL.has(name.text) || /@default|default/i.test(text)
            ? []
            : ['default']),
        ];
        return missing.length === 0 ? [] : [`${name.text}.${member.name?.getText()}: no ${missing.join(', no ')}`];
      }),
    );
    expect(bare).toEqual([]);
  });
});

/** Options whose absence is absence: nothing stands in for them. */
const INTERNAL = new Set(['SessionAuthErrorOptions']);
