import { setTimeout as pause } from 'node:timers/promises';
import { Cluster, type Redis } from 'ioredis';
import { findFreePort } from '../../src/local-services/free-port.js';
import { REDIS_OPTIONS } from '../../src/storage/redis-options.js';
import { startRedisProcess, untilTrue, type RedisProcess } from './redis-processes.js';

const SLOTS = 16_384;
const MASTERS = 3;

/** Three masters and a replica of each, on this machine. */
export class RedisCluster {
  readonly #clients: Cluster[] = [];

  private constructor(readonly processes: readonly RedisProcess[]) {}

  static async start(): Promise<RedisCluster> {
    const buses: number[] = [];
    const processes: RedisProcess[] = [];
    for (let i = 0; i < 2 * MASTERS; i += 1) {
      buses.push(await findFreePort());
      processes.push(
        await startRedisProcess([
          'cluster-enabled yes',
          `cluster-port ${buses[i]}`,
          'cluster-announce-ip 127.0.0.1',
          'cluster-node-timeout 1000',
          // as far behind as it may be, a replica takes over: nobody else is there to do it
          'cluster-replica-validity-factor 0',
          'repl-diskless-sync-delay 0',
          // a replica that nothing was sent to is not listed, and what is sent first is this ping
          'repl-ping-replica-period 1',
          'appendonly yes',
        ]),
      );
    }
    const cluster = new RedisCluster(processes);
    await cluster.#join(buses);
    return cluster;
  }

  get addresses(): string[] {
    return this.processes.map(({ port }) => `127.0.0.1:${port}`);
  }

  /** A client as the guide says. */
  connect(): Cluster {
    const nodes = this.processes.map(({ port }) => ({ host: '127.0.0.1', port }));
    const client = new Cluster(nodes, {
      clusterRetryStrategy: (attempt) => Math.min(attempt * 50, 500),
      redisOptions: REDIS_OPTIONS,
    });
    client.on('error', () => undefined);
    this.#clients.push(client);
    return client;
  }

  /** The member that serves a key, and one that copies it, as one of them sees it. */
  async membersOf(
    key: string,
    { operator } = this.processes[0]!,
  ): Promise<{ readonly master: RedisProcess; readonly replica: RedisProcess }> {
    const slot = Number(await operator.cluster('KEYSLOT', key));
    const ranges = await operator.cluster('SLOTS');
    const [, , ...members] = ranges.find(([from, to]) => slot >= from && slot <= to)!;
    const [master, replica] = members.map(([, port]) => this.processes.find((process) => process.port === port)!);
    return { master: master!, replica: replica! };
  }

  /** Every key of the cluster that begins with a prefix, with its time to live. */
  async keys(prefix: string): Promise<Map<string, number>> {
    const found = new Map<string, number>();
    for (const { operator } of this.processes) {
      if (!(await operator.info('replication')).includes('role:master')) continue;
      for (const key of await operator.keys(`${prefix}*`)) found.set(key, await operator.pttl(key));
    }
    return found;
  }

  /** Has the replica of the member that serves a key take over, and waits until all members know. */
  async handOver(key: string): Promise<void> {
    const { replica } = await this.membersOf(key);
    const isKnown = async (): Promise<boolean> => {
      const views = await Promise.all(this.processes.map((member) => this.membersOf(key, member)));
      return views.every(({ master }) => master === replica);
    };
    await untilTrue('a replica has taken over', async () => {
      // the others vote for a replica of one master only so often; without votes, the order is dropped in silence
      await replica.operator.cluster('FAILOVER').catch(() => undefined);
      for (let look = 0; look < 100; look += 1) {
        if (await isKnown()) return true;
        await pause(25);
      }
      return false;
    });
  }

  /** The replica of a member has taken over. */
  async untilNoMaster(former: RedisProcess): Promise<void> {
    const others = this.processes.filter((process) => process !== former);
    await untilTrue('a replica has taken over', async () => {
      const roles = await Promise.all(others.map(({ operator }) => operator.info('replication')));
      return roles.filter((role) => role.includes('role:master')).length === MASTERS;
    });
  }

  /** Every member is there and every slot has a master and a replica that is up to date. */
  async untilWhole(): Promise<void> {
    await untilTrue('the cluster is whole', async () => {
      for (const { operator } of this.processes) {
        if (!String(await operator.cluster('INFO')).includes('cluster_state:ok')) return false;
        const nodes = String(await operator.cluster('NODES'))
          .trim()
          .split('\n');
        if (nodes.length !== 2 * MASTERS || nodes.some((line) => /fail|handshake|noaddr/.test(line))) return false;
        if (nodes.filter((line) => line.includes('slave')).length !== MASTERS) return false;
        const ranges = await operator.cluster('SLOTS');
        if (ranges.some(([, , ...members]) => members.length !== 2)) return false;
        const replication = await operator.info('replication');
        if (replication.includes('role:slave') && !replication.includes('master_link_status:up')) return false;
      }
      return true;
    });
  }

  async close(): Promise<void> {
    for (const client of this.#clients) client.disconnect();
    for (const process of this.processes) await process.close();
  }

  async #join(buses: readonly number[]): Promise<void> {
    const [first, ...others] = this.processes as [RedisProcess, ...RedisProcess[]];
    for (const [i, { operator }] of this.processes.entries()) {
      await operator.cluster('SET-CONFIG-EPOCH', i + 1);
      const from = Math.round((i * SLOTS) / MASTERS);
      const to = Math.round(((i + 1) * SLOTS) / MASTERS);
      if (i < MASTERS) await operator.cluster('ADDSLOTS', ...Array.from({ length: to - from }, (_, n) => from + n));
    }
    for (const [i, { port }] of others.entries()) {
      await first.operator.call('CLUSTER', 'MEET', '127.0.0.1', port, buses[i + 1]!);
    }
    for (const [i, { operator }] of this.processes.entries()) {
      if (i < MASTERS) continue;
      const master = String(await this.processes[i - MASTERS]!.operator.cluster('MYID'));
      await untilTrue('a replica knows its master', async () => {
        return (await operator.cluster('REPLICATE', master)) === 'OK';
      });
    }
    await this.untilWhole();
  }
}

/** Makes a lone server with `cluster-enabled` a cluster of one node. */
export async function serveAllSlots(server: Redis): Promise<void> {
  await server.cluster('ADDSLOTS', ...Array.from({ length: SLOTS }, (_, slot) => slot));
  await untilTrue('every slot is served', async () =>
    String(await server.cluster('INFO')).includes('cluster_state:ok'),
  );
}
