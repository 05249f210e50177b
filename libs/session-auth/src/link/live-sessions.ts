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

/** How often the clock is looked at, in milliseconds: for all sessions by one timer. */
const TICK = 250;

/** How many sessions are looked for in the store at the same time. */
const AT_ONCE = 256;

/**
 * The sessions of a realm that something on this node lives as long as. Whoever follows one is told when it ends: at
 * once by the link, and within a second when its time is over. While the link is healthy, what is known of a session is
 * read from the store once, and again after it has changed.
 *
 * Where the link was away, the store is asked for each session: when that is noticed, and when it is back. While the
 * store does not answer either, nobody is told of an end, and {@link current} rejects.
 */
@Injectable()
export class LiveSessions implements OnModuleInit, OnApplicationShutdown {
  readonly #logger = new Logger('SessionAuth');
  /** By handle. */
  readonly #sessions = new Map<string, LiveSession>();
  #timer: NodeJS.Timeout | undefined;
  /** What ends the watch of the link; none while no session is followed. */
  #stops: readonly (() => void)[] = [];
  #isNeeded = false;
  /** Counts the rounds through the store: an event of the link begins a new one. */
  #round = 0;
  #isLooking = false;

  constructor(
    private readonly reader: SessionReader,
    private readonly updates: SessionUpdates,
    private readonly clock: Clock,
    @Inject(SESSION_LIFETIME) private readonly lifetime: SessionLifetime,
    /** Absent where the storage was not told to have one. */
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
   * Has the link opened when the application starts.
   *
   * @param what needs it
   * @throws SessionAuthError `invalid_configuration` where the storage has none
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
      // it goes on trying, and the store is asked for all that it may have missed
      if (isRefusal(error)) throw error;
      this.#logger.error('the session link is away: sessions that end elsewhere are heard of later', error);
    }
  }

  onApplicationShutdown(): void {
    this.#rest();
  }

  /**
   * Follows the session that a token's digest names, whether there is one or not, until {@link unfollow}. Follow first,
   * read the session then, and {@link LiveSession.adopt} what was read: no end is missed.
   *
   * @throws SessionAuthError `not_configured` where the storage has no link
   */
  follow(digest: string, follower: SessionFollower): LiveSession {
    const id = handleOf(digest);
    const session = this.#sessions.get(id) ?? this.#begin(id, digest);
    if (!session.followers.includes(follower)) session.followers = session.followers.concat(follower);
    return session;
  }

  /** Harmless when it has ended, or was never followed. */
  unfollow(session: LiveSession, follower: SessionFollower): void {
    if (!session.followers.includes(follower)) return;
    session.followers = session.followers.filter((each) => each !== follower);
    if (session.followers.length === 0 && !session.hasEnded) this.#forget(session);
  }

  /**
   * A copy of the record of a session as it is now; undefined when it has ended. Asks the store only where the last read
   * may not be true any more.
   */
  async current(session: LiveSession, from: SessionScope): Promise<SessionRecord | undefined> {
    if (session.hasEnded) return undefined;
    const { isCurrent, followers, expiresAt } = session;
    // what nobody follows any more is told of nothing
    const isTold = followers.length > 0 && this.link?.isHealthy === true;
    const isKnown = session.isKnown && isCurrent && isTold;
    return isKnown && expiresAt > this.clock.now() ? session.record : this.#read(session, from);
  }

  /**
   * The session as it is now; undefined when it has ended. It is the session's and not that of a token: it has the
   * roles that were gained and the proofs that were given since it was first read.
   */
  async load(session: LiveSession, from: SessionScope): Promise<Session | undefined> {
    const record = await this.current(session, from);
    const source = new LiveSessionSource(session, this.updates, () => this.#read(session, from));
    return record && new Session(record, source, undefined, from);
  }

  /** Counts as activity of the user: at most once in `lifetime.touchInterval`, the session is written as used. */
  async touch(session: LiveSession, from: SessionScope): Promise<void> {
    if (session.hasEnded || session.isTouching) return;
    const { record } = session;
    if (record === undefined || !this.#isTouchDue(record)) return;
    session.isTouching = true;
    try {
      const read = await this.#read(session, from, record.digest);
      // the token was replaced in passing since the record was read, which nobody is told
      if (read !== undefined && read.digest !== record.digest && this.#isTouchDue(read))
        await this.#read(session, from, read.digest);
    } catch {
      // the next look through the store, and whoever asks for the session before that, will tell
      session.isDoubtful = true;
    } finally {
      session.isTouching = false;
    }
  }

  #isTouchDue({ lastActivityAt }: SessionRecord): boolean {
    return this.clock.now() - lastActivityAt >= this.lifetime.touchInterval;
  }

  #begin(id: string, digest: string): LiveSession {
    const link = this.#linkFor('to hear of the end of a session', 'not_configured');
    const session = new LiveSession(id, digest);
    this.#sessions.set(id, session);
    if (this.#timer !== undefined) return session;
    this.#timer = setInterval(() => this.#tick(), TICK).unref();
    const doubtAll = (): void => this.#doubtAll();
    this.#stops = [link.observe({ lost: doubtAll, restored: doubtAll }), link.watch((signal) => this.#hear(signal))];
    return session;
  }

  #linkFor(what: string, code: SessionAuthErrorCode): SessionLink {
    if (this.link !== undefined) return this.link;
    throw new SessionAuthError(
      code,
      `SessionAuthModule of realm '${this.realm}': storage: ${what} takes the session link: set link: true of the storage`,
    );
  }

  #hear(signal: SessionSignal): void {
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
        this.#logger.error('what follows a session failed when that ended', error);
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

  /** @param touched the digest of its present token, where the read is to count as activity */
  async #read(session: LiveSession, from: SessionScope, touched?: string): Promise<SessionRecord | undefined> {
    const { heard, record: before } = session;
    const record = await this.reader.readRecord(touched ?? session.digest, from, touched !== undefined);
    if (session.hasEnded) return undefined;
    if (record !== undefined && (before === undefined || isSameSession(record, before))) {
      session.adopt(record, heard);
      return record;
    }
    this.#end(session, before !== undefined && before.expiresAt <= this.clock.now() ? 'expired' : undefined);
    return undefined;
  }

  /** Something may have been missed. */
  #doubtAll(): void {
    for (const session of this.#sessions.values()) {
      session.heard += 1;
      session.isCurrent = false;
      session.isDoubtful = true;
    }
    // reads under way may hang on the connection that was lost
    this.#round += 1;
    void this.#look(this.#round);
  }

  #tick(): void {
    const now = this.clock.now();
    for (const session of this.#sessions.values()) {
      if (session.absoluteExpiresAt <= now) this.#end(session, 'expired');
    }
    if (!this.#isLooking) void this.#look(this.#round);
  }

  /** Asks the store for what may have ended, until that fails; the next tick goes on. */
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
