import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import type { NodeSetup, NodeTask } from './socket-tasks.ts';

interface Answer {
  readonly id: number;
  readonly result?: unknown;
  readonly error?: string;
}

/** A node of the run in a process of its own, which takes several tasks at the same time. */
export class SocketNode {
  #asked = 0;
  readonly #waiting = new Map<number, (answer: Answer) => void>();

  private constructor(
    private readonly child: ChildProcess,
    readonly port: number,
  ) {
    child.on('message', (answer: Answer) => {
      this.#waiting.get(answer.id)?.(answer);
      this.#waiting.delete(answer.id);
    });
  }

  static async start(setup: NodeSetup): Promise<SocketNode> {
    const child = fork(new URL('socket-node.js', import.meta.url), [JSON.stringify(setup)], {
      execArgv: ['--expose-gc'],
    });
    const [{ port }] = (await once(child, 'message')) as [{ port: number }];
    return new SocketNode(child, port);
  }

  async ask<T>(task: NodeTask): Promise<T> {
    const id = this.#asked++;
    const answered = new Promise<Answer>((resolve) => this.#waiting.set(id, resolve));
    this.child.send({ id, task });
    const { result, error } = await answered;
    if (error !== undefined) throw new Error(`a node failed: ${error}`);
    return result as T;
  }

  async stop(): Promise<void> {
    const exited = once(this.child, 'exit');
    this.child.disconnect();
    await exited;
  }
}
