import type { SessionEnd } from '../session/session-link.js';
import type { SessionRecord } from '../session/session-record.js';

/** Something that lasts as long as a session: a socket, a stream, a running handler. */
export interface SessionFollower {
  /**
   * Called once when the session has ended, synchronously: it must be quick.
   *
   * @param reason undefined when only the end is known
   */
  ended(reason: SessionEnd | undefined): void;
}

/** What this node knows about a followed session. There may be as many as there are open sockets. */
export class LiveSession {
  /** Without duplicates. An array, because a set of one takes ten times the memory. */
  followers: readonly SessionFollower[] = [];
  /** The record as JSON, which takes half the memory of the object. */
  #json: string | undefined;
  /** The deadlines of the record, in milliseconds since the epoch; infinite before the first read. */
  expiresAt = Infinity;
  absoluteExpiresAt = Infinity;
  /** Whether `record` includes everything heard since it was read. */
  isCurrent = false;
  /** The link was down, or a read failed: read from the store whether the session is alive. */
  isDoubtful = false;
  /** Why it will have ended if it is doubtful and the store no longer has it; undefined when not known. */
  endReason: SessionEnd | undefined;
  hasEnded = false;
  isTouching = false;
  /** Counts the messages: a read that began earlier may not include the later ones. */
  heard = 0;

  /**
   * @param id the public handle
   * @param digest the digest of any of its tokens, also a replaced one: the store finds the session by it
   */
  constructor(
    readonly id: string,
    readonly digest: string,
  ) {}

  /** Whether it has been read. */
  get isKnown(): boolean {
    return this.#json !== undefined;
  }

  /** A copy of the record that was read last; undefined before the first read. */
  get record(): SessionRecord | undefined {
    return this.#json === undefined ? undefined : (JSON.parse(this.#json) as SessionRecord);
  }

  /** Stores a record from a read that began when `heard` had this value. */
  adopt(record: SessionRecord, heard: number): void {
    this.keep(record);
    this.isCurrent = heard === this.heard;
    if (this.isCurrent) this.isDoubtful = false;
  }

  /** Stores a record that is as current as the one before. */
  keep(record: SessionRecord): void {
    this.#json = JSON.stringify(record);
    this.expiresAt = record.expiresAt;
    this.absoluteExpiresAt = record.absoluteExpiresAt;
  }
}
