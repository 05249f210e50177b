import { execFile, type ExecFileOptions } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

let last: Promise<unknown> = Promise.resolve();

/** Installs packages of Debian or Ubuntu, as root. One installation at a time: the lists have a lock that nobody waits at. */
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
