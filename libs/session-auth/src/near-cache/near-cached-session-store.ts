import type { OnApplicationShutdown, OnModuleInit } from '@nestjs/common';
import { timedUntil } from '../async/store-deadline.js';
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
 *
 * With a strict cache, an operation that ends or changes a session resolves when no node serves the session any more.
 * This takes at most the longest bound of the nodes, besides the time of the store.
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
    private readonly settings: NearCacheSettings,
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

  override create(record: SessionRecord, admission: Admission, now: number): Promise<CreateOutcome> {
    const created = this.store.create(record, admission, now).then((outcome) => {
      for (const { id } of endedBy(outcome)) this.#cache.drop(id);
      return outcome;
    });
    // a command that was sent twice finds the session that the first one has made
    return this.#settled(created, (outcome) => outcome.status === 'exists' || endedBy(outcome).length > 0);
  }

  override update(digest: string, patch: SessionData, now: number, maxBytes: number): Promise<UpdateOutcome> {
    const updated = this.store.update(digest, patch, now, maxBytes, true);
    return this.#changing(handleOf(digest), updated, ({ status }) => status === 'updated');
  }

  override rotate(digest: string, rotation: Rotation): Promise<RotateOutcome> {
    const rotated = this.store.rotate(digest, { ...rotation, isTold: true });
    return this.#changing(handleOf(digest), rotated, (outcome) => {
      if (outcome.status !== 'changed') return outcome.status === 'rotated';
      // this change, if its command was sent twice
      return (outcome.record.revision ?? 0) === rotation.revision + 1;
    });
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

  override deleteByRealm(which: RealmSessionsToEnd, now: number): Promise<void> {
    return this.#settled(this.store.deleteByRealm!(which, now).finally(() => this.#cache.dropAll()));
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

  #changing<T>(handle: string, change: Promise<T>, hasChanged?: (outcome: T) => boolean): Promise<T> {
    return this.#settled(
      change.finally(() => this.#cache.drop(handle)),
      hasChanged,
    );
  }

  #changingUser<T>(userId: string, change: Promise<T>): Promise<T> {
    return this.#settled(change.finally(() => this.#cache.dropUser(userId)));
  }

  /**
   * Waits for the other nodes once the store has answered, if the cache is strict.
   *
   * @param hasChanged whether there is something to wait for. @default always: what is absent may have been ended a
   *   moment ago, by another node or by the same command, which was sent twice
   */
  #settled<T>(answer: Promise<T>, hasChanged: (outcome: T) => boolean = () => true): Promise<T> {
    if (this.settings.consistency !== 'strict') return answer;
    const settled = answer.then(async (outcome) => {
      if (hasChanged(outcome)) await this.#cache.settle();
      return outcome;
    });
    return timedUntil(answer, settled);
  }

  #provingLink(): ProvingLink {
    const link = this.store.link?.();
    if (link === undefined) throw this.#refused('a storage without a session link', NEEDED);
    if (!isProving(link)) throw this.#refused('a storage whose link sends no heartbeats, such as memory', NEEDED);
    if (link.unprovable !== undefined) throw this.#refused(link.unprovable, NEEDED);
    const isStrict = this.settings.consistency === 'strict';
    if (isStrict && link.registry === undefined) throw this.#refused(UNREGISTERED, NEEDED_IF_STRICT);
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

const UNREGISTERED = "a storage without a registry of the nodes, which consistency: 'strict' needs";

const NEEDED_IF_STRICT =
  "consistency: 'bounded', or a storage in one Redis, Sentinel or PostgreSQL that has link: true";

const NEEDED = 'false, or a storage in one Redis, Sentinel or PostgreSQL that has link: true';

/** The sessions that a login has ended. */
function endedBy(outcome: CreateOutcome): readonly EndedSession[] {
  return outcome.status === 'created' ? [...outcome.evicted, ...outcome.replaced] : [];
}

function isProving(link: SessionLink): link is ProvingLink {
  return link.prove !== undefined;
}
