import { describe, expect, it } from '@jest/globals';
import { exploreFrom } from '../../test/fixtures/exploration.js';
import { BOUND, StrictWorld, type StrictLimits } from '../../test/fixtures/strict-world.js';
import type { NodeLease } from '../link/node-registry.js';
import { WaitProtocol, type Wait, type WaiterState } from './wait-protocol.js';

type Rules = new (node: string, bound: number, state?: WaiterState) => WaitProtocol;

/** Steps that are added to all depths: with `NEAR_CACHE_STEPS=1` it takes minutes. */
const MORE = Number(process.env['NEAR_CACHE_STEPS'] ?? 0);

function limits(given: Partial<StrictLimits>, rules: Rules = WaitProtocol): StrictLimits {
  return { nodes: 1, changes: 1, faults: 1, makeWaiter: (state) => new rules('w', BOUND, state), ...given };
}

/** Steps after which a node keeps the session, by a heartbeat that was sent after it read the session. */
const KEPT = [
  'node 0: asks the store',
  'node 0: the store finds',
  'node 0: the store answers',
  'node 0: sends a heartbeat',
  'node 0: the server replies to the heartbeat',
  'node 0: hears',
];

/** The registry knows of the node before it serves. */
const ENTERED = ['node 0: is subscribed', 'node 0: enters the registry', 'node 0: is told that it is in'];

/** A change of which the node does not know yet, and a question that it has not heard. */
const ASKED = ['the session changes', 'waiter: asks', 'waiter: its question is executed'];

/** The node does not hear of a lost registry. */
const LOST = [...KEPT, 'node 0: is cut off', 'the registry is emptied'];

const TAKEN_OVER = [...KEPT, 'a replica takes over that lacks the leases of the nodes'];

/** A waiter that starts. */
const STARTED = ['waiter: is subscribed', 'waiter: enters the registry', 'waiter: is told that it is in'];

const TOLD = ['waiter: hears', 'waiter: is told who is in the registry'];

/** A wait that was over without a confirmation. */
const SILENT = [...KEPT, ...ASKED, ...TOLD, 'more time than the bound passes'];

/** What the rules are without one of them, and where that is found out. */
const DEFECTS: readonly {
  readonly rule: string;
  readonly rules?: Rules;
  readonly limits?: Partial<StrictLimits>;
  readonly way?: readonly string[];
  /** @default true */
  readonly isIn?: boolean;
}[] = [
  {
    rule: 'a node serves only what it has read since it was in the registry',
    limits: { flaw: 'enters after it serves', faults: 0 },
    isIn: false,
    way: ['node 0: is subscribed', ...KEPT],
  },
  {
    rule: 'a node confirms when it has heard what came before the question',
    limits: { flaw: 'confirms before it has heard the end', faults: 0 },
    way: [...KEPT, ...ASKED],
  },
  {
    rule: 'the registry is read after the end',
    limits: { flaw: 'reads the registry before the end', faults: 0 },
    isIn: false,
    way: [...ENTERED, ...KEPT],
  },
  {
    rule: 'the waiter waits for all in the registry, not for those that its question reaches',
    limits: { flaw: 'waits for those that the question reaches' },
    way: KEPT,
  },
  {
    rule: 'a node that does not respond is waited for as long as its bound',
    rules: class extends WaitProtocol {
      override endOf(wait: Wait): number {
        return Math.min(super.endOf(wait), wait.since + BOUND - 1);
      }
    },
    way: [...KEPT, 'node 0: is cut off', ...ASKED],
  },
  {
    rule: 'what is not known of the registry is waited for',
    rules: class extends WaitProtocol {
      override endOf(wait: Wait): number {
        return wait.leases === undefined ? -Infinity : super.endOf(wait);
      }
    },
    way: KEPT,
  },
  {
    rule: 'a waiter that does not hear its own question does not rely on the registry',
    rules: class extends WaitProtocol {
      override endOf(wait: Wait): number {
        return super.endOf({ ...wait, confirmed: new Set([...wait.confirmed, 'w']) });
      }
    },
    way: KEPT,
  },
  {
    rule: 'a waiter whose own lease is missing does not rely on the registry',
    rules: class extends WaitProtocol {
      override left(): void {
        // goes on
      }
    },
    way: KEPT,
  },
  {
    rule: 'a waiter does not rely on a registry that is new',
    limits: { isWaiterNew: true, faults: 2 },
    rules: class extends WaitProtocol {
      override joined(lease: string, leases: readonly NodeLease[]): void {
        super.joined(lease, leases, -Infinity);
      }
    },
    way: [...LOST, ...STARTED],
  },
  {
    rule: 'a waiter does not rely on a registry that another server has taken over',
    limits: { isWaiterNew: true, flaw: 'believes a server that has taken over' },
    way: [...TAKEN_OVER, ...STARTED],
  },
  {
    rule: 'a waiter that has just joined again does not rely on such a registry',
    rules: class extends WaitProtocol {
      override joined(...[lease, leases, now]: Parameters<WaitProtocol['joined']>): void {
        super.joined(lease, leases, now - 2 * BOUND);
      }
    },
    way: [...TAKEN_OVER, 'waiter: notices', 'waiter: is subscribed', 'waiter: enters the registry'],
  },
  {
    rule: 'a lease is revoked before it is removed',
    limits: { flaw: 'removes a lease that is not revoked', changes: 2 },
    way: [...SILENT, 'waiter: removes a lease', 'node 0: hears', 'node 0: hears', ...KEPT],
  },
  {
    rule: 'a node whose lease is revoked enters again',
    limits: { flaw: 'goes on with a revoked lease', changes: 2 },
    way: [
      ...SILENT,
      'waiter: revokes a lease',
      'more time than the bound passes',
      'waiter: removes a lease',
      ...['node 0: hears', 'node 0: hears', 'node 0: hears', ...KEPT],
    ],
  },
  {
    rule: 'a node enters again when the registry was emptied',
    limits: { flaw: 'goes on when the registry was emptied', changes: 2 },
    way: [
      ...[...KEPT, 'the registry is emptied', ...ASKED, ...TOLD, 'more time than the bound passes'],
      ...['waiter: enters the registry', 'waiter: is told that it is in', 'more time than the bound passes'],
      ...['node 0: hears', 'node 0: hears', 'node 0: hears', 'waiter: hears', ...KEPT],
    ],
  },
];

describe('every order of what can happen to an end that waits for all nodes', () => {
  it.each([
    ['one node', limits({ faults: 1 }), true, 8, []],
    ['one node that has the session', limits({ faults: 1 }), true, 8, KEPT],
    ['one node that has the session, with more faults', limits({ faults: 2, changes: 2 }), true, 7, KEPT],
    ['one node that is about to enter the registry', limits({ faults: 0 }), false, 11, []],
    ['one node that has not heard the question', limits({ faults: 2 }), true, 7, [...KEPT, ...ASKED]],
    ['one node that does not respond', limits({ faults: 1, changes: 2 }), true, 7, SILENT],
    ['one node that is cut off', limits({ faults: 2, changes: 2 }), true, 7, [...KEPT, 'node 0: is cut off', ...ASKED]],
    ['a waiter that starts with a new registry', limits({ faults: 2, isWaiterNew: true }), true, 9, LOST],
    ['a waiter that starts after a failover', limits({ faults: 2, isWaiterNew: true }), true, 8, TAKEN_OVER],
    ['two nodes, one of which has the session', limits({ nodes: 2 }), true, 6, KEPT],
  ] as const)('has no value served that had ended before the wait was over: %s', (what, of, isIn, least, way) => {
    const since = performance.now();
    const depth = least + MORE;
    const { states, steps, counterexample } = exploreFrom(StrictWorld.begin(of, isIn), depth, way);
    const seconds = ((performance.now() - since) / 1000).toFixed(1);
    const reached = `to a depth of ${way.length} + ${depth}, ${seconds} s`;
    process.stdout.write(`strict near-cache, ${what}: ${states} states, ${steps} steps, ${reached}\n`);
    expect(counterexample).toBeUndefined();
    expect(states).toBeGreaterThan(1000);
  });

  it.each(DEFECTS)('finds out that it takes the rule: $rule', ({ rules, limits: given = {}, way, isIn = true }) => {
    const begin = StrictWorld.begin(limits(given, rules), isIn);
    expect(exploreFrom(begin, 10, way).counterexample).toBeDefined();
  });
});
