import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { TEST_SECRETS, type Bank } from './bank.js';
import { buildDemo } from './build.js';
import { startNode, type NearCacheGiven } from './fault-nodes.js';
import { FaultProxy } from './fault-proxy.js';
import type { OwnBackend } from './own-backends.js';

/** A node with a near-cache in a process of its own, which can stand still, and one in this process. */
export class StoppableNode {
  private constructor(
    readonly port: number,
    /** All that the node sends to the backend, and hears of it, goes through it. */
    readonly proxy: FaultProxy,
    readonly here: Bank,
    private readonly child: ChildProcess,
    private readonly backend: OwnBackend,
  ) {}

  /**
   * @param there the near-cache of the node that can stand still
   * @param here that of the node in this process
   */
  static async start(
    backend: OwnBackend,
    there: Required<Pick<NearCacheGiven, 'bound' | 'consistency'>>,
    here?: NearCacheGiven,
  ): Promise<StoppableNode> {
    await buildDemo();
    const proxy = await FaultProxy.start(backend.port);
    const given = { SECRET: TEST_SECRETS[0], BOUND: String(there.bound), CONSISTENCY: there.consistency };
    const child = spawn(process.execPath, ['test/near-cache/node-program.mjs'], {
      env: { ...process.env, ...backend.environment(proxy.port), ...given },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [printed] = (await once(child.stdout, 'data')) as [Buffer];
    const bank = await startNode(await backend.storage(), here);
    return new StoppableNode(Number(printed.toString()), proxy, bank, child, backend);
  }

  /** How often it has sent something to the backend, heartbeats included. */
  get reads(): number {
    return this.proxy.sent;
  }

  stop(): void {
    this.child.kill('SIGSTOP');
  }

  goOn(): void {
    this.child.kill('SIGCONT');
  }

  async close(): Promise<void> {
    this.child.kill('SIGKILL');
    await this.here.close();
    await this.proxy.close();
    await this.backend.close();
  }
}
