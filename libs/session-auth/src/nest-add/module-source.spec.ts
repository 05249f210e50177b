import { describe, expect, it } from '@jest/globals';
import ts from 'typescript';
import { addToModule } from './module-source.js';

const added = { imports: [{ names: ['New'], from: 'new' }], elements: ['New.forRoot({\n  a: 1,\n})'] };
const NEW = '    New.forRoot({\n      a: 1,\n    }),\n';
const add = (text: string, more: Partial<typeof added> = {}): string => addToModule(ts, text, { ...added, ...more });
const moduleOf = (metadata: string): string =>
  `import { Module } from '@nestjs/common';\n\n@Module(${metadata})\nexport class A {}\n`;
const withNew = (metadata: string): string =>
  `import { Module } from '@nestjs/common';\nimport { New } from 'new';\n\n@Module(${metadata})\nexport class A {}\n`;

describe('addToModule', () => {
  it.each([
    ['{}', `{\n  imports: [\n${NEW}  ],\n}`],
    ['{\n  imports: [],\n}', `{\n  imports: [\n${NEW}  ],\n}`],
    ['{ imports: [] }', `{ imports: [\n${NEW}  ] }`],
    ['{\n  imports: [One],\n}', `{\n  imports: [\n    One,\n${NEW}  ],\n}`],
    [
      '{\n  imports: [One, Two.forRoot({ a: 1 }),],\n}',
      `{\n  imports: [\n    One, Two.forRoot({ a: 1 }),\n${NEW}  ],\n}`,
    ],
    ['{\n  imports: [\n    One,\n    Two,\n  ],\n}', `{\n  imports: [\n    One,\n    Two,\n${NEW}  ],\n}`],
    ['{\n  imports: [\n    One,\n    Two\n  ]\n}', `{\n  imports: [\n    One,\n    Two,\n${NEW}  ]\n}`],
    ['{\n  imports: [\n    One, // why\n  ],\n}', `{\n  imports: [\n    One, // why\n${NEW}  ],\n}`],
    [
      '{\n  imports: [\n    One.a({\n      b: [],\n    }),\n  ],\n}',
      `{\n  imports: [\n    One.a({\n      b: [],\n    }),\n${NEW}  ],\n}`,
    ],
    ['{\n  imports: modules,\n}', `{\n  imports: [\n    ...(modules),\n${NEW}  ],\n}`],
    ["{\n  'imports': [],\n}", `{\n  'imports': [\n${NEW}  ],\n}`],
    ['{\n  controllers: [C],\n}', `{\n  imports: [\n${NEW}  ],\n  controllers: [C],\n}`],
  ])('changes @Module(%j)', (before, after) => {
    expect(add(moduleOf(before))).toBe(withNew(after));
    const { diagnostics } = ts.transpileModule(add(moduleOf(before)), {
      reportDiagnostics: true,
      compilerOptions: { experimentalDecorators: true },
    });
    expect(diagnostics).toEqual([]);
  });

  it('takes the first module of a file, and no other decorator of that name', () => {
    const text = moduleOf('{ controllers: [] }').replace('@Module', '@Other({ imports: [] })\n@Module');
    expect(add(text)).toContain('@Other({ imports: [] })\n@Module({\n  imports: [\n    New');
  });

  it('adds to an import that is there, keeps the quotes and the ends of lines', () => {
    const text =
      'import { Module } from "@nestjs/common";\r\nimport { Old } from "new";\r\n\r\n@Module({\r\n  imports: [Old],\r\n})\r\nclass A {}\r\n';
    const imports = [
      { names: ['Old', 'New'], from: 'new' },
      { names: ['Other'], from: './other' },
    ];
    expect(add(text, { imports })).toBe(
      'import { Module } from "@nestjs/common";\r\nimport { Old, New } from "new";\r\nimport { Other } from "./other";\r\n\r\n' +
        '@Module({\r\n  imports: [\r\n    Old,\r\n    New.forRoot({\r\n      a: 1,\r\n    }),\r\n  ],\r\n})\r\nclass A {}\r\n',
    );
  });

  it('does not add a class to an import of types', () => {
    const text = moduleOf('{}').replace('\n\n', "\nimport type { New } from 'new';\n\n");
    expect(add(text)).toContain("import type { New } from 'new';\nimport { New } from 'new';");
  });

  it.each(['@Module(metadata)\nclass A {}', 'class A {}', '', '@Module()\nclass A {}'])('refuses %j', (text) => {
    expect(() => add(text)).toThrow('it has no @Module({ … })');
  });
});
