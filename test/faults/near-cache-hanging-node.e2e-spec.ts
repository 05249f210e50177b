import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Bank } from '../support/bank.js';
import { startNode } from '../support/fault-nodes.js';
import { checkFinality } from '../support/finality-history.js';
import { FinalityLoad } from '../support/finality-load.js';
import { ownPostgres, ownRedis, type OwnBackend } from '../support/own-backends.js';
import { PATIENCE } from '../support/patience.js';
import { StoppableNode } from '../support/stoppable-node.js';

/*
 * A node is stopped (SIGSTOP) with sessions in its memory. They are ended elsewhere; then it continues and is asked at
 * once, before it can hear of the ends: without the wait for its lease it would serve all of them.
 */

/** Rounds, and sessions of each. `npm run test:faults` has more rounds. */
const ROUNDS = process.env['FAULT_SECONDS'] === undefined ? 1 : 5;
const SESSIONS = 50;

/** Milliseconds by which the node hears of the ends later than it is asked. */
const LATE = 300;

/** Milliseconds that an end may take besides the bound, on a machine that is busy with requests. */
const BUSY = 2000;

/** What breaks, once the node is stopped; returns the node that ends the sessions, if it is not the usual one. */
type Break = (node: StoppableNode) => Promise<Bank | undefined>;

async function expectFinal(what: string, node: StoppableNode, bound: number, breaks: Break): Promise<void> {
  const load = new FinalityLoad(node.here, node, SESSIONS);
  for (let round = 0; round < ROUNDS; round += 1) {
    let ender: Bank | undefined;
    const begin = async (): Promise<void> => {
      node.stop();
      ender = await breaks(node);
      load.ender = ender ?? node.here;
    };
    await load.round(SESSIONS, begin, async (useAll) => {
      node.goOn();
      // what it has in memory it serves within that time; what it asks the store for may wait for a dead connection
      await Promise.race([Promise.all(useAll()), pause(LATE / 2)]);
      await node.proxy.heal();
      node.proxy.reset();
    });
    await ender?.close();
  }
  const { violations, ...counts } = checkFinality(load.history, 0);
  console.log(`strict near-cache, a node that hangs, ${what}: ${JSON.stringify({ ...counts, ...load.waits })}`);
  expect(violations).toEqual([]);
  expect(counts.seenLiveAndEnded).toBe(ROUNDS * SESSIONS);
  expect(load.waits.longest).toBeLessThan(bound + BUSY);
}

/** A node that starts after the registry was lost knows nothing of the one that hangs. */
async function startAnother(backend: OwnBackend, bound: number): Promise<Bank> {
  return startNode(await backend.storage(), { bound, consistency: 'strict' });
}

async function messagesAreLate({ proxy }: StoppableNode): Promise<undefined> {
  await proxy.break({ kind: 'delay', milliseconds: LATE });
}

describe('a node on Redis that hangs refuses what a strict node has ended, from the moment that it continues', () => {
  const BOUND = 1200;
  let backend: Awaited<ReturnType<typeof ownRedis>>;
  let node: StoppableNode;

  beforeAll(async () => {
    backend = await ownRedis();
    const strict = { bound: BOUND, consistency: 'strict' } as const;
    node = await StoppableNode.start(backend, strict, strict);
  }, PATIENCE);

  afterAll(() => node.close());

  it('when nothing else is wrong', async () => {
    await expectFinal('Redis', node, BOUND, messagesAreLate);
  });

  it('when Redis is killed and started again meanwhile, with what it had acknowledged', async () => {
    await expectFinal('Redis, restarted', node, BOUND, async () => {
      node.proxy.cutSilently();
      await backend.server.kill();
      await backend.server.restart();
      return undefined;
    });
  });

  it('when the registry of the nodes is lost meanwhile', async () => {
    await expectFinal('Redis, the registry lost', node, BOUND, async () => {
      await backend.server.operator.del('sa:nodes');
      return messagesAreLate(node);
    });
  });

  it('when all that Redis had is lost, and the node that ends the sessions starts after that', async () => {
    await expectFinal('Redis, emptied, a new node', node, BOUND, async () => {
      await messagesAreLate(node);
      await backend.server.operator.flushall();
      return startAnother(backend, BOUND);
    });
  });

  it('when Redis is started again without the last leases, and the node that ends the sessions after it', async () => {
    await expectFinal('Redis, leases lost, a new node', node, BOUND, async () => {
      node.proxy.cutSilently();
      const { operator } = backend.server;
      const leases = (await operator.hkeys('sa:nodes')).filter((id) => id !== 'since');
      await operator.hdel('sa:nodes', ...leases);
      await backend.server.kill();
      await backend.server.restart();
      return startAnother(backend, BOUND);
    });
  });
});

describe('a bounded node on PostgreSQL that hangs refuses what a strict node has ended, when it continues', () => {
  /** Longer than it takes to start PostgreSQL again. */
  const BOUND = 2000;
  let backend: Awaited<ReturnType<typeof ownPostgres>>;
  let node: StoppableNode;

  beforeAll(async () => {
    backend = await ownPostgres();
    const there = { bound: BOUND, consistency: 'bounded' } as const;
    node = await StoppableNode.start(backend, there, { bound: BOUND, consistency: 'strict' });
  }, PATIENCE);

  afterAll(() => node.close());

  it('when nothing else is wrong', async () => {
    await expectFinal('PostgreSQL', node, BOUND, messagesAreLate);
  });

  it('when the registry is lost, and the node that ends the sessions starts after that', async () => {
    await expectFinal('PostgreSQL, the registry lost, a new node', node, BOUND, async () => {
      await messagesAreLate(node);
      await backend.runSql('TRUNCATE session_auth_throttle');
      return startAnother(backend, BOUND);
    });
  });

  it('when PostgreSQL is stopped without a goodbye, which loses the registry, and started again', async () => {
    await expectFinal('PostgreSQL, restarted', node, BOUND, async () => {
      node.proxy.cutSilently();
      await backend.server.restart();
      return undefined;
    });
  });
});
