import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';

/** The demo as a process of its own, as `npm start` runs it after the build. */
export interface DemoProcess {
  readonly child: ChildProcess;
  readonly port: number;
  /** What it has printed so far, to standard output and error. */
  output(): string;
  /** Sends SIGTERM and answers the exit code. */
  stop(): Promise<number | null>;
}

/** The arguments of Node.js in the second half of `npm start`. */
export const DEMO_ARGUMENTS: readonly string[] = ['--max-http-header-size=131072', 'dist/main.js'];

const START_TIMEOUT = 60_000;

/** Runs the built demo; answers its exit code and what it printed when it ends by itself. */
export async function runDemo(
  env: Record<string, string>,
): Promise<{ readonly code: number | null; readonly output: string }> {
  const { child, output } = spawnDemo(env);
  const timer = setTimeout(() => child.kill('SIGKILL'), START_TIMEOUT);
  const [code] = (await once(child, 'exit')) as [number | null];
  clearTimeout(timer);
  return { code, output: output() };
}

/** Starts the built demo on a free port and waits until it says that it is open. */
export async function startDemo(env: Record<string, string> = {}): Promise<DemoProcess> {
  const { child, output } = spawnDemo({ PORT: '0', ...env });
  const exited = once(child, 'exit') as Promise<[number | null]>;
  const port = await new Promise<number>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`the demo did not open:\n${output()}`)), START_TIMEOUT);
    const look = (): void => {
      const match = /is open: http:\/\/localhost:(\d+)/.exec(output());
      if (match === null) return;
      clearTimeout(timer);
      resolve(Number(match[1]));
    };
    child.stdout!.on('data', look);
    void exited.then(([code]) => {
      clearTimeout(timer);
      reject(new Error(`the demo ended with ${code}:\n${output()}`));
    });
  });
  return {
    child,
    port,
    output,
    stop: async () => {
      child.kill('SIGTERM');
      const [code] = await exited;
      return code;
    },
  };
}

function spawnDemo(env: Record<string, string>): { child: ChildProcess; output: () => string } {
  const { NODE_ENV: _, PORT: __, SESSION_SECRET: ___, ...inherited } = process.env;
  const child = spawn(process.execPath, DEMO_ARGUMENTS, {
    env: { ...inherited, NO_COLOR: '1', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let text = '';
  child.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (text += chunk.toString()));
  return { child, output: () => text };
}
