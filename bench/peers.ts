import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';

const PACKAGES = [
  '@nestjs/core',
  'express',
  'fastify',
  'ioredis',
  'pg',
  'typeorm',
  'express-session',
  'connect-redis',
  'redis',
  'connect-pg-simple',
  '@fastify/session',
  'better-auth',
];

/** Installs the peers of `bench/package.json` where they are not yet: they are no dependency of anything else. */
export function installPeers(folder: URL, log: (line: string) => void): void {
  const { dependencies } = JSON.parse(readFileSync(new URL('package.json', folder), 'utf8')) as {
    dependencies: Record<string, string>;
  };
  if (Object.keys(dependencies).every((name) => existsSync(new URL(`node_modules/${name}/package.json`, folder))))
    return;
  log(`installing the peers to compare with: npm ci in bench/ (${Object.keys(dependencies).join(', ')})`);
  execFileSync('npm', ['ci', '--no-workspaces'], { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] });
}

/** The versions of everything that stands side by side. */
export function packageVersions(folder: URL): Record<string, string> {
  const versions: Record<string, string> = {};
  for (const name of PACKAGES) {
    const place = [folder, new URL('..', folder)]
      .map((root) => new URL(`node_modules/${name}/package.json`, root))
      .find((file) => existsSync(file));
    if (place === undefined) continue;
    versions[name] = (JSON.parse(readFileSync(place, 'utf8')) as { version: string }).version;
  }
  return versions;
}
