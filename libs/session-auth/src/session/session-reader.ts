import { Inject, Injectable } from '@nestjs/common';
import { StoreDeadline } from '../async/store-deadline.js';
import { LruCache } from '../cache/lru-cache.js';
import { digestOf, isSessionToken } from '../crypto/session-token.js';
import { requireCompleteStore } from '../errors/require-complete-store.js';
import { SessionEventPublisher } from '../events/event-publisher.js';
import { Clock } from '../time/clock.js';
import type { ClientInfo } from '../users/client-info.js';
import { SESSION_LIFETIME, type SessionLifetime } from './lifetime.options.js';
import { isCorruptRecord } from './corrupt-record.js';
import { SessionUpdates } from './session-updates.js';
import type { SessionRecord } from './session-record.js';
import { SessionStore, type FindOutcome } from './session-store.js';
import { markOfSession, Session } from './session.js';

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
} satisfies Record<Exclude<keyof SessionStore, 'withCleanupLock'>, true>;

/** A session token out of a genuine cookie. */
export interface PresentedToken {
  readonly token: string;
  readonly digest: string;
  /** The mark of the token's session, whatever a store returns: see {@link markOfSession}. */
  readonly sessionMark: Uint8Array;
}

/** How many marks are remembered, and the longest text of handle and user that is. */
const REMEMBERED_MARKS = 4096;
const LONGEST = 128;

/** Who asks. Read only where an event needs it: working out an address may cost more than the rest of a read. */
export interface ClientSource {
  readonly client?: ClientInfo;
}

/** Finds the live session of a token, and reports what it finds instead. */
@Injectable()
export class SessionReader {
  /** By handle and user: a session is read again and again, and its mark is always the same. */
  readonly #marks = new LruCache<Buffer>(REMEMBERED_MARKS, LONGEST);

  constructor(
    private readonly store: SessionStore,
    private readonly deadline: StoreDeadline,
    private readonly clock: Clock,
    private readonly events: SessionEventPublisher,
    private readonly updates: SessionUpdates,
    @Inject(SESSION_LIFETIME) private readonly lifetime: SessionLifetime,
  ) {
    requireCompleteStore(store, 'storage.sessions', 'SessionStore', OPERATIONS);
  }

  /** The live session of a token, or undefined. The store is believed whose session it is. */
  async find(token: string, from: ClientSource): Promise<Session | undefined> {
    return isSessionToken(token) ? this.read(digestOf(token), from) : undefined;
  }

  /** Whether a session's token is due to be replaced, by `lifetime.rotateEvery` or after a change of roles. */
  isRotationDue(session: Session<object>): boolean {
    const { rotatedAt } = Session.recordOf(session);
    const isDue = rotatedAt === 0 || this.clock.now() - rotatedAt >= (this.lifetime.rotateEvery ?? Infinity);
    return isDue && !Session.isSuperseded(session);
  }

  /**
   * The live session of a digest, or undefined.
   *
   * @param mark the mark of the token's session, where it is known: a store that returns another's record is not believed
   * @param isUse false where a session that is over is no sign of a replayed token
   */
  async read(
    digest: string,
    from: ClientSource,
    { mark, isUse = true }: { readonly mark?: Uint8Array; readonly isUse?: boolean } = {},
  ): Promise<Session | undefined> {
    const { idle, touchInterval } = this.lifetime;
    const touch = { now: this.clock.now(), idle, interval: touchInterval };
    let outcome: FindOutcome;
    try {
      outcome = await this.deadline.run(() => this.store.find(digest, touch));
    } catch (error) {
      if (!isCorruptRecord(error)) throw error;
      this.events.publish({ type: 'session.corrupt_record', client: from.client });
      return undefined;
    }
    if (outcome.status === 'live') {
      const { record } = outcome;
      if (mark === undefined || this.#markOf(record).equals(mark)) return new Session(record, this.updates, digest);
      this.events.publish({ type: 'session.corrupt_record', client: from.client });
      return undefined;
    }
    if (outcome.status === 'expired') {
      const { id: sessionId, userId } = outcome.ended;
      this.events.publish({ type: 'session.expired', sessionId, userId, client: from.client });
    }
    if (isUse) this.events.publish({ type: 'session.used_after_end', client: from.client });
    return undefined;
  }
  #markOf({ id, userId }: SessionRecord): Buffer {
    return this.#marks.of(userId === undefined ? id : `${id}:${userId}`, () => markOfSession(id, userId));
  }
}
