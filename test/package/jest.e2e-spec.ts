import { cp, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, jest } from '@jest/globals';
import { emptyProject, install, packLibrary, run } from './package-project.js';
import { PATIENCE } from '../support/patience.js';

jest.setTimeout(PATIENCE);

describe('the package as it would be published', () => {
  it('is tested by Jest in a CommonJS application, as the guide says', async () => {
    const project = await emptyProject('jest', 'commonjs');
    const nest = ['common', 'core', 'platform-express', 'testing'].map((name) => `@nestjs/${name}@11`);
    const tools = ['jest@30', 'ts-jest@29', 'typescript@5', '@types/node@20', 'supertest@7', '@types/supertest@7'];
    await install(project, await packLibrary(), ...nest, ...tools);
    for (const example of ['quick-start', 'testing']) {
      await cp(`examples/${example}`, join(project, example), { recursive: true });
    }
    // as `nest new` writes them
    const compilerOptions = {
      module: 'nodenext',
      target: 'es2023',
      strict: true,
      experimentalDecorators: true,
      emitDecoratorMetadata: true,
      esModuleInterop: true,
      isolatedModules: true,
    };
    await writeFile(join(project, 'tsconfig.json'), JSON.stringify({ compilerOptions }));
    const program = [join(project, 'node_modules/jest/bin/jest.js'), '--config', 'testing/jest.config.cjs'];
    const { stderr } = await run(process.execPath, [...program, '--no-cache', 'notes'], { cwd: project });
    expect(stderr).toMatch(/^Tests: +[1-9]\d* passed, \d+ total$/m);
  });
});
