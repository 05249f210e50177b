/*
 * The rules by which a node may serve a session from its memory, apart from all I/O: what happens is told by a call,
 * and so is the time. Tests explore these rules exhaustively (near-cache-protocol.exploration.spec.ts).
 *
 * The link hands over, in order, what was published. A heartbeat that was sent at time s and has come back proves that
 * everything published before s has been heard. So while the last such s is not longer ago than the bound, no session
 * is served that ended longer ago than the bound: its end would have been heard, and would have dropped it.
 *
 * A session gets into memory by a read of the store, a fill. An end that is heard while the fill is under way may have
 * happened after the store was read: it spoils the fill, whose answer is not kept.
 *
 * An epoch is a time in which nothing that was published can have been missed. Whatever was kept, sent or proven in one
 * is worth nothing in the next.
 */

/** A moment by the two clocks of the machine, in milliseconds. Neither is compared with another machine's. */
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

/** What the rules go by. A test can copy it. */
export interface NearCacheState<Value> {
  epoch: number;
  /** Whether what is published is heard. */
  isLinked: boolean;
  /** When the last heartbeat was sent that has come back, in this epoch. */
  proven: Instant | undefined;
  /** The least recently used first. */
  readonly entries: Map<string, Value>;
  readonly fills: Set<Fill>;
}

/** How a fill ended. */
export type FillOutcome =
  | 'kept'
  /** It may be used, and is not kept: nothing is heard. */
  | 'passed'
  /** It may be of before an end that has been heard, or too old: ask the store again. */
  | 'ask again';

/** Returns the state of a node that has heard nothing yet. */
export function newNearCacheState<Value>(): NearCacheState<Value> {
  return { epoch: 0, isLinked: false, proven: undefined, entries: new Map(), fills: new Set() };
}

/** The rules, on the state that they are given. */
export class NearCacheProtocol<Value> {
  /**
   * @param bound for how many milliseconds an end may be unknown
   * @param maxEntries how many values are kept at most
   */
  constructor(
    private readonly bound: number,
    private readonly maxEntries: number,
    readonly state: NearCacheState<Value> = newNearCacheState(),
  ) {}

  /** Whether there is anything that a heartbeat is needed for. */
  get isInUse(): boolean {
    return this.state.isLinked && this.state.entries.size + this.state.fills.size > 0;
  }

  /** From now on everything that is published is heard. */
  linked(): void {
    this.#beginEpoch();
    this.state.isLinked = true;
  }

  /** Something that was published may not have been heard. */
  unlinked(): void {
    this.#beginEpoch();
    this.state.isLinked = false;
  }

  /** A heartbeat is sent now. */
  beatSent(now: Instant): Beat {
    return { epoch: this.state.epoch, sent: now };
  }

  /** A heartbeat has come back. */
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

  /** The store is asked for a key now. */
  fillSent(key: string, now: Instant): Fill {
    const fill: Fill = { key, sent: now, isSpoilt: false };
    this.state.fills.add(fill);
    return fill;
  }

  /** The store has answered with a value. */
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

  /** The store has failed, or has nothing that could be kept. */
  fillOver(fill: Fill): void {
    this.state.fills.delete(fill);
  }

  /** What has this key has ended or changed. */
  drop(key: string): void {
    this.state.entries.delete(key);
    for (const fill of this.state.fills) if (fill.key === key) fill.isSpoilt = true;
  }

  /** What has ended or changed is told by its value: fills under way may be among it. */
  dropWhere(isMeant: (value: Value) => boolean): void {
    this.forget(isMeant);
    for (const fill of this.state.fills) fill.isSpoilt = true;
  }

  /** Keeps some values no longer, none of which has ended or changed. */
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

  /** Whether one of the clocks stood still or was set: then nobody knows how long ago it was. */
  #havePartedSince(then: Instant, now: Instant): boolean {
    const monotonic = now.monotonic - then.monotonic;
    const wall = now.wall - then.wall;
    return Math.abs(wall - monotonic) > this.bound / 4;
  }
}

/**
 * The milliseconds since a moment, by the clock that says more: a suspension too short to be noticed counts as well.
 */
function elapsed(then: Instant, now: Instant): number {
  return Math.max(now.monotonic - then.monotonic, now.wall - then.wall);
}
