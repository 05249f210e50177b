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
  return ['README.md', 'CHANGELOG.md', 'SECURITY.md', ...guidesIn(root, NOT_PACKED)];
}

/** The paths of all files in `docs`, without those in some of its folders. */
export function guidesIn(root, without) {
  return readdirSync(join(root, 'docs'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) =>
      posix.join(entry.parentPath.slice(root.length).replaceAll('\\', '/').replace(/^\//, ''), entry.name),
    )
    .filter((path) => !without.some((folder) => path.startsWith(`${folder}/`)))
    .sort();
}

/**
 * Returns the text of a page as the package has it. All links of the README are absolute, since npm shows it far from
 * the other files. In other pages a link to a document of the package stays as it is.
 *
 * @throws Error when a link leads to a file that does not exist
 */
export function packedPage(text, path, { root, documents, repository }) {
  const packed = new Set(path === 'README.md' ? [] : documents);
  return relinkedPage(text, path, (file, picture) =>
    packed.has(file) ? undefined : addressInRepository(file, { root, repository, picture }),
  );
}

/**
 * Returns the text of a page with other links. `addressOf` gets the path of the file that a relative link leads to, and
 * returns the address to use instead; a link for which it returns undefined stays as it is.
 *
 * @throws Error that names the page when `addressOf` throws
 */
export function relinkedPage(text, path, addressOf) {
  const addressFor = (file, picture) => {
    try {
      return addressOf(file, picture);
    } catch (error) {
      throw new Error(`${path}: ${error.message}`, { cause: error });
    }
  };
  return outsideCode(text, (prose) =>
    prose.replace(/(!?)(\[(?:[^\]]|\][^(])*\])\(([^)\s]+)\)/g, (link, picture, label, target) => {
      if (/^(?:[a-z]+:|#)/.test(target)) return link;
      const [file, heading] = target.split('#');
      const address = addressFor(posix.join(posix.dirname(path), file).replace(/\/$/, ''), picture !== '');
      if (address === undefined) return link;
      return `${picture}${label}(${address}${heading === undefined ? '' : `#${heading}`})`;
    }),
  );
}

/**
 * Where a file or a folder of the repository is read.
 *
 * @throws Error when it does not exist
 */
export function addressInRepository(path, { root, repository, picture = false }) {
  if (!existsSync(join(root, path))) throw new Error(`there is no ${path} to link to`);
  const view = picture ? VIEWS.picture : statSync(join(root, path)).isDirectory() ? VIEWS.folder : VIEWS.file;
  return `${repository}/${view}/${path}`;
}

/** Changes what is not in a fenced block of code. */
function outsideCode(text, change) {
  return text
    .split(/(^```.*?^```$)/ms)
    .map((part) => (part.startsWith('```') ? part : change(part)))
    .join('');
}
