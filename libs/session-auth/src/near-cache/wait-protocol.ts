import { nodeOf, type NodeLease } from '../link/node-registry.js';

/*
 * The rules by which an end waits until no node serves the session from its memory, without any I/O: see
 * near-cache-protocol.ts for the rules of these nodes, and wait-protocol.exploration.spec.ts for the tests of both.
 *
 * A node enters the registry before it sends the heartbeat that it first relies on. So a node that can serve what ended
 * at time T was in the registry at T: its last heartbeat was returned before T, or it would have heard of the end. The
 * waiter asks after T, in the same step in which it reads the registry. A node that has heard the question has heard of
 * the end before, as both come on one channel, in order. A node that does not respond serves nothing that ended longer
 * ago than its bound, so it need not be waited for any longer.
 *
 * A registry may be lost: the server was started again, or replaced by a replica that lacks the last leases. A waiter
 * that hears its own question knows that the server which it asked has had the waiter's subscription since the waiter
 * joined, so the server has lost nothing since then but the whole registry, and then the waiter's own lease is missing.
 * What was lost before the waiter joined was lost before the registry was made, or before the first lease was entered
 * on this server: a waiter is told how long ago that was. A node whose lease was lost then has heard nothing since, or
 * that it must enter again: it serves nothing by that lease any more when its bound is over.
 */

/** The longest `bound` that a node may have, in milliseconds. */
export const LONGEST_BOUND = 10_000;

/** By how much the monotonic clocks of two machines may run apart, as a factor. */
const DRIFT = 1.002;

/** An end, or several, that wait for the nodes. */
export interface Wait {
  readonly question: string;
  /** When the question was sent: after the ends were done. By the monotonic clock, in milliseconds. */
  readonly since: number;
  /** The registry; undefined: it has not been read yet. */
  leases: readonly NodeLease[] | undefined;
  /** The nodes that have confirmed. A waiter that hears its own question confirms it. */
  readonly confirmed: Set<string>;
}

/** The state that the rules use. A test can copy it. */
export interface WaiterState {
  /** The waiter's own lease, and since when the registry has lost none; undefined while the waiter has none. */
  own: { readonly lease: string; readonly since: number } | undefined;
  /** The longest bound that may be in use; undefined: the registry has never been read. */
  longest: number | undefined;
}

/** The rules, applied to a given state. */
export class WaitProtocol {
  /** @param bound of the waiter itself, in milliseconds */
  constructor(
    private readonly node: string,
    private readonly bound: number,
    readonly state: WaiterState = { own: undefined, longest: undefined },
  ) {}

  /**
   * The waiter's lease is in the registry, and it hears what is published since before that.
   *
   * @param since the time after which the registry is known to have lost no lease
   */
  joined(lease: string, leases: readonly NodeLease[], since: number): void {
    this.state.own = { lease, since };
    this.#saw(leases);
  }

  /** Another lease has been entered. */
  entered({ bound }: Pick<NodeLease, 'bound'>): void {
    const { longest } = this.state;
    if (longest !== undefined && bound > longest) this.state.longest = bound;
  }

  /** The link is lost, or the lease is revoked. */
  left(): void {
    this.state.own = undefined;
  }

  /** What is to wait has ended, and the question is sent now. */
  asked(question: string, now: number): Wait {
    return { question, since: now, leases: undefined, confirmed: new Set() };
  }

  /** The registry has been read. */
  read(wait: Wait, leases: readonly NodeLease[]): void {
    const { own } = this.state;
    this.#saw(leases);
    wait.leases = leases;
    // the whole registry was lost, and others are missing too
    if (own !== undefined && leases.every(({ id }) => id !== own.lease)) this.left();
  }

  /** The waiting is over: what was certain about the registry is remembered. */
  finished(wait: Wait): void {
    if (wait.leases === undefined || !wait.confirmed.has(this.node) || this.reliableFrom > wait.since) return;
    this.state.longest = this.#longestOf(wait.leases);
  }

  /** Whether the waiting is over. */
  isOver(wait: Wait, now: number): boolean {
    return now > this.endOf(wait);
  }

  /** When the registry can be relied on: nodes whose leases were lost may serve until then. */
  get reliableFrom(): number {
    const { own, longest = LONGEST_BOUND } = this.state;
    return own === undefined ? Infinity : own.since + longest * DRIFT;
  }

  /** The time after which the waiting is over, if nothing more is heard; before the question: it is over. */
  endOf({ since, leases, confirmed }: Wait): number {
    const after = (bound: number): number => since + bound * DRIFT;
    const { own, longest = LONGEST_BOUND } = this.state;
    const latest = after(longest);
    if (leases === undefined || own === undefined || !confirmed.has(this.node)) return latest;
    let end = -Infinity;
    for (const { id, bound } of leases) if (!confirmed.has(nodeOf(id))) end = Math.max(end, after(bound));
    const { reliableFrom } = this;
    return reliableFrom > since ? Math.max(end, Math.min(reliableFrom, latest)) : end;
  }

  /** The leases of other nodes that have not confirmed, though the question has been heard. */
  silent({ leases = [], confirmed }: Wait): readonly NodeLease[] {
    return confirmed.has(this.node) ? leases.filter(({ id }) => !confirmed.has(nodeOf(id))) : [];
  }

  /** Whether a lease can be removed: its node has known of the revocation, or served nothing, for so long. */
  isRemovable({ bound }: NodeLease, revoked: number, now: number): boolean {
    return now - revoked > bound * DRIFT;
  }

  #saw(leases: readonly NodeLease[]): void {
    this.state.longest = Math.max(this.state.longest ?? 0, this.#longestOf(leases));
  }

  #longestOf(leases: readonly NodeLease[]): number {
    return Math.max(...leases.map(({ bound }) => bound), this.bound);
  }
}
