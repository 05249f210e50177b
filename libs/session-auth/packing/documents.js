/**
 * The documents that the package contains, and their links. A link leads to a file of the package, or to the
 * repository: the one address for this is `repository` in package.json.
 */
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join, posix } from 'node:path';

/** Where a page of the repository is read: a file, a folder, or a picture as it is. */
const VIEWS = { file: 'blob/HEAD', folder: 'tree/HEAD', picture: 'raw/HEAD' };

/** Folders of `docs` that are for those who work on the library. */
const NOT_PACKED = ['docs/api', 'docs/decisions'];

/** The address of the repository, without what only git needs. */
export function repositoryOf(manifest) {
  return manifest.repository.url.replace(/^git\+/, '').replace(/\.git$/, '');
}

/** The paths of all documents in the package, which are those in the repository too. */
export function documentsIn(root) {
  const guides = readdirSync(join(root, 'docs'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) =>
      posix.join(entry.parentPath.slice(root.length).replaceAll('\\', '/').replace(/^\//, ''), entry.name),
    )
    .filter((path) => !NOT_PACKED.some((folder) => path.startsWith(`${folder}/`)));
  return ['README.md', 'CHANGELOG.md', 'SECURITY.md', ...guides.sort()];
}

/**
 * Returns the text of a page as the package has it. All links of the README are absolute, since npm shows it far from
 * the other files. In other pages a link to a document of the package stays as it is.
 *
 * @throws Error when a link leads to a file that does not exist
 */
export function packedPage(text, path, { root, documents, repository }) {
  const packed = new Set(path === 'README.md' ? [] : documents);
  return outsideCode(text, (prose) =>
    prose.replace(/(!?)(\[(?:[^\]]|\][^(])*\])\(([^)\s]+)\)/g, (link, picture, label, target) => {
      if (/^(?:[a-z]+:|#)/.test(target)) return link;
      const [file, heading] = target.split('#');
      const found = posix.join(posix.dirname(path), file).replace(/\/$/, '');
      if (packed.has(found)) return link;
      if (!existsSync(join(root, found))) throw new Error(`${path}: there is no ${target}`);
      const view = picture ? VIEWS.picture : statSync(join(root, found)).isDirectory() ? VIEWS.folder : VIEWS.file;
      return `${picture}${label}(${repository}/${view}/${found}${heading === undefined ? '' : `#${heading}`})`;
    }),
  );
}

/** Changes what is not in a fenced block of code. */
function outsideCode(text, change) {
  return text
    .split(/(^```.*?^```$)/ms)
    .map((part) => (part.startsWith('```') ? part : change(part)))
    .join('');
}
