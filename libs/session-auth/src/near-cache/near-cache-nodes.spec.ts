import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { SessionAuthError } from '../errors/session-auth.error.js';
import { LEASE_LIFE, type NodeLease, type NodeMessage, type NodeRegistry } from '../link/node-registry.js';
import { NearCacheNodes } from './near-cache-nodes.js';

const BOUND = 200;

/** A registry in this process, and the channel of its messages. */
class Backend {
  readonly leases = new Map<string, number>();
  /** Since when it has lost no lease; undefined while it is new. */
  since: number | undefined;
  readonly nodes = new Set<NearCacheNodes>();
  readonly told: NodeMessage[] = [];
  questions = 0;
  /** What its next operations come to. */
  failure: Error | undefined;

  constructor(private readonly now: () => number) {}

  readonly registry: NodeRegistry = {
    enter: async ({ id, bound }, previous) => {
      await this.#reached();
      if (this.since === undefined) this.#publish({ type: 'emptied', lease: id });
      this.since ??= this.now();
      if (previous !== undefined) this.leases.delete(previous);
      this.leases.set(id, bound);
      this.#publish({ type: 'entered', lease: id, bound });
      return { leases: this.#all(), age: this.now() - this.since };
    },
    ask: async (question) => {
      await this.#reached();
      this.questions += 1;
      this.#publish({ type: 'asked', question });
      return this.#all();
    },
    confirm: (question, node) => Promise.resolve(this.#publish({ type: 'confirmed', question, node })),
    revoke: (lease) => Promise.resolve(this.#publish({ type: 'revoked', lease })),
    remove: (lease) => Promise.resolve(this.leases.delete(lease)),
  };

  /** Loses all leases. */
  lose(): void {
    this.leases.clear();
    this.since = undefined;
  }

  async #reached(): Promise<void> {
    await Promise.resolve();
    if (this.failure !== undefined) throw this.failure;
  }

  #publish(message: NodeMessage): void {
    this.told.push(message);
    for (const node of this.nodes) node.heard(message);
  }

  #all(): NodeLease[] {
    return [...this.leases].map(([id, bound]) => ({ id, bound }));
  }
}

describe('the nodes with a near-cache', () => {
  let backend: Backend;
  let now: number;
  let opened: NearCacheNodes[];

  beforeEach(() => {
    jest.useFakeTimers({ doNotFake: ['nextTick', 'queueMicrotask', 'setImmediate'] });
    now = 20_000;
    backend = new Backend(() => now);
    // it is older than the longest bound
    backend.since = 0;
    opened = [];
  });

  afterEach(async () => {
    for (const node of opened) await node.close();
    jest.useRealTimers();
  });

  /** A node, and what it did with its lease. */
  async function enter(bound = BOUND): Promise<{ node: NearCacheNodes; did: string[] }> {
    const did: string[] = [];
    const holder = { joined: () => did.push('joined'), left: () => did.push('left'), doubt: () => did.push('doubt') };
    const node = new NearCacheNodes(backend.registry, bound, holder, () => ({ monotonic: now, wall: now }));
    opened.push(node);
    backend.nodes.add(node);
    node.linked();
    await node.entered;
    return { node, did };
  }

  async function pass(milliseconds: number): Promise<void> {
    for (let passed = 0; passed < milliseconds; passed += 10) {
      now += 10;
      await jest.advanceTimersByTimeAsync(10);
      for (let turn = 0; turn < 4; turn += 1) await new Promise(setImmediate);
    }
  }

  /** How long an end waits, in steps of 10 ms. */
  async function waited(node: NearCacheNodes, most = 15_000): Promise<number> {
    const since = now;
    let isOver = false;
    void node.settle().then(() => (isOver = true));
    for (let turn = 0; turn < 10 && !isOver; turn += 1) await new Promise(setImmediate);
    while (!isOver && now - since < most) await pass(10);
    return now - since;
  }

  it('wait for nobody once all have confirmed', async () => {
    const [one] = [await enter(), await enter(), await enter()];
    expect(await waited(one.node)).toBe(0);
  });

  it('ask once for all that ends in one turn', async () => {
    const { node } = await enter();
    backend.questions = 0;
    await Promise.all(Array.from({ length: 20 }, () => node.settle()));
    expect(backend.questions).toBe(1);
  });

  it('wait for a node that does not respond as long as its bound, and no more once its lease is taken away', async () => {
    const [one, other] = [await enter(), await enter(3 * BOUND)];
    await pass(4 * BOUND);
    backend.nodes.delete(other.node);
    expect(await waited(one.node)).toBeGreaterThan(3 * BOUND);
    await pass(20 * BOUND);
    expect(backend.leases.size).toBe(1);
    expect(backend.told.filter(({ type }) => type === 'revoked')).toHaveLength(1);
    expect(await waited(one.node)).toBe(0);
  });

  it('take no lease away from a node that confirms again', async () => {
    const [one, other] = [await enter(), await enter()];
    backend.nodes.delete(other.node);
    expect(await waited(one.node)).toBeGreaterThanOrEqual(BOUND);
    backend.nodes.add(other.node);
    await pass(20 * BOUND);
    expect([backend.leases.size, other.did]).toEqual([2, ['joined']]);
  });

  it('give up what they have with a revoked lease, and enter again', async () => {
    const { did } = await enter();
    const [lease] = backend.leases.keys();
    await backend.registry.revoke(lease!);
    await pass(10);
    expect(did).toEqual(['joined', 'left', 'joined']);
    expect([...backend.leases.keys()]).not.toContain(lease);
    expect(backend.leases.size).toBe(1);
  });

  it('wait out the longest bound while the registry cannot be read', async () => {
    const [one] = [await enter(), await enter(4 * BOUND)];
    await pass(5 * BOUND);
    expect(await waited(one.node)).toBe(0);
    backend.failure = new Error('away');
    const wait = await waited(one.node);
    expect(wait).toBeGreaterThan(4 * BOUND);
    expect(wait).toBeLessThanOrEqual(4 * BOUND + 20);
  });

  it('wait out the longest bound that there is while the registry has never been read', async () => {
    backend.failure = new Error('away');
    const { node } = await enter();
    const wait = await waited(node);
    expect(wait).toBeGreaterThan(10_000);
    expect(wait).toBeLessThan(10_100);
  });

  it('wait out the longest bound while they cannot hear, and look whether the link is dead', async () => {
    const { node, did } = await enter();
    backend.nodes.delete(node);
    expect(await waited(node)).toBeGreaterThan(BOUND);
    expect(did).toEqual(['joined', 'doubt']);
  });

  it('enter again when the registry was lost, which any of them finds out by an end', async () => {
    const [one, other] = [await enter(), await enter(2 * BOUND)];
    await pass(5 * BOUND);
    backend.lose();
    expect(await waited(one.node)).toBeGreaterThan(2 * BOUND);
    await pass(10);
    expect(backend.leases.size).toBe(2);
    expect(other.did).toEqual(['joined', 'left', 'joined']);
    await pass(5 * BOUND);
    expect(await waited(one.node)).toBe(0);
  });

  it('renew their lease after half of its life, and enter again after all of it', async () => {
    const { node, did } = await enter();
    const [lease] = backend.leases.keys();
    backend.lose();
    node.renew();
    await pass(10);
    expect(backend.leases.size).toBe(0);
    now += LEASE_LIFE / 2;
    node.renew();
    await pass(10);
    expect([...backend.leases.keys()]).toEqual([lease]);
    now += LEASE_LIFE + 1;
    node.renew();
    await pass(10);
    expect(did).toEqual(['joined', 'left', 'joined']);
  });

  it('try again to enter, and say so at boot where the rights are missing', async () => {
    backend.failure = new Error('away');
    const { did } = await enter();
    backend.failure = undefined;
    await pass(500);
    expect(did).toEqual(['joined']);
    backend.failure = new SessionAuthError('invalid_configuration', 'no rights');
    await expect(enter()).rejects.toThrow('no rights');
  });

  it('rely on a registry that is old: from the start, and after a lost link', async () => {
    const [one] = [await enter(), await enter(2 * BOUND)];
    expect(await waited(one.node)).toBe(0);
    one.node.unlinked();
    one.node.linked();
    await pass(10);
    expect(await waited(one.node)).toBe(0);
  });

  it('rely on a new registry when the longest bound is over, which a node can wait for', async () => {
    backend.lose();
    const one = await enter();
    await pass(BOUND / 2);
    const other = await enter(2 * BOUND);
    const wait = await waited(one.node);
    expect(wait).toBeGreaterThan(BOUND);
    expect(wait).toBeLessThanOrEqual(1.5 * BOUND + 20);
    expect(await waited(one.node)).toBe(0);
    backend.lose();
    const last = await enter();
    let isReliable = false;
    void last.node.reliable().then(() => (isReliable = true));
    await pass(BOUND);
    expect(isReliable).toBe(false);
    await pass(2 * BOUND);
    expect(isReliable).toBe(true);
    expect([await waited(last.node), await waited(other.node)]).toEqual([0, 0]);
    await last.node.reliable();
  });

  it('do not rely on the registry when a renewal finds that it was lost', async () => {
    const [one, other] = [await enter(), await enter()];
    backend.nodes.delete(other.node);
    backend.lose();
    now += LEASE_LIFE / 2;
    one.node.renew();
    await pass(10);
    expect(backend.leases.size).toBe(1);
    expect(await waited(one.node)).toBeGreaterThan(BOUND - 20);
  });

  it('do not rely on a lease that is confirmed after the link was lost', async () => {
    const { node, did } = await enter();
    node.unlinked();
    node.linked();
    node.unlinked();
    await pass(10);
    expect(did).toEqual(['joined', 'left']);
  });
});
