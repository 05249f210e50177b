import { randomUUID } from 'node:crypto';
import { Redis } from 'ioredis';
import type { SessionAuthOptions, StorageOptions } from 'nestjs-session-auth';
import { postgresStorage } from 'nestjs-session-auth/postgres';
import { redisStorage } from 'nestjs-session-auth/redis';
import { typeOrmStorage } from 'nestjs-session-auth/typeorm';
import { createSturdyClient } from '../../examples/redis-outage/node-redis-client.js';
import { REDIS_OPTIONS } from '../../src/storage/redis-options.js';
import type { BankClient } from './bank-client.js';
import { FaultProxy } from './fault-proxy.js';
import { clientAt, startNearNode, untilCached, type NearNode } from './near-nodes.js';
import { until } from './patience.js';
import { createDatabaseWithTables, poolOf } from './postgres-database.js';

const HOUR = 3_600_000;

export type NearCacheGiven = Exclude<SessionAuthOptions['nearCache'], boolean | undefined>;

/** How the nodes of a {@link SlowPair} reach their backend. */
export type PairBackend = 'ioredis' | 'node-redis' | 'typeorm' | 'pg';

/** A backend, the ways to it, and its registry of nodes. */
interface Backend {
  /** The port that a proxy stands before. */
  readonly port: number;
  /** The storage of a node. @param through leads what the node hears, at least, through a proxy */
  storage(through?: FaultProxy): Promise<StorageOptions>;
  leases(): Promise<number>;
  /** Makes a registry that is so old that nobody waits for what it may have lost. */
  makeOld(): Promise<unknown>;
  /** Removes all leases. @param isBroken whether the registry cannot be read any more */
  lose(isBroken?: boolean): Promise<unknown>;
  close(): Promise<void>;
}

/** Two nodes. What the second one hears goes through a proxy; on Redis, all that it sends as well. */
export class SlowPair {
  /** Signed in at `here`, and the same browser at `there`. */
  alice!: BankClient;
  elsewhere!: BankClient;

  private constructor(
    readonly backend: Pick<Backend, 'leases' | 'lose'>,
    readonly proxy: FaultProxy,
    readonly here: NearNode,
    readonly there: NearNode,
    private readonly stop: () => Promise<void>,
  ) {}

  static async open(
    by: PairBackend,
    here: NearCacheGiven,
    there: NearCacheGiven,
    options: Partial<SessionAuthOptions> = {},
  ): Promise<SlowPair> {
    const backend = by === 'ioredis' || by === 'node-redis' ? onRedis(by) : await onPostgres(by);
    await backend.makeOld();
    const proxy = await FaultProxy.start(backend.port);
    const start = async (nearCache: NearCacheGiven, through?: FaultProxy): Promise<NearNode> => {
      const linkedStorage = await backend.storage(through);
      const opened = { storage: linkedStorage, linkedStorage, redis: undefined, namespace: '' };
      return startNearNode({ ...opened, close: () => Promise.resolve() }, { ...options, nearCache });
    };
    const first = await start(here);
    const second = await start(there, proxy);
    return new SlowPair(backend, proxy, first, second, async () => {
      await backend.close();
      await proxy.close();
    });
  }

  /** Signs alice in, and has both nodes keep her session. */
  async signIn(): Promise<void> {
    this.alice = this.here.client();
    await this.alice.login('alice', { rememberMe: false });
    this.elsewhere = clientAt(this.there, this.alice);
    await untilCached(this.here, this.alice);
    await untilCached(this.there, this.elsewhere);
  }

  /** Ends sessions until an end takes less time than this: no node is waited for any more. */
  async untilQuick(milliseconds: number): Promise<void> {
    await until(async () => {
      const bob = this.here.client();
      await bob.login('bob');
      return (await took(() => bob.post('/auth/logout'))) < milliseconds;
    });
  }

  async close(): Promise<void> {
    await this.proxy.heal();
    await this.here.close();
    await this.there.close();
    await this.stop();
  }
}

/** Returns how long an operation takes, in milliseconds. */
export async function took(operation: () => Promise<unknown>): Promise<number> {
  const since = performance.now();
  await operation();
  return performance.now() - since;
}

/** Besides the leases, a registry has the time since which it has lost none. */
function isLease(id: string): boolean {
  return !id.endsWith('since');
}

function onRedis(by: 'ioredis' | 'node-redis'): Backend {
  const url = process.env['TEST_REDIS_URL']!;
  const namespace = `strict-${randomUUID()}:`;
  const nodes = `${namespace}nodes`;
  const operator = new Redis(url);
  const closes: (() => unknown)[] = [];
  const connect = (at: string): Redis | ReturnType<typeof createSturdyClient> => {
    if (by === 'ioredis') {
      const client = new Redis(at, REDIS_OPTIONS).on('error', () => undefined);
      closes.push(() => client.disconnect());
      return client;
    }
    const client = createSturdyClient(at, () => undefined);
    void client.connect().catch(() => undefined);
    closes.push(() => client.destroy());
    return client;
  };
  return {
    port: Number(new URL(url).port),
    storage: (through) => {
      const client = connect(through === undefined ? url : through.through(url));
      return Promise.resolve(redisStorage({ client, namespace, link: true }));
    },
    leases: async () => (await operator.hkeys(nodes)).filter(isLease).length,
    makeOld: async () => {
      const [, run] = /run_id:(\w+)/.exec(await operator.info('server'))!;
      return operator.hset(nodes, 'since', `${Date.now() - HOUR} ${run}`);
    },
    lose: (isBroken) => (isBroken === true ? operator.set(nodes, 'what is no registry') : operator.del(nodes)),
    close: async () => {
      for (const close of closes) close();
      await operator.del(...(await operator.keys(`${namespace}*`)), nodes);
      operator.disconnect();
    },
  };
}

async function onPostgres(by: 'typeorm' | 'pg'): Promise<Backend> {
  const database = await createDatabaseWithTables();
  const operator = await database.open();
  const table = 'session_auth_throttle';
  return {
    port: Number(new URL(database.url).port),
    storage: async (through) => {
      const dataSource = await database.open();
      const link = through === undefined ? true : { url: through.through(database.url) };
      return by === 'typeorm'
        ? typeOrmStorage({ dataSource, link })
        : postgresStorage({ pool: poolOf(dataSource), link });
    },
    leases: async () => {
      const rows = await operator.query<{ key: string }[]>(`SELECT key FROM ${table} WHERE key ^@ 'nodes:'`);
      return rows.filter(({ key }) => isLease(key)).length;
    },
    makeOld: () =>
      operator.query(`INSERT INTO ${table} (key, points, expires_at) VALUES ('nodes:since', 0, ${Date.now()})`),
    lose: (isBroken) =>
      operator.query(
        isBroken === true
          ? `ALTER TABLE ${table} RENAME COLUMN points TO no_points`
          : `DELETE FROM ${table} WHERE key ^@ 'nodes:'`,
      ),
    close: () => database.close(),
  };
}
