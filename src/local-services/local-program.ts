import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { guardExit } from './exit-guard.ts';
import { findFreePort } from './free-port.ts';

const STOP_TIMEOUT = 5_000;
const PORT_ATTEMPTS = 3;

/** A program that serves on a port. */
export interface ServerProgram {
  readonly path: string;
  /** What the folder of its data is named after. */
  readonly name: string;
  /** The arguments that have it serve on this port, with its data in this folder. */
  readonly argsFor: (port: number, folder: string) => readonly string[];
  /** Resolves once the server answers; rejects when the signal is aborted. */
  readonly untilItAnswers: (port: number, signal: AbortSignal) => Promise<void>;
  /** In milliseconds. */
  readonly startTimeout: number;
}

/** A program that serves. */
export interface RunningProgram {
  readonly port: number;
  readonly pid: number;
  stop(): Promise<void>;
}

/**
 * Starts a server on a free port of 127.0.0.1, with its data in a temporary folder. It ends with `stop()` or with this
 * process, whichever comes first.
 *
 * @throws an Error with what the server said when it ends or does not answer in time
 */
export async function startLocalProgram(program: ServerProgram): Promise<RunningProgram> {
  for (let attempt = 1; ; attempt++) {
    const port = await findFreePort();
    try {
      return await start(program, port);
    } catch (error) {
      // Between finding the port and binding it, another process can be faster.
      const taken = error instanceof Error && error.message.includes('Address already in use');
      if (!taken || attempt === PORT_ATTEMPTS) throw error;
    }
  }
}

async function start(
  { path, name, argsFor, untilItAnswers, startTimeout }: ServerProgram,
  port: number,
): Promise<RunningProgram> {
  const folder = await mkdtemp(join(tmpdir(), `local-${name}-`));
  const child = spawn(path, argsFor(port, folder), { stdio: ['ignore', 'pipe', 'pipe'] });
  const unguard = guardExit(() => {
    child.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
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
      await rm(folder, { recursive: true, force: true, maxRetries: 5 });
    })());

  try {
    await untilItAnswers(port, AbortSignal.any([ended.signal, AbortSignal.timeout(startTimeout)]));
    // The answer could be another server's, if that one took the port and ours is about to say so.
    ended.signal.throwIfAborted();
  } catch (error) {
    await stop();
    throw error;
  }
  return { port, pid: child.pid!, stop };
}
