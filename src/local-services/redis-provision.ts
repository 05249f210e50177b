import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { aptInstall, withoutServiceStart } from './apt-install.ts';
import type { ProgressLog } from './local-service.ts';
import { findProgram, isRoot } from './machine-programs.ts';

const run = promisify(execFile);

/** What can be asked of the machine on the way to a Redis server. Tests put their own answers here. */
export interface RedisProbes {
  /** The absolute path of a program on the PATH; `REDIS_SERVER` names that of the server. */
  findProgram(name: string): Promise<string | undefined>;
  isRoot(): boolean;
  installWithApt(): Promise<void>;
  dockerEngineAnswers(): Promise<boolean>;
}

export type RedisProvision = { kind: 'program'; path: string } | { kind: 'docker' };

const PROGRAMS = ['redis-server', 'valkey-server'];

const WAYS_OUT =
  'set REDIS_URL to a running server (redis://host:port), ' +
  'or install redis-server or valkey-server so that it is on the PATH, ' +
  'or run a Docker engine';

/**
 * Finds a way to run a Redis server: the program that `REDIS_SERVER` names, else one on the PATH, else (root on Debian
 * or Ubuntu) one that apt-get installs, else Docker.
 *
 * @throws an Error that names every way out when there is none
 */
export async function provisionRedis(log: ProgressLog, probes: RedisProbes = machineProbes): Promise<RedisProvision> {
  const present = await findServer(probes);
  if (present !== undefined) return { kind: 'program', path: present };

  let cause: unknown;
  if (probes.isRoot() && (await probes.findProgram('apt-get')) !== undefined) {
    log('No redis-server or valkey-server on the PATH: installing redis-server with apt-get.');
    try {
      await probes.installWithApt();
      const installed = await findServer(probes);
      if (installed !== undefined) return { kind: 'program', path: installed };
    } catch (error) {
      cause = error;
    }
  }
  if (await probes.dockerEngineAnswers()) return { kind: 'docker' };
  throw new Error(
    cause === undefined
      ? `No Redis server can be started here: ${WAYS_OUT}.`
      : `No Redis server can be started here, and apt-get could not install one: ${WAYS_OUT}.`,
    { cause },
  );
}

async function findServer(probes: RedisProbes): Promise<string | undefined> {
  for (const name of PROGRAMS) {
    const path = await probes.findProgram(name);
    if (path !== undefined) return path;
  }
  return undefined;
}

let installation: Promise<void> | undefined;

export const machineProbes: RedisProbes = {
  async findProgram(name) {
    const named = process.env['REDIS_SERVER'];
    return named && PROGRAMS.includes(name) ? named : findProgram(name);
  },
  isRoot,

  // Two servers that start side by side share one installation.
  installWithApt: () =>
    (installation ??= withoutServiceStart(() => aptInstall(['redis-server'])).finally(
      () => (installation = undefined),
    )),

  async dockerEngineAnswers() {
    try {
      await run('docker', ['version', '--format', '{{.Server.Version}}'], { timeout: 10_000 });
      return true;
    } catch {
      return false;
    }
  },
};
