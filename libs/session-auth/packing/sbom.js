/**
 * Writes a software bill of materials of a packed package to standard output, in CycloneDX: the package, and all that
 * npm installs with it today, each with its licence and hash. Peers are the application's.
 *
 *   npm run --silent sbom -- nestjs-session-auth-1.0.0.tgz
 */
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const ROOT = join(import.meta.dirname, '../../..');
const manifest = JSON.parse(readFileSync(join(ROOT, 'libs/session-auth/package.json'), 'utf8'));
const tarball = resolve(process.argv[2]);

const project = mkdtempSync(join(tmpdir(), 'sbom-'));
const npm = (...args) => {
  const options = ['--package-lock-only', '--legacy-peer-deps', '--ignore-scripts'];
  return execFileSync('npm', [...args, ...options], { cwd: project, encoding: 'utf8' });
};
try {
  writeFileSync(join(project, 'package.json'), '{ "name": "project", "version": "0.0.0" }');
  copyFileSync(join(ROOT, '.npmrc'), join(project, '.npmrc'));
  npm('install', tarball);
  const bom = JSON.parse(npm('sbom', '--sbom-format', 'cyclonedx'));
  // npm describes the project, and the package as a component of it
  const projectRef = bom.metadata.component['bom-ref'];
  const described = bom.components.find(({ name }) => name === manifest.name);
  bom.metadata.component = {
    ...described,
    externalReferences: [
      { type: 'vcs', url: manifest.repository.url.replace(/^git\+/, '') },
      { type: 'website', url: manifest.homepage },
      { type: 'issue-tracker', url: manifest.bugs.url },
    ],
  };
  bom.components = bom.components.filter((component) => component !== described);
  bom.dependencies = bom.dependencies.filter(({ ref }) => ref !== projectRef);
  process.stdout.write(`${JSON.stringify(bom, undefined, 2)}\n`);
} finally {
  rmSync(project, { recursive: true });
}
