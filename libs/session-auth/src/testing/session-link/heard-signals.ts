import assert from 'node:assert/strict';
import { setTimeout as pause } from 'node:timers/promises';
import type { AllSessionsEnded, SessionLink, SessionSignal, WatchOptions } from '../../session/session-link.js';
import type { SessionStore } from '../../session/session-store.js';
import { newRecord, NO_LIMIT, NOW } from '../session-store/sample-records.js';

/** How long the tests wait for a signal, in milliseconds: far longer than it takes on a busy machine. */
const PATIENCE = 20_000;

/**
 * How the tests listen. On a machine that stands still for a moment a heartbeat is overdue, and a link that is down
 * misses signals: that is no mistake of the store.
 */
export const STEADY: WatchOptions = { heartbeat: false };

/** The link of one node, with the signals that it has received. */
export class ListeningNode {
  readonly #heard: SessionSignal[] = [];
  #lost = 0;

  private constructor(
    readonly store: SessionStore,
    readonly link: SessionLink,
  ) {}

  static async open(store: SessionStore): Promise<ListeningNode> {
    const link = store.link?.();
    assert.ok(link, 'the store has no link');
    await link.open();
    const node = new ListeningNode(store, link);
    link.observe({ lost: () => (node.#lost += 1) });
    link.watch((signal) => node.#heard.push(signal), STEADY);
    return node;
  }

  /** Returns the signals of a session, without repeated ones. */
  of({ id }: { readonly id: string }): SessionSignal[] {
    const texts = new Set(
      this.#heard.filter((signal) => 'id' in signal && signal.id === id).map((signal) => JSON.stringify(signal)),
    );
    return [...texts].map((text) => JSON.parse(text) as SessionSignal);
  }

  /** How often it was reported that all sessions have ended. */
  get allEnded(): readonly AllSessionsEnded[] {
    return this.#heard.filter((signal) => signal.type === 'all_ended');
  }

  async until(what: string, holds: () => boolean): Promise<void> {
    for (const end = performance.now() + PATIENCE; !holds(); await pause(2)) {
      assert.ok(performance.now() < end, `not received: ${what} (the link was lost ${this.#lost} times)`);
    }
  }
}

/** The nodes of one backend. */
export class ListeningNodes {
  private constructor(readonly nodes: readonly ListeningNode[]) {}

  static async open(stores: readonly SessionStore[]): Promise<ListeningNodes> {
    const nodes: ListeningNode[] = [];
    for (const store of stores) nodes.push(await ListeningNode.open(store));
    return new ListeningNodes(nodes);
  }

  /** Asserts that every node has received these signals of a session, and no others. */
  async heard(session: { readonly id: string }, ...expected: readonly object[]): Promise<void> {
    const signals = expected.map((each) => ({ realm: 'default', id: session.id, ...each }));
    for (const node of this.nodes) {
      await node.until(JSON.stringify(signals), () => node.of(session).length >= signals.length);
      const bySortedText = (list: readonly object[]): object[] =>
        [...list].sort((a, b) => JSON.stringify(a).localeCompare(JSON.stringify(b)));
      const sorted = (each: object): object => Object.fromEntries(Object.entries(each).sort());
      assert.deepEqual(
        bySortedText(node.of(session).map(sorted)),
        bySortedText(signals.map(withoutUndefined).map(sorted)),
      );
    }
  }

  /** Waits until every node has received everything that was published about a user's sessions. */
  async settled(userId: string | undefined, { store } = this.nodes[0]!): Promise<void> {
    const marker = newRecord(userId);
    await store.create(marker, NO_LIMIT, NOW);
    await store.delete(marker.digest, NOW, 'logout');
    for (const node of this.nodes) await node.until('the last signal', () => node.of(marker).length > 0);
  }

  async close(): Promise<void> {
    for (const { link } of this.nodes) await link.close();
  }
}

function withoutUndefined(given: object): object {
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
}
