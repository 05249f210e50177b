/**
 * Writes the pages of the site into a folder: the documents of the repository, with links that work on the site. A link
 * to what the site does not have leads to the repository, at the address that the package uses too.
 */
import { copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';
import { fileURLToPath } from 'node:url';
import { addressInRepository, guidesIn, relinkedPage, repositoryOf } from '../libs/session-auth/packing/documents.js';

// Docusaurus loads its configuration by jiti, which does not know import.meta.dirname.
export const ROOT = fileURLToPath(new URL('..', import.meta.url));

const manifest = JSON.parse(readFileSync(join(ROOT, 'libs/session-auth/package.json'), 'utf8'));

/** The address of the repository. */
export const REPOSITORY = repositoryOf(manifest);

/** What the package says of itself in one sentence. */
export const DESCRIPTION = manifest.description;

/** A folder whose files the site lists on a page: what GitHub shows where a link leads to a folder. */
const DECISIONS = 'docs/decisions';

/** The page that lists them. */
export const DECISIONS_PAGE = `${DECISIONS}/README.md`;

/** @throws Error when a link leads to a file that does not exist */
export function writePages(folder) {
  const pages = ['README.md', 'SECURITY.md', 'CHANGELOG.md', 'CONTRIBUTING.md', ...guidesIn(ROOT, ['docs/api'])];
  const known = new Set(pages);
  rmSync(folder, { recursive: true, force: true });
  for (const page of pages) {
    const addressOf = (file, picture) => {
      if (known.has(file) && (picture || file.endsWith('.md'))) return undefined;
      if (file === DECISIONS) return posix.relative(posix.dirname(page), DECISIONS_PAGE);
      return addressInRepository(file, { root: ROOT, repository: REPOSITORY, picture });
    };
    const target = join(folder, page);
    mkdirSync(dirname(target), { recursive: true });
    if (!page.endsWith('.md')) copyFileSync(join(ROOT, page), target);
    else writeFileSync(target, relinkedPage(readFileSync(join(ROOT, page), 'utf8'), page, addressOf));
  }
  writeFileSync(join(folder, DECISIONS_PAGE), listOfDecisions());
}

/** The names of the decisions, in their order. */
export function decisions() {
  return readdirSync(join(ROOT, DECISIONS))
    .filter((name) => name.endsWith('.md'))
    .sort();
}

function listOfDecisions() {
  const lines = decisions().map((name) => {
    const [, title] = /^# (.*)$/m.exec(readFileSync(join(ROOT, DECISIONS, name), 'utf8'));
    // a number with a point would begin a list in the list
    return `- [${title.replace(/^(\d+)\./, '$1\\.')}](${name})`;
  });
  return `# Decisions\n\nWhy the library is built as it is, half a page for each decision.\n\n${lines.join('\n')}\n`;
}
