import { readdir, readFile, stat } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join, posix } from 'node:path';

const BUILD = 'site/build';

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.json': 'application/json',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
};

export interface BuiltSite {
  readonly url: string;
  /** What was asked for and does not exist. */
  readonly missing: readonly string[];
  close(): Promise<void>;
}

/** Serves the site as a plain file server does. */
export async function serveBuiltSite(): Promise<BuiltSite> {
  const missing: string[] = [];
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url!, 'http://localhost');
    const path = posix.join(BUILD, decodeURIComponent(pathname), pathname.endsWith('/') ? 'index.html' : '');
    readFile(path).then(
      (content) => response.setHeader('content-type', TYPES[extname(path)] ?? 'application/octet-stream').end(content),
      () => {
        missing.push(pathname);
        response.writeHead(404).end();
      },
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    missing,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}

/** The paths of all pages: `/`, `/docs/csrf/`, … */
export async function builtPages(): Promise<string[]> {
  if (!(await stat(BUILD).catch(() => undefined)))
    throw new Error('there is no site to test: run `npm run docs` first');
  return (await readdir(BUILD, { recursive: true }))
    .filter((name) => posix.basename(name) === 'index.html')
    .map((name) => join('/', name.slice(0, -'index.html'.length)))
    .sort();
}

/** The HTML of a page. */
export function builtPage(path: string): Promise<string> {
  return readFile(posix.join(BUILD, path, 'index.html'), 'utf8');
}

/** Where the links of a page lead. Its HTML is minified: most values have no quotes. */
export function builtLinks(html: string): string[] {
  const links = [...html.matchAll(/<a [^>]*?\bhref=(?:"([^"]*)"|([^\s>]+))/g)];
  return links.map(([, quoted, bare]) => (quoted ?? bare)!.replaceAll('&amp;', '&'));
}

/** Whether the site has a page or a file at an address, with the heading that the address names. */
export async function isBuilt({ pathname, hash }: URL): Promise<boolean> {
  const file = posix.join(BUILD, decodeURIComponent(pathname), pathname.endsWith('/') ? 'index.html' : '');
  const content = await readFile(file, 'utf8').catch(() => undefined);
  if (content === undefined) return false;
  if (hash === '') return true;
  const id = decodeURIComponent(hash.slice(1)).replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  return new RegExp(`\\bid=(?:"${id}"|${id}[\\s>])`).test(content);
}

/** The part of an address that follows the one of the repository. */
export function repositoryPath(address: string, repository: string): string | undefined {
  const prefix = `${repository.replace('git+', '').replace('.git', '')}/`;
  return address.startsWith(prefix) ? address.slice(prefix.length) : undefined;
}

/** Whether such a part is a file or a folder of the repository, and shown as what it is. */
export async function isInRepository(path: string): Promise<boolean> {
  const [, view, file] = /^(blob|tree|raw)\/HEAD\/([^#]+)/.exec(path) ?? [];
  if (file === undefined) return path === '';
  const found = await stat(file).catch(() => undefined);
  return found !== undefined && found.isDirectory() === (view === 'tree');
}
