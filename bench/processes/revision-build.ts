import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { guardExit } from '../../src/local-services/exit-guard.ts';
import type { OtherBuild } from '../servers/server-spec.ts';

const LIBRARY = 'nestjs-session-auth';
const SERVERS = fileURLToPath(new URL('../servers/', import.meta.url));

/**
 * The library as it was at a revision, built in a temporary folder, with a copy of this build's servers that finds that
 * library and, for everything else, the packages of this repository: the two builds differ in nothing but the library.
 * The folder goes with this process.
 *
 * @param repository its root, as a path
 */
export function buildRevision(repository: string, revision: string, log: (line: string) => void): OtherBuild {
  // `--end-of-options`: a revision that begins with a dash is none
  const git = (...args: string[]): string => execFileSync('git', args, { cwd: repository, encoding: 'utf8' }).trim();
  const name = git('rev-parse', '--short', '--end-of-options', `${revision}^{commit}`);
  const folder = mkdtempSync(join(tmpdir(), 'bench-against-'));
  guardExit(() => rmSync(folder, { recursive: true, force: true }));

  log(`building the library of ${name}`);
  const tree = join(folder, 'tree');
  mkdirSync(tree);
  git('archive', '--output', join(folder, 'tree.tar'), name);
  execFileSync('tar', ['-xf', join(folder, 'tree.tar'), '-C', tree]);
  linkPackages(join(repository, 'node_modules'), tree, log);
  // what the build says is for who reads the log, not a part of the report
  execFileSync('npm', ['run', '--silent', 'build'], {
    cwd: join(tree, 'libs', 'session-auth'),
    stdio: ['ignore', process.stderr, 'inherit'],
  });
  const servers = join(tree, 'bench', 'dist', 'servers');
  cpSync(SERVERS, servers, { recursive: true });
  return { name, servers: `${pathToFileURL(servers).href}/` };
}

/** Every package of this repository but the library; those that only the revision depends on are installed. */
function linkPackages(from: string, tree: string, log: (line: string) => void): void {
  const to = join(tree, 'node_modules');
  mkdirSync(to);
  symlinkSync(join(tree, 'libs', 'session-auth'), join(to, LIBRARY));
  for (const name of readdirSync(from)) {
    if (name !== LIBRARY) symlinkSync(join(from, name), join(to, name));
  }
  const { dependencies = {} } = JSON.parse(readFileSync(join(to, LIBRARY, 'package.json'), 'utf8')) as {
    dependencies?: Record<string, string>;
  };
  const missing = Object.entries(dependencies).filter(([name]) => !existsSync(join(to, name)));
  if (missing.length === 0) return;
  const packages = missing.map(([name, range]) => `${name}@${range}`);
  log(`installing what only that revision depends on: ${packages.join(', ')}`);
  const prefix = join(dirname(tree), 'missing');
  mkdirSync(prefix);
  execFileSync('npm', ['install', '--prefix', prefix, '--no-audit', '--no-fund', ...packages], { stdio: 'ignore' });
  for (const [name] of missing) symlinkSync(join(prefix, 'node_modules', name), join(to, name));
}
