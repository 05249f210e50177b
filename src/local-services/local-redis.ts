import { execFile, spawnSync } from 'node:child_process';
import { promisify } from 'node:util';
import { guardExit } from './exit-guard.ts';
import { startLocalProgram } from './local-program.ts';
import { runningService, type LocalService, type ProgressLog } from './local-service.ts';
import { untilRedisAnswers } from './redis-ping.ts';
import { provisionRedis, type RedisProbes } from './redis-provision.ts';

const run = promisify(execFile);

const DOCKER_IMAGE = 'redis:7-alpine';
const NO_PERSISTENCE = ['--save', '', '--appendonly', 'no'];
const START_TIMEOUT = 30_000;

export interface LocalRedisOptions {
  /** More arguments for the server, after those that turn persistence off. */
  args?: string[];
  /** @default silent */
  log?: ProgressLog;
  /** What to ask of the machine. @default the real one */
  probes?: RedisProbes;
}

/** A started Redis server; `pid` is absent when Docker runs it. */
export interface LocalRedis extends LocalService {
  readonly port: number;
  readonly pid?: number;
}

/** The server that `REDIS_URL` names, or one started for this run. */
export async function resolveRedis(options: LocalRedisOptions = {}): Promise<LocalService> {
  const url = process.env['REDIS_URL'];
  return url ? runningService(url) : startLocalRedis(options);
}

/**
 * Starts a Redis (or Valkey) server for this run: on a free port of 127.0.0.1, without persistence, answering PING
 * before the promise resolves. It ends with `stop()` or with this process, whichever comes first.
 *
 * @throws an Error that names every way out when no server can be had
 */
export async function startLocalRedis(options: LocalRedisOptions = {}): Promise<LocalRedis> {
  const { args = [], log = () => undefined, probes } = options;
  const provision = await provisionRedis(log, probes);
  if (provision.kind === 'docker') {
    log(`Starting ${DOCKER_IMAGE} with Docker.`);
    return startContainer(args);
  }
  const program = await startLocalProgram({
    path: provision.path,
    name: 'redis',
    argsFor: (port, folder) => [
      ...['--port', String(port), '--bind', '127.0.0.1', '--dir', folder, '--daemonize', 'no'],
      ...NO_PERSISTENCE,
      ...args,
    ],
    untilItAnswers: untilRedisAnswers,
    startTimeout: START_TIMEOUT,
  });
  return { ...program, url: `redis://127.0.0.1:${program.port}` };
}

async function startContainer(args: string[]): Promise<LocalRedis> {
  const server = ['redis-server', '--protected-mode', 'no', ...NO_PERSISTENCE, ...args];
  const { stdout } = await run('docker', ['run', '--rm', '-d', '-p', '127.0.0.1:0:6379', DOCKER_IMAGE, ...server]);
  const container = stdout.trim();
  const unguard = guardExit(() => void spawnSync('docker', ['rm', '-f', container], { stdio: 'ignore' }));
  let stopped: Promise<void> | undefined;
  const stop = (): Promise<void> =>
    (stopped ??= run('docker', ['rm', '-f', container]).then(() => {
      unguard();
    }));
  try {
    const published = await run('docker', ['port', container, '6379/tcp']);
    const port = Number(/:(\d+)\s*$/m.exec(published.stdout)?.[1]);
    await untilRedisAnswers(port, AbortSignal.timeout(START_TIMEOUT));
    return { url: `redis://127.0.0.1:${port}`, port, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
