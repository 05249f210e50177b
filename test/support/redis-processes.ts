import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { guardExit } from '../../src/local-services/exit-guard.js';
import { findFreePort } from '../../src/local-services/free-port.js';
import { untilRedisAnswers } from '../../src/local-services/redis-ping.js';
import { provisionRedis } from '../../src/local-services/redis-provision.js';

/** One server of a topology, with a connection to it for its operator. */
export interface RedisProcess {
  readonly port: number;
  /** Connected when first used. */
  readonly operator: Redis;
  /** SIGKILL: no goodbye to anybody. */
  kill(): Promise<void>;
  /** Starts it again, on the same port, with the configuration that it has written itself. */
  restart(): Promise<void>;
  close(): Promise<void>;
}

export type RedisMode = 'server' | 'sentinel';

/**
 * Starts the Redis of this machine with a configuration file, as members of a cluster and sentinels need it.
 *
 * @param lines of the file, besides port and folder
 */
export async function startRedisProcess(lines: readonly string[], mode: RedisMode = 'server'): Promise<RedisProcess> {
  const provision = await provisionRedis(() => undefined);
  if (provision.kind === 'docker') {
    throw new Error(
      'Cluster and Sentinel are tested with redis-server or valkey-server on the PATH, or in REDIS_SERVER',
    );
  }
  const port = await findFreePort();
  const folder = await mkdtemp(join(tmpdir(), 'redis-process-'));
  const file = join(folder, 'redis.conf');
  const own = [`port ${port}`, 'bind 127.0.0.1', `dir ${folder}`, ...(mode === 'server' ? ['save ""'] : [])];
  await writeFile(file, [...own, ...lines, ''].join('\n'));

  const start = (): { readonly end: () => Promise<void>; readonly ended: AbortController } => {
    const child = spawn(provision.path, [file, ...(mode === 'sentinel' ? ['--sentinel'] : [])], { stdio: 'ignore' });
    const unguard = guardExit(() => child.kill('SIGKILL'));
    const ended = new AbortController();
    child.once('exit', () => ended.abort(new Error(`${provision.path} ended`)));
    child.once('error', (error) => ended.abort(error));
    const end = async (): Promise<void> => {
      unguard();
      if (child.exitCode !== null || child.signalCode !== null) return;
      const exited = once(child, 'exit');
      child.kill('SIGKILL');
      await exited;
    };
    return { end, ended };
  };

  let running = start();
  const answers = (): Promise<void> =>
    untilRedisAnswers(port, AbortSignal.any([running.ended.signal, AbortSignal.timeout(30_000)]));
  await answers();
  const operator = new Redis(port, '127.0.0.1', { lazyConnect: true }).on('error', () => undefined);
  return {
    port,
    operator,
    kill: () => running.end(),
    restart: async () => {
      running = start();
      await answers();
    },
    close: async () => {
      operator.disconnect();
      await running.end();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Waits for what an operator waits for, at most a minute. */
export async function untilTrue(what: string, isTrue: () => Promise<boolean>): Promise<void> {
  for (const end = Date.now() + 60_000; !(await isTrue().catch(() => false)); await pause(25)) {
    if (Date.now() > end) throw new Error(`waited in vain until ${what}`);
  }
}
