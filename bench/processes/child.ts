import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { nodeOn } from './cores.ts';

/** A Node process that answers one message for each it is sent, in order. */
export class Child {
  readonly #process: ChildProcess;

  private constructor(child: ChildProcess) {
    this.#process = child;
  }

  /** Starts a file of this build. `NODE_ENV` is `production`; what the process says on stderr is shown. */
  static start(path: URL, args: readonly string[], kind: 'server' | 'load'): Child {
    const child = fork(path, args, {
      ...nodeOn(kind),
      env: { ...process.env, NODE_ENV: 'production' },
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    return new Child(child);
  }

  /** The next message of the process. */
  async next<T>(): Promise<T> {
    const ended = new AbortController();
    const onExit = (code: number | null): void => ended.abort(new Error(`a process of the benchmark ended: ${code}`));
    this.#process.once('exit', onExit);
    try {
      const [message] = (await once(this.#process, 'message', { signal: ended.signal })) as [T];
      return message;
    } catch (error) {
      throw ended.signal.aborted ? ended.signal.reason : error;
    } finally {
      this.#process.off('exit', onExit);
    }
  }

  async ask<T>(message: object): Promise<T> {
    const answer = this.next<T>();
    this.#process.send(message);
    return answer;
  }

  async stop(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const exited = once(this.#process, 'exit');
    this.#process.disconnect();
    await exited;
  }
}
