import assert from 'node:assert/strict';
import ts from 'typescript';

/*
 * Checks the application, and every declaration of this package: those of others are read, and what TypeScript says of
 * them does not count.
 */
assert.match(ts.version, /^5\.4\./);
const options = {
  strict: true,
  exactOptionalPropertyTypes: true,
  noUncheckedIndexedAccess: true,
  skipLibCheck: false,
  noEmit: true,
  experimentalDecorators: true,
  emitDecoratorMetadata: true,
  target: ts.ScriptTarget.ES2022,
  module: ts.ModuleKind.NodeNext,
  moduleResolution: ts.ModuleResolutionKind.NodeNext,
  types: ['node'],
};
const program = ts.createProgram(['app.ts'], options);
const isOurs = (file) => file === undefined || !/node_modules\/(?!nestjs-session-auth\/)/.test(file.fileName);
const found = ts.getPreEmitDiagnostics(program).filter(({ file }) => isOurs(file));
const host = { getCanonicalFileName: (name) => name, getCurrentDirectory: () => process.cwd(), getNewLine: () => '\n' };
process.stdout.write(ts.formatDiagnostics(found, host));
const ours = program.getSourceFiles().filter(({ fileName }) => fileName.includes('node_modules/nestjs-session-auth/'));
for (const entry of [
  '',
  'storage/redis/',
  'storage/postgres/',
  'storage/mysql/',
  'storage/typeorm/',
  'websockets/',
  'graphql/',
  'client/',
  'testing/',
]) {
  const file = `nestjs-session-auth/dist/${entry}index.d.ts`;
  assert.ok(
    ours.some(({ fileName }) => fileName.endsWith(file)),
    `${file} was not read`,
  );
}
assert.deepEqual(found.length, 0);
process.stdout.write(`pass ${ours.length} declaration files of this package\n`);
