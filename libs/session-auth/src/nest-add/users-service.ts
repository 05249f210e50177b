import { posix } from 'node:path';
import { textOf, type ProjectFiles } from './project-files.js';
import { withEnding, type NestAddOptions, type Project } from './project.js';

/** The class that finds users. */
export interface UsersService {
  readonly path: string;
  readonly className: string;
  /** Whether the file must be created. */
  readonly isNew: boolean;
  /** The file and class of the module that exports the service; undefined if the module beside it does not. */
  readonly module: { readonly path: string; readonly className: string } | undefined;
}

export const DEFAULT_USERS_SERVICE = 'users/users.service';
const INSTEAD = 'session-auth/session-users.service';

/**
 * Returns the service that the options name. An existing service is used unchanged. If the file with the default name
 * lacks the methods `findByEmail` and `findById`, it has another purpose, and a separate file is used instead.
 *
 * @throws Error if a named file has no such class
 */
export function usersServiceOf(files: ProjectFiles, project: Project, options: NestAddOptions): UsersService {
  const named = options.users ?? options.usersService ?? DEFAULT_USERS_SERVICE;
  const path = withEnding(posix.join(project.sourceRoot, posix.relative(project.sourceRoot, rooted(project, named))));
  const text = textOf(files, path);
  if (text === undefined) return { path, className: classNameOf(path), isNew: true, module: undefined };
  const className = /export\s+(?:default\s+)?class\s+(\w+)/.exec(text)?.[1];
  if (className !== undefined && /\bfindByEmail\b/.test(text) && /\bfindById\b/.test(text)) {
    return { path, className, isNew: false, module: moduleOf(files, path, className) };
  }
  if (withEnding(named) !== withEnding(DEFAULT_USERS_SERVICE)) {
    throw new Error(`${path} has no class with the methods findByEmail and findById`);
  }
  return usersServiceOf(files, project, { users: INSTEAD });
}

/** The path may also start at the root of the workspace. */
function rooted({ sourceRoot }: Project, named: string): string {
  const path = posix.normalize(named.replaceAll('\\', '/'));
  return path.startsWith(`${sourceRoot}/`) ? path : posix.join(sourceRoot, path);
}

function classNameOf(path: string): string {
  const words = posix.basename(path, '.ts').split(/[^A-Za-z0-9]+/);
  return words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join('');
}

function moduleOf(files: ProjectFiles, path: string, service: string): UsersService['module'] {
  const modulePath = path.replace(/(?:\.service)?\.ts$/, '.module.ts');
  const text = textOf(files, modulePath) ?? '';
  const isExported = new RegExp(`exports\\s*:\\s*\\[[^\\]]*\\b${service}\\b`).test(text);
  const className = /export\s+class\s+(\w+)/.exec(text)?.[1];
  return isExported && className !== undefined ? { path: modulePath, className } : undefined;
}
