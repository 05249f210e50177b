import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { HostTree } from '@angular-devkit/schematics';
import { SchematicTestRunner } from '@angular-devkit/schematics/testing/index.js';

/*
 * Runs the schematic of the built package as the CLI does, with its collection, its schema and its defaults. Not in
 * Jest, where CommonJS cannot require an ES module.
 *
 * A message has runs, each `{ nest, options, files, twice }`. The answer has what came of each: `{ files, tasks, log }`
 * or `{ error }`.
 */
const ROOT = join(import.meta.dirname, '../..');

function projectOf(nest) {
  const folder = join(ROOT, `test/stacks/nest-add-${nest}/project`);
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((each) => each.isFile());
  return Object.fromEntries(
    entries.map(({ parentPath, name }) => {
      const path = join(parentPath, name);
      return [relative(folder, path).replaceAll('\\', '/'), readFileSync(path, 'utf8')];
    }),
  );
}

async function runSchematic({ nest, options = {}, files = {}, twice = false }) {
  const runner = new SchematicTestRunner(
    'nestjs-session-auth',
    join(ROOT, 'libs/session-auth/schematics/collection.json'),
  );
  const log = [];
  runner.logger.subscribe(({ message }) => log.push(message));
  let tree = new HostTree();
  for (const [path, text] of Object.entries({ ...projectOf(nest), ...files })) {
    if (text !== null) tree.create(path, text);
  }
  try {
    tree = await runner.runSchematic('nest-add', options, tree);
    if (twice) tree = await runner.runSchematic('nest-add', options, tree);
  } catch (error) {
    return { error: error.message };
  }
  const texts = tree.files.map((path) => [path.slice(1), tree.readText(path)]);
  return { files: Object.fromEntries(texts), tasks: runner.tasks.map(({ name }) => name), log };
}

process.on('message', async (runs) => {
  const results = [];
  for (const run of runs) results.push(await runSchematic(run));
  process.send(results);
});
