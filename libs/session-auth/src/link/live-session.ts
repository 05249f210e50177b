import type { SessionEnd } from '../session/session-link.js';
import type { SessionRecord } from '../session/session-record.js';

/** Who lives as long as a session does: a socket, a stream, a handler under way. */
export interface SessionFollower {
  /**
   * The session has ended. Called once, in the step that hears of it: it must be quick.
   *
   * @param reason undefined where only the end was found, and not why
   */
  ended(reason: SessionEnd | undefined): void;
}

/** What this node knows of a session that somebody follows. There may be as many as there are open sockets. */
export class LiveSession {
  /** Each once. An array: a set of one takes ten times as much. */
  followers: readonly SessionFollower[] = [];
  /** The record as JSON, which takes half as much memory as the object. */
  #json: string | undefined;
  /** Those of the record, in milliseconds since the epoch; infinite before the first read. */
  expiresAt = Infinity;
  absoluteExpiresAt = Infinity;
  /** Nothing was heard since `record` was read that it does not have. */
  isCurrent = false;
  /** The link was away, or a read failed: the store has to be asked whether it still lives. */
  isDoubtful = false;
  hasEnded = false;
  isTouching = false;
  /** Counts what was heard: a read that began before may not know of it. */
  heard = 0;

  /**
   * @param id the public handle
   * @param digest the digest of any of its tokens, whatever that is worth: the store finds it by that
   */
  constructor(
    readonly id: string,
    readonly digest: string,
  ) {}

  /** Whether it was read. */
  get isKnown(): boolean {
    return this.#json !== undefined;
  }

  /** A copy of the record that was read last; undefined before the first read. */
  get record(): SessionRecord | undefined {
    return this.#json === undefined ? undefined : (JSON.parse(this.#json) as SessionRecord);
  }

  /** Takes over what was read, by a read that began when `heard` was so much. */
  adopt(record: SessionRecord, heard: number): void {
    this.keep(record);
    this.isCurrent = heard === this.heard;
    if (this.isCurrent) this.isDoubtful = false;
  }

  /** Takes over a record that is as current as the one before. */
  keep(record: SessionRecord): void {
    this.#json = JSON.stringify(record);
    this.expiresAt = record.expiresAt;
    this.absoluteExpiresAt = record.absoluteExpiresAt;
  }
}
