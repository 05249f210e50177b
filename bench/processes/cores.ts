import { execFileSync, spawnSync } from 'node:child_process';
import { availableParallelism } from 'node:os';

/** Whether processes can be pinned here: the servers get the first core to themselves, everything else the others. */
export const canPin = availableParallelism() > 1 && spawnSync('taskset', ['-V']).status === 0;

const SERVER_CORE = '0';
const OTHER_CORES = `1-${availableParallelism() - 1}`;

/**
 * What V8 does with a process that rests: it gives up compiled code and memory, and takes seconds to have them back. A
 * server that is in use never comes to it, one that waits for its turn to be measured does.
 */
const AS_IF_IN_USE = ['--no-flush-bytecode', '--no-memory-reducer'];

/** How to start a Node process on the cores of its kind: for `fork`. */
export function nodeOn(kind: 'server' | 'load'): { readonly execPath: string; readonly execArgv: string[] } {
  const flags = kind === 'server' ? AS_IF_IN_USE : [];
  if (!canPin) return { execPath: process.execPath, execArgv: flags };
  const cores = kind === 'server' ? SERVER_CORE : OTHER_CORES;
  return { execPath: 'taskset', execArgv: ['-c', cores, process.execPath, ...flags] };
}

/** Moves a running process with all its threads off the servers' core. What it starts from now on follows it. */
export function moveToOtherCores(pid: number): void {
  if (canPin) execFileSync('taskset', ['-a', '-c', '-p', OTHER_CORES, String(pid)], { stdio: 'ignore' });
}
