import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { Redis } from 'ioredis';
import { redisStorage } from 'nestjs-session-auth/redis';
import { startLocalRedis } from '../../src/local-services/local-redis.js';
import { TEST_SECRETS, type Bank } from './bank.js';
import { buildDemo } from './build.js';
import { startNode, type NearCacheGiven } from './fault-nodes.js';

/** A node with a near-cache in a process of its own, which can stand still, and one in this process. */
export class StoppableNode {
  private constructor(
    readonly port: number,
    readonly here: Bank,
    private readonly child: ChildProcess,
    private readonly stopRedis: () => Promise<void>,
  ) {}

  /**
   * @param there what the node that can stand still is given besides the defaults of its program
   * @param here the near-cache of the node in this process
   */
  static async start(there: Readonly<Record<string, string>>, here?: NearCacheGiven): Promise<StoppableNode> {
    await buildDemo();
    const server = await startLocalRedis();
    const given = { REDIS_URL: server.url, NAMESPACE: 'sa:', SECRET: TEST_SECRETS[0], ...there };
    const child = spawn(process.execPath, ['test/near-cache/node-program.mjs'], {
      env: { ...process.env, ...given },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [printed] = (await once(child.stdout, 'data')) as [Buffer];
    const client = new Redis(server.url);
    const bank = await startNode(redisStorage({ client, link: true }), here);
    return new StoppableNode(Number(printed.toString()), bank, child, () => {
      client.disconnect();
      return server.stop();
    });
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
    await this.stopRedis();
  }
}
