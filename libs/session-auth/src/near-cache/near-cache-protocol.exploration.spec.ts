import { describe, expect, it } from '@jest/globals';
import { BOUND, explore, type MakeProtocol, type WorldLimits } from '../../test/fixtures/near-cache-world.js';
import { NearCacheProtocol, type Beat, type Fill, type FillOutcome, type Instant } from './near-cache-protocol.js';

type Protocol = typeof NearCacheProtocol<number>;

function made(of: Protocol): MakeProtocol {
  return (state) => new of(BOUND, 1, state);
}

const sound = made(NearCacheProtocol);

/** Steps that are added to all depths: with `NEAR_CACHE_STEPS=1` it takes up to a minute. */
const MORE = Number(process.env['NEAR_CACHE_STEPS'] ?? 0);

const ONE: WorldLimits = { nodes: 1, changes: 1, reads: 1, faults: 1 };
const BUSY: WorldLimits = { nodes: 1, changes: 2, reads: 2, faults: 2 };
const TWO: WorldLimits = { nodes: 2, changes: 2, reads: 1, faults: 1 };

/** Steps after which a read is under way that the store has executed, and after which its answer is kept and proven. */
const READ = ['node 0: asks the store', 'node 0: read 0 is executed'];
const KEPT = [
  ...READ,
  'node 0: read 0 is answered',
  'node 0: sends a heartbeat',
  'node 0: the server replies to the heartbeat',
  'node 0: hears',
];

/** What the rules are without one of them, and where that is found out. */
const DEFECTS: readonly {
  readonly rule: string;
  readonly of: Protocol;
  readonly limits: WorldLimits;
  /** @default none */
  readonly way?: readonly string[];
}[] = [
  {
    rule: 'an end spoils the fills under way',
    limits: { ...ONE, faults: 0 },
    of: class extends NearCacheProtocol<number> {
      override drop(key: string): void {
        this.state.entries.delete(key);
      }
    },
  },
  {
    rule: 'an end drops what is kept',
    limits: { ...ONE, faults: 0 },
    of: class extends NearCacheProtocol<number> {
      override drop(): void {
        for (const fill of this.state.fills) fill.isSpoilt = true;
      }
    },
  },
  {
    rule: 'a heartbeat proves what was published before it was sent, and not before it was back',
    limits: { ...ONE, faults: 0 },
    of: class extends NearCacheProtocol<number> {
      override beatBack({ epoch }: Beat, now: Instant): void {
        super.beatBack({ epoch, sent: now }, now);
      }
    },
  },
  {
    rule: 'a lost link drops all that is kept',
    limits: ONE,
    way: KEPT,
    of: class extends NearCacheProtocol<number> {
      override unlinked(): void {
        this.#keeping(() => super.unlinked());
      }

      override linked(): void {
        this.#keeping(() => super.linked());
      }

      #keeping(change: () => void): void {
        const kept = [...this.state.entries];
        change();
        for (const [key, value] of kept) this.state.entries.set(key, value);
      }
    },
  },
  {
    rule: 'a lost link spoils the fills under way',
    limits: ONE,
    way: READ,
    of: class extends NearCacheProtocol<number> {
      override unlinked(): void {
        this.#withoutSpoiling(() => super.unlinked());
      }

      override linked(): void {
        this.#withoutSpoiling(() => super.linked());
      }

      #withoutSpoiling(change: () => void): void {
        const sound = [...this.state.fills].filter(({ isSpoilt }) => !isSpoilt);
        change();
        for (const fill of sound) fill.isSpoilt = false;
      }
    },
  },
  {
    rule: 'what is not proven is not served',
    limits: ONE,
    of: class extends NearCacheProtocol<number> {
      override lookUp(key: string): number | undefined {
        return this.state.isLinked ? this.state.entries.get(key) : undefined;
      }
    },
  },
  {
    rule: 'what a dead link leaves is not served for longer than the bound',
    limits: ONE,
    of: class extends NearCacheProtocol<number> {
      override lookUp(key: string, now: Instant): number | undefined {
        const { proven } = this.state;
        if (proven === undefined || now.monotonic - proven.monotonic > 2 * BOUND) return undefined;
        return this.state.entries.get(key);
      }
    },
  },
  {
    rule: 'an answer that took longer than the bound is asked for again',
    limits: { ...ONE, faults: 0 },
    of: class extends NearCacheProtocol<number> {
      override fillBack(fill: Fill, value: number): FillOutcome {
        return super.fillBack(fill, value, fill.sent);
      }
    },
  },
];

describe('every order of what can happen to a near-cache', () => {
  it.each([
    ['one node', ONE, 10, []],
    ['one node, whose read has been executed', ONE, 10, READ],
    ['one node that has the session', ONE, 10, KEPT],
    ['one node that has the session, with more reads and faults', BUSY, 7, KEPT],
    ['two nodes', TWO, 6, []],
    ['two nodes, one of which has the session', TWO, 6, KEPT],
  ])('has no value served or used that was replaced longer ago than the bound: %s', (what, limits, least, way) => {
    const since = performance.now();
    const depth = least + MORE;
    const { states, steps, counterexample } = explore(sound, limits, depth, way);
    const seconds = ((performance.now() - since) / 1000).toFixed(1);
    const reached = `to a depth of ${way.length} + ${depth}, ${seconds} s`;
    process.stdout.write(`near-cache, ${what}: ${states} states, ${steps} steps, ${reached}\n`);
    expect(counterexample).toBeUndefined();
    expect(states).toBeGreaterThan(1000);
  });

  it.each(DEFECTS)('finds out that it takes the rule: $rule', ({ of, limits, way }) => {
    expect(explore(made(of), limits, 10, way).counterexample).toBeDefined();
  });

  it.each([
    ['a server that answers heartbeats before what it has published', { ...ONE, faults: 0, isUnordered: true }],
    ['a node that looks at a clock that stands still while the machine is suspended', { ...ONE, isBlind: true }],
  ] as const)('finds out %s', (_what, limits) => {
    expect(explore(sound, limits, 10).counterexample).toBeDefined();
  });
});
