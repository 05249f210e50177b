import { execFile, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { guardExit } from './exit-guard.ts';
import { findFreePort } from './free-port.ts';
import { runningService, type LocalService, type ProgressLog } from './local-service.ts';
import { untilRedisAnswers } from './redis-ping.ts';
import { provisionRedis, type RedisProbes } from './redis-provision.ts';

const run = promisify(execFile);

const DOCKER_IMAGE = 'redis:7-alpine';
const NO_PERSISTENCE = ['--save', '', '--appendonly', 'no'];
const START_TIMEOUT = 30_000;
const STOP_TIMEOUT = 5_000;
const PORT_ATTEMPTS = 3;

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
  for (let attempt = 1; ; attempt++) {
    const port = await findFreePort();
    try {
      return await startProgram(provision.path, port, args);
    } catch (error) {
      // Between finding the port and binding it, another process can be faster.
      const taken = error instanceof Error && error.message.includes('Address already in use');
      if (!taken || attempt === PORT_ATTEMPTS) throw error;
    }
  }
}

async function startProgram(path: string, port: number, args: string[]): Promise<LocalRedis> {
  const folder = await mkdtemp(join(tmpdir(), 'local-redis-'));
  const settings = ['--port', String(port), '--bind', '127.0.0.1', '--dir', folder, '--daemonize', 'no'];
  const child = spawn(path, [...settings, ...NO_PERSISTENCE, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  const unguard = guardExit(() => {
    child.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  });

  let output = '';
  const keep = (chunk: Buffer): void => void (output = (output + chunk.toString('utf8')).slice(-4_000));
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);

  const ended = new AbortController();
  // 'close' and not 'exit': what the server said about its end has been read by then.
  child.once('close', () => ended.abort(new Error(`${path} ended while starting:\n${output.trim()}`)));
  child.once('error', (error) => ended.abort(new Error(`${path} cannot be run`, { cause: error })));

  let stopped: Promise<void> | undefined;
  const stop = (): Promise<void> =>
    (stopped ??= (async () => {
      if (child.pid !== undefined && child.exitCode === null && child.signalCode === null) {
        const exited = once(child, 'exit');
        child.kill('SIGTERM');
        const patience = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT);
        await exited;
        clearTimeout(patience);
      }
      unguard();
      await rm(folder, { recursive: true, force: true });
    })());

  try {
    await untilRedisAnswers(port, AbortSignal.any([ended.signal, AbortSignal.timeout(START_TIMEOUT)]));
    // The answer could be another server's, if that one took the port and ours is about to say so.
    ended.signal.throwIfAborted();
  } catch (error) {
    await stop();
    throw error;
  }
  return { url: `redis://127.0.0.1:${port}`, port, pid: child.pid!, stop };
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
