import { execFile, type ExecFileOptions } from 'node:child_process';
import { constants } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { isAccessible } from './machine-programs.ts';

const run = promisify(execFile);

let last: Promise<unknown> = Promise.resolve();

/**
 * Installs packages of Debian or Ubuntu, as root. One installation at a time: the lists have a lock that nobody waits
 * at.
 */
export function aptInstall(packages: readonly string[]): Promise<void> {
  const installation = last.then(() => install(packages));
  last = installation.catch(() => undefined);
  return installation;
}

async function install(packages: readonly string[]): Promise<void> {
  const options: ExecFileOptions = {
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' },
    maxBuffer: 64 * 1024 * 1024,
  };
  await run('apt-get', ['-qq', 'update'], options);
  const command = ['install', '-y', '--no-install-recommends', ...packages];
  await run('apt-get', ['-qq', '-o', 'DPkg::Lock::Timeout=120', ...command], options);
}

/**
 * Installs a package that would start its service on the default port; Debian's policy file forbids that while it
 * exists.
 */
export async function withoutServiceStart(work: () => Promise<void>): Promise<void> {
  const policy = '/usr/sbin/policy-rc.d';
  if (await isAccessible(policy, constants.F_OK)) return work();
  await writeFile(policy, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  try {
    await work();
  } finally {
    await rm(policy, { force: true });
  }
}
