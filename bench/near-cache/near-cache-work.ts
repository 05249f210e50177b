import { CASES, type Case } from '../cases.ts';
import { Fleet } from '../fleet.ts';
import type { Stores } from '../processes/stores.ts';
import { requestsOf, STATUS } from '../requests.ts';

/** What a store did for a node with a near-cache that serves sessions which it has in its memory. */
export interface NearCacheWork {
  readonly store: string;
  readonly seconds: number;
  readonly requests: number;
  /** Commands of Redis, transactions of PostgreSQL, without heartbeats. */
  readonly roundTrips: number;
  /** Those of heartbeats. PostgreSQL counts two for each: one that sends it, one that reads it. */
  readonly heartbeats: number;
}

const SECONDS = 5;

/** Counts what each store does for a loaded node, by its own counters. */
export async function nearCacheWork(stores: Stores, log: (line: string) => void): Promise<readonly NearCacheWork[]> {
  const cases = ['ours-redis-near', 'ours-pg-near'].map((id) => CASES.find((each) => each.id === `fastify/${id}`)!);
  const [redis, postgres] = cases as [Case, Case];
  log('counting what the stores are asked for');
  const fleet = new Fleet(stores, log);
  try {
    // no other node, whose heartbeats would be counted
    await fleet.start(cases);
    return [await redisWork(fleet, stores, redis), await postgresWork(fleet, stores, postgres)];
  } finally {
    await fleet.stop();
  }
}

async function redisWork(fleet: Fleet, { redis }: Stores, each: Case): Promise<NearCacheWork> {
  await fill(fleet, each);
  await redis.config('RESETSTAT');
  const { responses } = await fleet.window(each, 1000 * SECONDS);
  const stats = await redis.info('commandstats');
  const callsOf = (name: string): number =>
    Number(new RegExp(`^cmdstat_${name}:calls=(\\d+)`, 'm').exec(stats)?.[1] ?? 0);
  const roundTrips = callsOf('evalsha') + callsOf('eval');
  return { store: 'Redis', seconds: SECONDS, requests: responses, roundTrips, heartbeats: callsOf('ping') };
}

/**
 * PostgreSQL counts transactions, those of heartbeats too, and tells the count of a connection when that is closed. So
 * a node is started three times: it fills its memory, and then stops, rests, or serves requests.
 */
async function postgresWork(fleet: Fleet, stores: Stores, each: Case): Promise<NearCacheWork> {
  const running = fleet.of(each.spec, each.kind);
  const transactionsOf = async (work: () => Promise<unknown>): Promise<number> => {
    const count = async (): Promise<number> => (await stores.countOf(running.databaseUrl)).transactions;
    const before = await fleet.whileStopped(running, count);
    await fill(fleet, each);
    await work();
    return (await fleet.whileStopped(running, count)) - before;
  };
  const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 1000 * SECONDS));
  const filling = await transactionsOf(() => Promise.resolve());
  const resting = await transactionsOf(pause);
  let requests = 0;
  const serving = await transactionsOf(async () => {
    ({ responses: requests } = await fleet.window(each, 1000 * SECONDS));
  });
  const roundTrips = serving - resting;
  return { store: 'PostgreSQL', seconds: SECONDS, requests, roundTrips, heartbeats: resting - filling };
}

/** Sends one request of each device, one after the other: no two of them share a statement. */
async function fill(fleet: Fleet, { spec, kind }: Case): Promise<void> {
  const { server, devices } = fleet.of(spec, kind);
  await fleet.send({ port: server.port, requests: requestsOf(kind, devices), connections: 1, status: STATUS[kind] });
}
