/** Copies the documents into the package, with links that work there. `npm pack` and `npm publish` run this. */
import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { documentsIn, packedPage, repositoryOf } from './documents.js';

const LIBRARY = join(import.meta.dirname, '..');
const ROOT = join(LIBRARY, '../..');

const repository = repositoryOf(JSON.parse(readFileSync(join(LIBRARY, 'package.json'), 'utf8')));
const documents = documentsIn(ROOT);

rmSync(join(LIBRARY, 'docs'), { recursive: true, force: true });
for (const path of documents) {
  const target = join(LIBRARY, path);
  mkdirSync(dirname(target), { recursive: true });
  if (!path.endsWith('.md')) copyFileSync(join(ROOT, path), target);
  else
    writeFileSync(
      target,
      packedPage(readFileSync(join(ROOT, path), 'utf8'), path, { root: ROOT, documents, repository }),
    );
}
