import type { OnApplicationShutdown, OnModuleInit } from '@nestjs/common';
import { handleOf } from '../crypto/session-token.js';
import { SessionAuthError } from '../errors/session-auth.error.js';
import type { SessionEndReason } from '../events/session-event.js';
import { realmPart } from '../realms/realm-name.js';
import type { Admission } from '../session/concurrency-limit.js';
import type { SessionLifetime } from '../session/lifetime.options.js';
import type { SessionLink } from '../session/session-link.js';
import type { SessionData, SessionRecord } from '../session/session-record.js';
import {
  SessionStore,
  type CreateOutcome,
  type DeleteByUserOutcome,
  type EndedSession,
  type FindOutcome,
  type RealmSessionsToEnd,
  type RotateOutcome,
  type Rotation,
  type SessionList,
  type SessionPage,
  type Touch,
  type UpdateOutcome,
  type UserSessionsToEnd,
} from '../session/session-store.js';
import type { Clock } from '../time/clock.js';
import type { NearCacheSettings } from './near-cache.options.js';
import type { Instant } from './near-cache-protocol.js';
import { NearCache, type ProvingLink } from './near-cache.js';

/**
 * A store with a near-cache in front of it. A session that this node ends or changes is dropped at once, even if the
 * response of the store does not arrive: the operation may have succeeded.
 */
export class NearCachedSessionStore extends SessionStore implements OnModuleInit, OnApplicationShutdown {
  readonly #cache: NearCache;

  /**
   * @param instant reads the clocks of the machine
   * @throws SessionAuthError `invalid_configuration` if the store has no link that proves which messages have been
   *   received
   */
  constructor(
    private readonly store: SessionStore,
    settings: NearCacheSettings,
    lifetime: SessionLifetime,
    clock: Clock,
    private readonly realm: string,
    instant?: () => Instant,
  ) {
    super();
    this.#cache = new NearCache(this.#provingLink(), settings, lifetime, clock, instant);
  }

  /** The number of sessions that this node keeps. */
  get size(): number {
    return this.#cache.size;
  }

  /**
   * @throws SessionAuthError `invalid_configuration` when the backend refuses the link, or when its heartbeats prove
   *   nothing
   */
  async onModuleInit(): Promise<void> {
    try {
      await this.#cache.open();
    } catch (error) {
      throw this.#refused('a storage whose link is refused', `${NEEDED} (${(error as Error).message})`, error);
    }
    const { refusal } = this.#cache;
    if (refusal === undefined) return;
    await this.#cache.close();
    throw this.#refused(refusal, NEEDED);
  }

  onApplicationShutdown(): Promise<void> {
    return this.#cache.close();
  }

  override find(digest: string, touch: Touch): Promise<FindOutcome> {
    const handle = handleOf(digest);
    const record = this.#cache.lookUp(handle, digest, touch);
    return record === undefined ? this.#fill(handle, digest, touch) : Promise.resolve({ status: 'live', record });
  }

  override async create(record: SessionRecord, admission: Admission, now: number): Promise<CreateOutcome> {
    const outcome = await this.store.create(record, admission, now);
    if (outcome.status === 'created') {
      for (const { id } of [...outcome.evicted, ...outcome.replaced]) this.#cache.drop(id);
    }
    return outcome;
  }

  override update(digest: string, patch: SessionData, now: number, maxBytes: number): Promise<UpdateOutcome> {
    return this.#changing(handleOf(digest), this.store.update(digest, patch, now, maxBytes, true));
  }

  override rotate(digest: string, rotation: Rotation): Promise<RotateOutcome> {
    return this.#changing(handleOf(digest), this.store.rotate(digest, { ...rotation, isTold: true }));
  }

  override delete(digest: string, now: number, reason?: SessionEndReason): Promise<EndedSession | undefined> {
    return this.#changing(handleOf(digest), this.store.delete(digest, now, reason));
  }

  override list(userId: string, page: SessionPage, now: number): Promise<SessionList> {
    return this.store.list(userId, page, now);
  }

  override deleteByHandle(
    userId: string,
    handle: string,
    now: number,
    reason?: SessionEndReason,
  ): Promise<EndedSession | undefined> {
    return this.#changing(handle, this.store.deleteByHandle(userId, handle, now, reason));
  }

  override deleteByUser(userId: string, which: UserSessionsToEnd, now: number): Promise<DeleteByUserOutcome> {
    return this.#changingUser(userId, this.store.deleteByUser(userId, which, now));
  }

  override updateByUser(
    userId: string,
    changes: { readonly roles?: readonly string[]; readonly email?: string },
    now: number,
  ): Promise<number> {
    return this.#changingUser(userId, this.store.updateByUser(userId, changes, now));
  }

  override async deleteByRealm(which: RealmSessionsToEnd, now: number): Promise<void> {
    try {
      await this.store.deleteByRealm!(which, now);
    } finally {
      this.#cache.dropAll();
    }
  }

  override deleteExpired(now: number, limit: number): Promise<readonly EndedSession[]> {
    return this.store.deleteExpired(now, limit);
  }

  /**
   * Reads the store, and keeps a live session. A result that may precede an end that was received is read again, once.
   */
  async #fill(handle: string, digest: string, touch: Touch): Promise<FindOutcome> {
    const first = await this.#read(handle, digest, touch);
    return first.isDoubtful ? (await this.#read(handle, digest, touch)).outcome : first.outcome;
  }

  async #read(
    handle: string,
    digest: string,
    touch: Touch,
  ): Promise<{ readonly outcome: FindOutcome; readonly isDoubtful: boolean }> {
    const fill = this.#cache.fillSent(handle);
    let isDoubtful = false;
    let isOver = false;
    try {
      const outcome = await this.store.find(digest, touch);
      // what is kept of it, or comes of a read that was sent before, is of a session that has ended
      if (outcome.status !== 'live') this.#cache.drop(handle);
      if (fill !== undefined && outcome.status === 'live') {
        isDoubtful = this.#cache.fillBack(fill, outcome.record) === 'ask again';
        isOver = true;
      }
      return { outcome, isDoubtful };
    } finally {
      if (fill !== undefined && !isOver) this.#cache.fillOver(fill);
    }
  }

  async #changing<T>(handle: string, change: Promise<T>): Promise<T> {
    try {
      return await change;
    } finally {
      this.#cache.drop(handle);
    }
  }

  async #changingUser<T>(userId: string, change: Promise<T>): Promise<T> {
    try {
      return await change;
    } finally {
      this.#cache.dropUser(userId);
    }
  }

  #provingLink(): ProvingLink {
    const link = this.store.link?.();
    if (link === undefined) throw this.#refused('a storage without a session link', NEEDED);
    if (!isProving(link)) throw this.#refused('a storage whose link sends no heartbeats, such as memory', NEEDED);
    if (link.unprovable !== undefined) throw this.#refused(link.unprovable, NEEDED);
    return link;
  }

  #refused(given: string, allowed: string, cause?: unknown): SessionAuthError {
    return new SessionAuthError(
      'invalid_configuration',
      `SessionAuthModule${realmPart(this.realm, " of realm '", "'")}: nearCache: given ${given}; allowed is ${allowed}`,
      { cause },
    );
  }
}

const NEEDED = 'false, or a storage in one Redis, Sentinel or PostgreSQL that has link: true';

function isProving(link: SessionLink): link is ProvingLink {
  return link.prove !== undefined;
}
