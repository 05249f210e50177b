import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { redisStorage } from 'nestjs-session-auth/redis';
import { NodesUnderFault, startNode, type FaultNode, type NearCacheGiven } from '../support/fault-nodes.js';
import type { Fault } from '../support/fault-proxy.js';
import { checkFinality } from '../support/finality-history.js';
import { FinalityLoad } from '../support/finality-load.js';
import { PATIENCE, until } from '../support/patience.js';
import { RedisSentinels } from '../support/redis-sentinels.js';

/** Milliseconds until a fault is over: longer than a dead connection goes unnoticed. */
const OUTAGE = 300;

/** Rounds of each fault, and sessions of each round. `npm run test:faults` has twenty times as many rounds. */
const ROUNDS = process.env['FAULT_SECONDS'] === undefined ? 1 : 20;
const SESSIONS = 30;

/** All end at the same moment, while what the other node serves is still proven. */
const AT_ONCE = SESSIONS;

/** Or few do, so that each is acknowledged, and its session used, before a message that is delayed arrives. */
const FEW = { sessions: 40, atOnce: 8 };

/**
 * Milliseconds: so long that a node that is cut off goes on serving from memory for many requests, as long as it does
 * not notice.
 */
const BOUND = 400;
const STRICT = { bound: BOUND, consistency: 'strict' } as const;

/** Milliseconds that an end may take besides the bound, on a machine that is busy with requests. */
const BUSY = 1500;

const FAULTS: readonly Fault[] = [
  { kind: 'none' },
  { kind: 'refuse' },
  { kind: 'reset' },
  { kind: 'black-hole' },
  // shorter than a heartbeat may take, so that nobody notices
  { kind: 'delay', milliseconds: 100, to: 'client' },
  { kind: 'delay', milliseconds: 1000 },
];

/** With one client all faults, with the others those that nobody is told about; all in `npm run test:faults`. */
const SILENT = process.env['FAULT_SECONDS'] === undefined ? FAULTS.slice(3, 5) : FAULTS;

/** Prints what came of it, and fails where a request that was sent after the answer to its session's end passed. */
function conclude(what: string, load: FinalityLoad, longest = 3 * BOUND): void {
  const { violations, ...counts } = checkFinality(load.history, 0);
  console.log(`strict near-cache, ${what}: ${JSON.stringify({ ...counts, ...load.waits })}`);
  expect(violations).toEqual([]);
  expect(counts.seenLiveAndEnded).toBe(counts.ends);
  expect(load.waits.longest).toBeLessThan(longest + BUSY);
}

describe.each([
  ['ioredis', FAULTS, () => NodesUnderFault.onRedis('ioredis', STRICT)],
  ['node-redis', SILENT, () => NodesUnderFault.onRedis('redis', STRICT)],
  ['PostgreSQL', SILENT, () => NodesUnderFault.onPostgres(STRICT)],
] as const)(
  'a session is refused everywhere once its end is answered, with a strict near-cache on %s',
  (name, faults, open) => {
    let nodes: NodesUnderFault;

    beforeAll(async () => {
      nodes = await open();
    });

    afterAll(() => nodes.close());

    afterEach(() => nodes.proxy.heal());

    it.each(faults)('while the connection of the other node has this fault: %j', async (fault) => {
      const { sessions, atOnce } =
        fault.kind === 'delay' && fault.milliseconds < BOUND ? FEW : { sessions: SESSIONS, atOnce: AT_ONCE };
      const load = new FinalityLoad(nodes.here, nodes.there, atOnce);
      const begin = (): unknown => fault.kind !== 'none' && nodes.proxy.break(fault);
      await load.rounds(ROUNDS, sessions, begin, async () => {
        await pause(OUTAGE);
        await nodes.proxy.heal();
      });
      conclude(`${name}, ${JSON.stringify(fault)}`, load);
    });

    it('while it is half-open', async () => {
      const load = new FinalityLoad(nodes.here, nodes.there, AT_ONCE);
      await load.rounds(
        ROUNDS,
        SESSIONS,
        () => nodes.proxy.cutSilently(),
        () => pause(OUTAGE),
      );
      conclude(`${name}, half-open`, load);
    });
  },
);

describe('a session is refused everywhere once its end is answered, with a strict near-cache by Sentinel', () => {
  let sentinels: RedisSentinels;
  let here: FaultNode;
  let there: FaultNode;
  /** Without a near-cache. */
  let plain: FaultNode;

  beforeAll(async () => {
    sentinels = await RedisSentinels.start();
    const start = (nearCache: NearCacheGiven | false): Promise<FaultNode> =>
      startNode(redisStorage({ client: sentinels.connect(), link: true }), nearCache);
    [here, there, plain] = [await start(STRICT), await start(STRICT), await start(false)];
  }, PATIENCE);

  afterAll(async () => {
    for (const node of [here, there, plain]) await node.close();
    await sentinels.close();
  });

  it('when the master is killed while sessions end and are used', async () => {
    const load = new FinalityLoad(here, there, FEW.atOnce);
    let lost = 0;
    for (let round = 0; round < ROUNDS; round += 1) {
      const master = await sentinels.master();
      let isKilled = Promise.resolve();
      const begin = (): void => {
        const goal = load.history.ends.size + FEW.sessions / 2;
        isKilled = until(() => load.history.ends.size >= goal).then(() => master.kill());
      };
      await load.round(FEW.sessions, begin, async () => {
        await isKilled;
        await sentinels.untilMasterIsNot(master);
        await master.restart();
        await sentinels.untilWhole();
        // what the master had acknowledged and not replicated is lost to every node, with a near-cache or without
        lost += await load.endLost(plain);
      });
    }
    conclude(`the master killed, ${lost} ends lost by the store`, load, 10_000);
    expect(lost).toBeLessThan(load.history.ends.size / 2);
  });

  it('when a replica takes over as planned', async () => {
    const load = new FinalityLoad(here, there, AT_ONCE);
    const handOver = async (): Promise<void> => {
      await sentinels.handOver();
      // writes are refused before
      await sentinels.untilWhole();
    };
    await load.round(SESSIONS, handOver, () => undefined);
    conclude('planned failover', load);
  });
});
