import { Inject, Injectable, Optional } from '@nestjs/common';
import { StoreDeadline } from '../async/store-deadline.js';
import { LruCache } from '../cache/lru-cache.js';
import { addressOf, digestOf, handleOf, markOfUser } from '../crypto/session-token.js';
import { requireCompleteStore } from '../errors/require-complete-store.js';
import { SessionEventPublisher } from '../events/event-publisher.js';
import { Clock } from '../time/clock.js';
import { DEFAULT_SESSION_LIFETIME, SESSION_LIFETIME, type SessionLifetime } from './lifetime.options.js';
import { isCorruptRecord } from './corrupt-record.js';
import { SessionUpdates } from './session-updates.js';
import type { SessionRecord } from './session-record.js';
import type { SessionScope } from './session-scope.js';
import { hasSoundTimes, isSameSession, Session } from './session.js';
import { SessionStore, type FindOutcome, type RotateOutcome, type Rotation, type Touch } from './session-store.js';
import {
  handedOutAt,
  haveRolesChanged,
  isHonoured,
  PRESENT,
  standingOf,
  withPromoted,
  type TokenStanding,
} from './session-tokens.js';
import { STORE_IN_FRONT } from './store-in-front.js';
import { UserSessions } from './user-sessions.js';

const OPERATIONS = {
  create: true,
  find: true,
  update: true,
  rotate: true,
  delete: true,
  list: true,
  deleteByHandle: true,
  deleteByUser: true,
  updateByUser: true,
  deleteExpired: true,
} satisfies Record<Exclude<keyof SessionStore, 'withCleanupLock' | 'ofRealm' | 'link' | 'deleteByRealm'>, true>;

/** A session token from a genuine cookie. */
export interface PresentedToken {
  readonly token: string;
  readonly digest: string;
  /** The mark of the session's user in the cookie: see {@link markOfUser}. */
  readonly userMark: Uint8Array;
}

/** How many users' marks are cached, and the longest id that is. */
const REMEMBERED_MARKS = 4096;
const LONGEST = 128;

/** If other requests replace the token at every attempt, the session counts as ended. */
const MAX_LOOKS = 50;

/** A touch interval that never ends, in milliseconds, as a number that every store accepts. */
const NEVER = Number.MAX_SAFE_INTEGER;

/** The touch of one request. Express works out the client's address at each read, and few touches need it. */
class RequestTouch implements Touch {
  // fields that are only declared cost nothing in each request
  declare readonly now: number;
  declare readonly idle: number;
  declare readonly interval: number;
  // private: a store may log what it is given, and the request has the token
  readonly #from: SessionScope;

  constructor(now: number, idle: number, interval: number, from: SessionScope) {
    this.now = now;
    this.idle = idle;
    this.interval = interval;
    this.#from = from;
  }

  get client(): SessionScope['client'] {
    return this.#from.client;
  }
}

/** Finds the live session of a token, and reports anything suspicious that it finds. */
@Injectable()
export class SessionReader {
  /** By user: a session is read many times, and its mark never changes. */
  readonly #marks = new LruCache<Buffer>(REMEMBERED_MARKS, LONGEST);

  constructor(
    private readonly store: SessionStore,
    private readonly deadline: StoreDeadline,
    private readonly clock: Clock,
    private readonly events: SessionEventPublisher,
    private readonly updates: SessionUpdates,
    private readonly ofUsers: UserSessions,
    @Inject(SESSION_LIFETIME) private readonly lifetime: SessionLifetime,
    @Optional() @Inject(STORE_IN_FRONT) inFront?: SessionStore,
  ) {
    this.store = inFront ?? store;
    requireCompleteStore(store, 'storage.sessions', 'SessionStore', OPERATIONS);
  }

  /** Returns the live session of an honoured token, or undefined. */
  async find(token: string, from: SessionScope): Promise<Session | undefined> {
    const session = await this.read(digestOf(token), from);
    return session && this.accept(session, from);
  }

  /**
   * Returns the live session of a genuine token's digest, or undefined. If a successor found the session, pass it to
   * {@link accept} once its client is verified.
   *
   * @param userMark the mark of the session's user, if known: a record of another user is refused
   * @param isActivity false if the read should not keep the session alive
   * @param isUse false if an ended session or a replaced token should not be reported as a replay
   */
  async read(
    digest: string,
    from: SessionScope,
    {
      userMark,
      isActivity = true,
      isUse = true,
    }: { readonly userMark?: Uint8Array; readonly isActivity?: boolean; readonly isUse?: boolean } = {},
  ): Promise<Session | undefined> {
    const outcome = await this.#find(digest, from, isActivity);
    if (outcome === undefined) return undefined;
    if (outcome.status === 'live') {
      const { record } = outcome;
      if (!this.#isOf(record, digest, userMark)) return this.#reportCorrupt(from);
      if (record.digest === digest) return new Session(record, this.updates, { digest, standing: PRESENT }, from);
      return this.#judge(record, digest, isUse, from);
    }
    if (outcome.status === 'expired') {
      const { id: sessionId, userId } = outcome.ended;
      this.events.publish({ type: 'session.expired', sessionId, userId, client: from.client });
    }
    if (isUse)
      this.events.publish({ type: 'session.used_after_end', sessionId: handleOf(digest), client: from.client });
    return undefined;
  }

  /**
   * Returns the session of a token that was replaced at once a moment ago; undefined in any other case. The token
   * itself is refused. The session is needed when a request repeats the proof that replaced the token
   * ({@link Session.foundBy} is `renewable`), and to show that the session is alive.
   */
  async readRetired({ digest, userMark }: PresentedToken, from: SessionScope): Promise<Session | undefined> {
    const outcome = await this.#find(digest, from);
    if (outcome?.status !== 'live' || !this.#isOf(outcome.record, digest, userMark)) return undefined;
    const standing = standingOf(outcome.record, digest, this.clock.now());
    const isRetired = standing.kind === 'retired' || standing.kind === 'renewable';
    return isRetired ? new Session(outcome.record, this.updates, { digest, standing }) : undefined;
  }

  /** Returns the live session of a user with a handle. No token is used. */
  async readByHandle(userId: string, id: string, from: SessionScope): Promise<Session | undefined> {
    const digest = addressOf(userId, id);
    const outcome = await this.#find(digest, from);
    if (outcome?.status !== 'live') return undefined;
    const { record } = outcome;
    const isIt = record.id === id && record.userId === userId && hasSoundTimes(record);
    return isIt ? new Session(record, this.updates) : undefined;
  }

  /**
   * Returns the record of a live session by the digest of any of its tokens, even a replaced one; undefined when the
   * session has ended. For connections, which were opened with a token and last as long as the session.
   *
   * @param isActivity whether the read keeps the session alive, if the digest is of the present token
   */
  async readRecord(digest: string, from: SessionScope, isActivity: boolean): Promise<SessionRecord | undefined> {
    const outcome = await this.#find(digest, from, isActivity);
    if (outcome?.status === 'expired') {
      const { id: sessionId, userId } = outcome.ended;
      this.events.publish({ type: 'session.expired', sessionId, userId, client: from.client });
    }
    if (outcome?.status !== 'live') return undefined;
    return this.#isOf(outcome.record, digest, undefined) ? outcome.record : this.#reportCorrupt(from);
  }

  /**
   * Makes the token that found the session its present token, on the first use of a successor. Returns undefined when
   * the session has ended meanwhile, or another successor was used first.
   */
  async accept(session: Session, from: SessionScope): Promise<Session | undefined> {
    const { digest, standing } = Session.foundBy(session);
    if (standing.kind !== 'successor') return session;
    let record = Session.recordOf(session);
    let judged: TokenStanding = standing;
    for (let look = 0; look < MAX_LOOKS && judged.kind === 'successor'; look += 1) {
      const now = this.clock.now();
      const { grace = this.lifetime.rotationGrace } = judged.token;
      const rotation = { revision: record.revision ?? 0, now, changes: withPromoted(record, judged.token, now, grace) };
      const outcome = await this.#rotate(digest, rotation, from);
      if (outcome === undefined) return undefined;
      if (outcome.status === 'absent') {
        this.events.publish({ type: 'session.used_after_end', sessionId: handleOf(digest), client: from.client });
        return undefined;
      }
      if (!isSameSession(outcome.record, record)) return this.#reportCorrupt(from);
      record = outcome.record;
      judged = standingOf(record, digest, now);
    }
    return judged.kind === 'successor' ? undefined : this.#judge(record, digest, true, from);
  }

  /** Whether a session's token must be replaced, by `lifetime.rotateEvery` or after a change of roles. */
  isRotationDue(session: Session<object>): boolean {
    if (Session.foundBy(session).standing.kind !== 'present') return false;
    const record = Session.recordOf(session);
    const { rotatedAt, tokens, formerRoles } = record;
    const { rotateEvery = Infinity, rotationGrace } = this.lifetime;
    const now = this.clock.now();
    const outSince = tokens === undefined ? undefined : handedOutAt(record);
    // its response is on the way, or was lost
    if (outSince !== undefined) return now - outSince >= rotationGrace;
    if (rotatedAt === 0 || now - rotatedAt >= rotateEvery) return true;
    return formerRoles !== undefined && haveRolesChanged(record);
  }

  /** Whether no other token is on its way to the client, and none will be soon. */
  isLasting(session: Session<object>): boolean {
    if (Session.foundBy(session).standing.kind !== 'present') return false;
    const record = Session.recordOf(session);
    const { rotateEvery = Infinity } = this.lifetime;
    return handedOutAt(record) === undefined && this.clock.now() + this.handOverGrace < record.rotatedAt + rotateEvery;
  }

  /** How many milliseconds a response may take until the head with its cookie is written. */
  get handOverGrace(): number {
    return this.lifetime.rotationGrace || DEFAULT_SESSION_LIFETIME.rotationGrace;
  }

  async #find(digest: string, from: SessionScope, isActivity = true): Promise<FindOutcome | undefined> {
    const { idle, touchInterval } = this.lifetime;
    const interval = isActivity ? touchInterval : NEVER;
    const touch = new RequestTouch(this.clock.now(), idle, interval, from);
    try {
      return await this.deadline.run(() => this.store.find(digest, touch));
    } catch (error) {
      return this.#notReadable(error, from);
    }
  }

  async #rotate(digest: string, rotation: Rotation, from: SessionScope): Promise<RotateOutcome | undefined> {
    try {
      return await this.deadline.run(() => this.store.rotate(digest, rotation));
    } catch (error) {
      return this.#notReadable(error, from);
    }
  }

  #notReadable(error: unknown, from: SessionScope): undefined {
    if (!isCorruptRecord(error)) throw error;
    return this.#reportCorrupt(from);
  }

  #reportCorrupt({ client }: SessionScope): undefined {
    this.events.publish({ type: 'session.corrupt_record', client });
  }

  #judge(
    record: SessionRecord,
    digest: string,
    isUse: boolean,
    from: SessionScope,
  ): Session | undefined | Promise<undefined> {
    const standing = standingOf(record, digest, this.clock.now());
    if (isHonoured(standing)) return new Session(record, this.updates, { digest, standing }, from);
    return standing.kind === 'replaced' && isUse ? this.#answerReuse(record, from) : undefined;
  }

  /** Two clients hold tokens of one session, and one of them is a thief. */
  async #answerReuse({ id: sessionId, userId, digest }: SessionRecord, { client }: SessionScope): Promise<undefined> {
    this.events.publish({ type: 'session.token_reused', sessionId, userId, client });
    if (this.lifetime.onReuse !== 'end-session') return;
    const reason = 'token_reused';
    if (userId !== undefined) await this.ofUsers.revoke(userId, sessionId, reason, client);
    else await this.ofUsers.endByDigest(digest, reason, client);
  }

  /** Whether a record is valid and belongs to the session of a digest. */
  #isOf(record: SessionRecord, askedFor: string, userMark: Uint8Array | undefined): boolean {
    const { id, digest, userId } = record;
    if (id !== handleOf(askedFor) || handleOf(digest) !== id || !hasSoundTimes(record)) return false;
    if (userMark === undefined) return true;
    const text = userId ?? '';
    let mark = this.#marks.get(text);
    if (mark === undefined) {
      mark = markOfUser(userId);
      this.#marks.set(text, mark);
    }
    return mark.equals(userMark);
  }
}
