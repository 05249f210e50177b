import { Redis } from 'ioredis';
import { REDIS_OPTIONS } from '../../src/storage/redis-options.js';
import { startRedisProcess, untilTrue, type RedisProcess } from './redis-processes.js';

const NAME = 'bank';
const REPLICAS = 2;
const SENTINELS = 3;

/** A master, two replicas and the three sentinels that watch over them, on this machine. */
export class RedisSentinels {
  readonly #clients: Redis[] = [];

  private constructor(
    readonly servers: readonly RedisProcess[],
    readonly sentinels: readonly RedisProcess[],
  ) {}

  static async start(): Promise<RedisSentinels> {
    const server = [
      'replica-announce-ip 127.0.0.1',
      'repl-diskless-sync-delay 0',
      'appendonly yes',
      'min-replicas-to-write 1',
      'min-replicas-max-lag 2',
    ];
    const master = await startRedisProcess(server);
    const servers = [master];
    while (servers.length <= REPLICAS) {
      servers.push(await startRedisProcess([...server, `replicaof 127.0.0.1 ${master.port}`]));
    }
    const sentinels: RedisProcess[] = [];
    while (sentinels.length < SENTINELS) {
      sentinels.push(
        await startRedisProcess(
          [
            'sentinel announce-ip 127.0.0.1',
            `sentinel monitor ${NAME} 127.0.0.1 ${master.port} 2`,
            `sentinel down-after-milliseconds ${NAME} 1000`,
            `sentinel failover-timeout ${NAME} 5000`,
          ],
          'sentinel',
        ),
      );
    }
    const all = new RedisSentinels(servers, sentinels);
    for (const sentinel of sentinels) await beQuick(sentinel);
    await all.untilWhole();
    return all;
  }

  get addresses(): string[] {
    return this.sentinels.map(({ port }) => `127.0.0.1:${port}`);
  }

  /** A client as the guide says. */
  connect(): Redis {
    const client = new Redis({
      ...REDIS_OPTIONS,
      name: NAME,
      sentinels: this.sentinels.map(({ port }) => ({ host: '127.0.0.1', port })),
      sentinelRetryStrategy: (attempt) => Math.min(attempt * 50, 500),
      reconnectOnError: (error) => (error.message.startsWith('READONLY') ? 2 : false),
    });
    client.on('error', () => undefined);
    this.#clients.push(client);
    return client;
  }

  async master(): Promise<RedisProcess> {
    const [, port] = (await this.sentinels[0]!.operator.call('SENTINEL', 'get-master-addr-by-name', NAME)) as string[];
    return this.servers.find((server) => server.port === Number(port))!;
  }

  /**
   * Hands the part of the master over, as an operator does before maintenance. A sentinel that could not run in time
   * distrusts its clock and does nothing for a while: so the order is repeated until it is carried out.
   */
  async handOver(): Promise<void> {
    const former = await this.master();
    for (let attempts = 1; ; attempts += 1) {
      // refused while it is being carried out
      await this.sentinels[0]!.operator.call('SENTINEL', 'FAILOVER', NAME).catch(() => undefined);
      try {
        return await this.untilMasterIsNot(former);
      } catch (error) {
        if (attempts === 3) throw error;
      }
    }
  }

  async untilMasterIsNot(former: RedisProcess): Promise<void> {
    await untilTrue('another one is the master', async () => {
      const master = await this.master();
      return master !== former && (await master.operator.info('replication')).includes('role:master');
    });
  }

  /** Every sentinel knows the others and both replicas, and these are up to date. */
  async untilWhole(): Promise<void> {
    await untilTrue('the sentinels know each other', async () => {
      for (const { operator } of this.sentinels) {
        const fields = (await operator.call('SENTINEL', 'MASTER', NAME)) as string[];
        const field = (name: string): string => fields[fields.indexOf(name) + 1]!;
        if (field('num-other-sentinels') !== String(SENTINELS - 1) || field('flags') !== 'master') return false;
        if (field('num-slaves') !== String(REPLICAS)) return false;
      }
      const replication = await (await this.master()).operator.info('replication');
      return (replication.match(/^slave\d+:.*state=online/gm) ?? []).length === REPLICAS;
    });
  }

  async close(): Promise<void> {
    for (const client of this.#clients) client.disconnect();
    for (const process of [...this.sentinels, ...this.servers]) await process.close();
  }
}

/**
 * A sentinel that could not run for two seconds distrusts its clock, and carries nothing out, for half a minute. It
 * asks its servers for their parts every ten seconds. It leaves a former master alone for four times the two seconds
 * between its messages to the others. A test would wait for all that again and again.
 */
async function beQuick({ operator }: RedisProcess): Promise<void> {
  const periods = ['tilt-period', 1000, 'info-period', 1000, 'publish-period', 250];
  // unknown to Redis 6, which takes its time
  await operator.call('SENTINEL', 'DEBUG', ...periods).catch(() => undefined);
}
