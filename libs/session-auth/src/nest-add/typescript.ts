import { createRequire } from 'node:module';
import { join } from 'node:path';
import type TypeScript from 'typescript';

/**
 * Returns the TypeScript of the application or of its Nest CLI. TypeScript is not a dependency of this library, but
 * every project in which `nest add` runs has it. TypeScript 7 has no API in JavaScript.
 */
export function loadTypeScript(folder = process.cwd()): typeof TypeScript {
  const ofProject = createRequire(join(folder, 'package.json'));
  const sources = [
    () => ofProject,
    () => createRequire(ofProject.resolve('@nestjs/cli/package.json')),
    () => createRequire(import.meta.url),
  ];
  for (const source of sources) {
    try {
      const typescript = source()('typescript') as Partial<typeof TypeScript>;
      if (typeof typescript.createSourceFile === 'function') return typescript as typeof TypeScript;
    } catch {
      // try the next one
    }
  }
  throw new Error('TypeScript is not installed here: npm install --save-dev typescript');
}
