/**
 * Builds the documentation site into `site/build`: the guides, and the reference of every export. Each link and each
 * anchor is checked, and a broken one ends the build.
 *
 *   npm run docs                  DOCS_URL=https://docs.example.com/auth/ npm run docs
 */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { writePages } from './pages.mjs';

const SITE = import.meta.dirname;

installGenerator();
writePages(join(SITE, 'content'));
run('typedoc/bin/typedoc', '--options', 'typedoc.json');
rmSync(join(SITE, 'build'), { recursive: true, force: true });
run('@docusaurus/core/bin/docusaurus.mjs', 'build');
process.stdout.write('the site is in site/build; `npm --prefix site run serve` shows it\n');

/** Installs what `site/package-lock.json` names where it is not yet: nothing else depends on it. */
function installGenerator() {
  const { packages } = JSON.parse(readFileSync(join(SITE, 'package-lock.json'), 'utf8'));
  const isInstalled = (name) => {
    const manifest = join(SITE, 'node_modules', name, 'package.json');
    const { version } = packages[`node_modules/${name}`];
    return existsSync(manifest) && JSON.parse(readFileSync(manifest, 'utf8')).version === version;
  };
  const needed = Object.keys(packages[''].dependencies);
  if (needed.every(isInstalled)) return;
  process.stdout.write(`installing the generator of the site: npm ci in site/ (${needed.join(', ')})\n`);
  execFileSync('npm', ['ci', '--no-workspaces', '--loglevel=error'], {
    cwd: SITE,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
}

function run(program, ...args) {
  execFileSync(process.execPath, [join(SITE, 'node_modules', program), ...args], {
    cwd: SITE,
    // Docusaurus asks the registry for its latest version otherwise.
    env: { ...process.env, NO_UPDATE_NOTIFIER: '1' },
    stdio: ['ignore', 'inherit', 'inherit'],
  });
}
