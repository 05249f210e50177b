import { Inject, Injectable, Logger, Optional, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { handleOf } from '../crypto/session-token.js';
import type { SessionAuthErrorCode } from '../errors/error-codes.js';
import { SessionAuthError } from '../errors/session-auth.error.js';
import { DEFAULT_REALM, REALM } from '../realms/realm-name.js';
import { SESSION_LIFETIME, type SessionLifetime } from '../session/lifetime.options.js';
import { SessionLink, type SessionEnd, type SessionSignal } from '../session/session-link.js';
import { SessionReader } from '../session/session-reader.js';
import type { SessionRecord } from '../session/session-record.js';
import type { SessionScope } from '../session/session-scope.js';
import { SessionUpdates } from '../session/session-updates.js';
import { isSameSession, Session } from '../session/session.js';
import { Clock } from '../time/clock.js';
import { LiveSession, type SessionFollower } from './live-session.js';
import { LiveSessionSource } from './live-session-source.js';

/** How often the clock is checked, in milliseconds: one timer serves all sessions. */
const TICK = 250;

/** How many sessions are read from the store at the same time. */
const AT_ONCE = 256;

/**
 * The sessions of a realm that something on this node follows. A follower is called when its session ends: at once by
 * the link, and within a second after an expiry. While the link is healthy, a session is read from the store once, and
 * again after it has changed.
 *
 * After an interruption of the link, every session is read from the store: when the interruption is noticed, and when
 * the link is back. While the store fails too, no end is reported, and {@link current} rejects.
 */
@Injectable()
export class LiveSessions implements OnModuleInit, OnApplicationShutdown {
  readonly #logger = new Logger('SessionAuth');
  /** By handle. */
  readonly #sessions = new Map<string, LiveSession>();
  #timer: NodeJS.Timeout | undefined;
  /** The functions that stop watching the link; empty while no session is followed. */
  #stops: readonly (() => void)[] = [];
  #isNeeded = false;
  /** Counts the rounds through the store: an event of the link starts a new one. */
  #round = 0;
  #isLooking = false;

  constructor(
    private readonly reader: SessionReader,
    private readonly updates: SessionUpdates,
    private readonly clock: Clock,
    @Inject(SESSION_LIFETIME) private readonly lifetime: SessionLifetime,
    /** Absent when the storage has no link. */
    @Optional() private readonly link?: SessionLink,
    @Inject(REALM) readonly realm = DEFAULT_REALM,
  ) {}

  /** How many sessions are followed. */
  get size(): number {
    return this.#sessions.size;
  }

  /** Whether sessions can be followed. */
  get isPossible(): boolean {
    return this.link !== undefined;
  }

  /**
   * Opens the link when the application starts.
   *
   * @param what the feature that needs it, for the message
   * @throws SessionAuthError `invalid_configuration` when the storage has no link
   */
  require(what: string): void {
    this.#linkFor(what, 'invalid_configuration');
    this.#isNeeded = true;
  }

  /** @throws SessionAuthError `invalid_configuration` when the backend refuses the link */
  async onModuleInit(): Promise<void> {
    if (!this.#isNeeded) return;
    try {
      await this.link?.open();
    } catch (error) {
      // the link keeps trying, and then the store is read for everything that may have been missed
      if (isRefusal(error)) throw error;
      this.#logger.error('the session link is down: ends of sessions on other nodes are noticed late', error);
    }
  }

  onApplicationShutdown(): void {
    this.#rest();
  }

  /**
   * Follows the session of a token's digest until {@link unfollow}, whether or not the session exists. To miss no end,
   * follow first, then read the session, and {@link LiveSession.adopt} the record.
   *
   * @throws SessionAuthError `not_configured` when the storage has no link
   */
  follow(digest: string, follower: SessionFollower): LiveSession {
    const id = handleOf(digest);
    const session = this.#sessions.get(id) ?? this.#begin(id, digest);
    if (!session.followers.includes(follower)) session.followers = session.followers.concat(follower);
    return session;
  }

  /** Stops following. Does nothing when the session has ended, or was never followed. */
  unfollow(session: LiveSession, follower: SessionFollower): void {
    if (!session.followers.includes(follower)) return;
    session.followers = session.followers.filter((each) => each !== follower);
    if (session.followers.length === 0 && !session.hasEnded) this.#forget(session);
  }

  /**
   * Returns a copy of the present record of a session; undefined when it has ended. Reads the store only if the last
   * read may be outdated.
   */
  async current(session: LiveSession, from: SessionScope): Promise<SessionRecord | undefined> {
    if (session.hasEnded) return undefined;
    const { isCurrent, followers, expiresAt } = session;
    // without followers, no message updates the session
    const isTold = followers.length > 0 && this.link?.isHealthy === true;
    const isKnown = session.isKnown && isCurrent && isTold;
    return isKnown && expiresAt > this.clock.now() ? session.record : this.#read(session, from);
  }

  /**
   * Returns the present session; undefined when it has ended. It belongs to the session, not to a token: it has the
   * roles and proofs that were gained since it was first read.
   */
  async load(session: LiveSession, from: SessionScope): Promise<Session | undefined> {
    const record = await this.current(session, from);
    const source = new LiveSessionSource(session, this.updates, () => this.#read(session, from));
    return record && new Session(record, source, undefined, from);
  }

  /** Records activity of the user, at most once in `lifetime.touchInterval`. */
  async touch(session: LiveSession, from: SessionScope): Promise<void> {
    if (session.hasEnded || session.isTouching) return;
    const { record } = session;
    if (record === undefined || !this.#isTouchDue(record)) return;
    session.isTouching = true;
    try {
      const read = await this.#read(session, from, record.digest);
      // the token was replaced since the record was read, which publishes no signal
      if (read !== undefined && read.digest !== record.digest && this.#isTouchDue(read))
        await this.#read(session, from, read.digest);
    } catch {
      // the next round through the store, or the next read of the session, decides
      session.isDoubtful = true;
    } finally {
      session.isTouching = false;
    }
  }

  #isTouchDue({ lastActivityAt }: SessionRecord): boolean {
    return this.clock.now() - lastActivityAt >= this.lifetime.touchInterval;
  }

  #begin(id: string, digest: string): LiveSession {
    const link = this.#linkFor('following the end of a session', 'not_configured');
    const session = new LiveSession(id, digest);
    this.#sessions.set(id, session);
    if (this.#timer !== undefined) return session;
    this.#timer = setInterval(() => this.#tick(), TICK).unref();
    const doubtAll = (): void => this.#doubtAll(undefined);
    this.#stops = [link.observe({ lost: doubtAll, restored: doubtAll }), link.watch((signal) => this.#hear(signal))];
    return session;
  }

  #linkFor(what: string, code: SessionAuthErrorCode): SessionLink {
    if (this.link !== undefined) return this.link;
    throw new SessionAuthError(
      code,
      `SessionAuthModule of realm '${this.realm}': storage: ${what} needs the session link: set link: true in the storage`,
    );
  }

  #hear(signal: SessionSignal): void {
    if (signal.type === 'all_ended') return this.#doubtAll(signal.reason);
    const session = this.#sessions.get(signal.id);
    if (session === undefined) return;
    session.heard += 1;
    session.isCurrent = false;
    if (signal.type === 'ended') this.#end(session, signal.reason);
  }

  #end(session: LiveSession, reason: SessionEnd | undefined): void {
    if (session.hasEnded) return;
    session.hasEnded = true;
    this.#forget(session);
    for (const follower of session.followers) {
      try {
        follower.ended(reason);
      } catch (error) {
        this.#logger.error('a follower of a session failed when the session ended', error);
      }
    }
    session.followers = [];
  }

  #forget(session: LiveSession): void {
    if (this.#sessions.get(session.id) === session) this.#sessions.delete(session.id);
    if (this.#sessions.size === 0) this.#rest();
  }

  #rest(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    for (const stop of this.#stops) stop();
    this.#stops = [];
  }

  /** @param touched the digest of its present token, if the read counts as activity */
  async #read(session: LiveSession, from: SessionScope, touched?: string): Promise<SessionRecord | undefined> {
    const { heard, record: before } = session;
    const record = await this.reader.readRecord(touched ?? session.digest, from, touched !== undefined);
    if (session.hasEnded) return undefined;
    if (record !== undefined && (before === undefined || isSameSession(record, before))) {
      session.adopt(record, heard);
      return record;
    }
    this.#end(session, before !== undefined && before.expiresAt <= this.clock.now() ? 'expired' : session.endReason);
    return undefined;
  }

  /**
   * Any session may have ended.
   *
   * @param reason of those that have; undefined when a signal may have been missed
   */
  #doubtAll(reason: SessionEnd | undefined): void {
    for (const session of this.#sessions.values()) {
      session.endReason = reason;
      session.heard += 1;
      session.isCurrent = false;
      session.isDoubtful = true;
    }
    // reads under way may wait on the lost connection
    const round = (this.#round += 1);
    // other listeners of the signal, such as a near-cache, come before the reads
    queueMicrotask(() => void this.#look(round));
  }

  #tick(): void {
    const now = this.clock.now();
    for (const session of this.#sessions.values()) {
      if (session.absoluteExpiresAt <= now) this.#end(session, 'expired');
    }
    if (!this.#isLooking) void this.#look(this.#round);
  }

  /** Reads from the store the sessions that may have ended, until a read fails; the next tick continues. */
  async #look(round: number): Promise<void> {
    const now = this.clock.now();
    const due = [...this.#sessions.values()].filter(
      ({ isKnown, isDoubtful, expiresAt }) => isKnown && (isDoubtful || expiresAt <= now),
    );
    this.#isLooking = due.length > 0;
    for (let start = 0; start < due.length && round === this.#round; start += AT_ONCE) {
      const some = due
        .slice(start, start + AT_ONCE)
        .filter(({ hasEnded, followers }) => !hasEnded && followers.length > 0);
      const outcomes = await Promise.allSettled(some.map((session) => this.#read(session, {})));
      if (outcomes.some(({ status }) => status === 'rejected')) break;
    }
    if (round === this.#round) this.#isLooking = false;
  }
}

function isRefusal(error: unknown): boolean {
  return error instanceof SessionAuthError && error.code === 'invalid_configuration';
}
