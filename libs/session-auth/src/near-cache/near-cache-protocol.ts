/*
 * The rules by which a node may serve a session from its memory, without any I/O: calls report each event and its time.
 * Tests explore these rules exhaustively (near-cache-protocol.exploration.spec.ts).
 *
 * The link delivers messages in the order in which they were published. A heartbeat that was sent at time s and has
 * returned proves that everything published before s has been received. So if the last such s is at most the bound ago,
 * no served session ended longer ago than the bound: the node would have received its end, and would have dropped the
 * session.
 *
 * A read of the store that puts a session into memory is a fill. An end that is received during the fill may have
 * happened after the store was read: it spoils the fill, and the result is not kept.
 *
 * An epoch is a period in which the node cannot have missed a message. Entries, heartbeats and proofs of one epoch are
 * not valid in the next.
 */

/**
 * A moment by the two clocks of the machine, in milliseconds. They are never compared with those of another machine.
 */
export interface Instant {
  /** Never set; may stand still while the machine is suspended. */
  readonly monotonic: number;
  /** May be set; goes on while the machine is suspended. */
  readonly wall: number;
}

/** A heartbeat that is on its way. */
export interface Beat {
  readonly epoch: number;
  readonly sent: Instant;
}

/** A read of the store that is on its way, to be kept. */
export interface Fill {
  readonly key: string;
  readonly sent: Instant;
  isSpoilt: boolean;
}

/** The state that the rules use. A test can copy it. */
export interface NearCacheState<Value> {
  epoch: number;
  /** Whether the node receives published messages. */
  isLinked: boolean;
  /** When the last returned heartbeat of this epoch was sent. */
  proven: Instant | undefined;
  /** The least recently used first. */
  readonly entries: Map<string, Value>;
  readonly fills: Set<Fill>;
}

/** How a fill ended. */
export type FillOutcome =
  | 'kept'
  /** The value may be used but is not kept: the link is down. */
  | 'passed'
  /** The value may precede an end that was received, or be too old: read the store again. */
  | 'ask again';

/** Returns the state of a node that has received nothing yet. */
export function newNearCacheState<Value>(): NearCacheState<Value> {
  return { epoch: 0, isLinked: false, proven: undefined, entries: new Map(), fills: new Set() };
}

/** The rules, applied to a given state. */
export class NearCacheProtocol<Value> {
  /**
   * @param bound the longest time for which an end may be unknown, in milliseconds
   * @param maxEntries the most values to keep
   */
  constructor(
    private readonly bound: number,
    private readonly maxEntries: number,
    readonly state: NearCacheState<Value> = newNearCacheState(),
  ) {}

  /** Whether a heartbeat is needed. */
  get isInUse(): boolean {
    return this.state.isLinked && this.state.entries.size + this.state.fills.size > 0;
  }

  /** From now on the node receives everything that is published. */
  linked(): void {
    this.#beginEpoch();
    this.state.isLinked = true;
  }

  /** A published message may have been missed. */
  unlinked(): void {
    this.#beginEpoch();
    this.state.isLinked = false;
  }

  /** A heartbeat is sent now. */
  beatSent(now: Instant): Beat {
    return { epoch: this.state.epoch, sent: now };
  }

  /** A heartbeat has returned. */
  beatBack({ epoch, sent }: Beat, now: Instant): void {
    if (epoch !== this.state.epoch || !this.state.isLinked) return;
    if (this.#havePartedSince(sent, now)) return this.#beginEpoch();
    const { proven } = this.state;
    if (proven === undefined || sent.monotonic > proven.monotonic) this.state.proven = sent;
  }

  /** The value of a key, if it may be served now. */
  lookUp(key: string, now: Instant): Value | undefined {
    const { isLinked, proven, entries } = this.state;
    if (!isLinked || proven === undefined) return undefined;
    if (this.#havePartedSince(proven, now)) {
      this.#beginEpoch();
      return undefined;
    }
    if (elapsed(proven, now) > this.bound) return undefined;
    const value = entries.get(key);
    if (value === undefined) return undefined;
    entries.delete(key);
    entries.set(key, value);
    return value;
  }

  /** A store read for a key begins now. */
  fillSent(key: string, now: Instant): Fill {
    const fill: Fill = { key, sent: now, isSpoilt: false };
    this.state.fills.add(fill);
    return fill;
  }

  /** The store has returned a value. */
  fillBack(fill: Fill, value: Value, now: Instant): FillOutcome {
    const { state } = this;
    state.fills.delete(fill);
    const isOld = elapsed(fill.sent, now) > this.bound || this.#havePartedSince(fill.sent, now);
    if (fill.isSpoilt || isOld) return 'ask again';
    if (!state.isLinked) return 'passed';
    state.entries.delete(fill.key);
    state.entries.set(fill.key, value);
    if (state.entries.size > this.maxEntries) {
      const [leastRecent] = state.entries.keys();
      state.entries.delete(leastRecent!);
    }
    return 'kept';
  }

  /** The store has failed, or has returned no value to keep. */
  fillOver(fill: Fill): void {
    this.state.fills.delete(fill);
  }

  /** The value of this key has ended or changed. */
  drop(key: string): void {
    this.state.entries.delete(key);
    for (const fill of this.state.fills) if (fill.key === key) fill.isSpoilt = true;
  }

  /** The values that match have ended or changed. All running fills are spoilt, because their values may match. */
  dropWhere(isMeant: (value: Value) => boolean): void {
    this.forget(isMeant);
    for (const fill of this.state.fills) fill.isSpoilt = true;
  }

  /** Drops some values that have neither ended nor changed. */
  forget(isMeant: (value: Value) => boolean): void {
    for (const [key, value] of this.state.entries) if (isMeant(value)) this.state.entries.delete(key);
  }

  #beginEpoch(): void {
    const { state } = this;
    state.epoch += 1;
    state.proven = undefined;
    state.entries.clear();
    for (const fill of state.fills) fill.isSpoilt = true;
  }

  /** Whether one of the clocks stood still or was set: the elapsed time is then unknown. */
  #havePartedSince(then: Instant, now: Instant): boolean {
    const monotonic = now.monotonic - then.monotonic;
    const wall = now.wall - then.wall;
    return Math.abs(wall - monotonic) > this.bound / 4;
  }
}

/**
 * The milliseconds since a moment, by the clock that shows more: a suspension too short to be noticed counts as well.
 */
function elapsed(then: Instant, now: Instant): number {
  return Math.max(now.monotonic - then.monotonic, now.wall - then.wall);
}
