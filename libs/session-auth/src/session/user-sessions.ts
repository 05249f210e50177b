import { Inject, Injectable, Optional } from '@nestjs/common';
import { StoreDeadline } from '../async/store-deadline.js';
import { SessionEventPublisher } from '../events/event-publisher.js';
import type { SessionEndReason, UnstampedSessionEvent } from '../events/session-event.js';
import { Clock } from '../time/clock.js';
import type { ClientInfo } from '../users/client.js';
import { RememberedDevices } from './remembered-devices.js';
import type { SessionRecord } from './session-record.js';
import { hasSoundTimes } from './session.js';
import { SessionStore, type EndedSession, type SessionList } from './session-store.js';
import { STORE_IN_FRONT } from './store-in-front.js';

const REVOKE_STEP = 1000;
const DEFAULT_PAGE = 100;

/** Lists, ends and changes sessions by user and handle, independent of their tokens. */
@Injectable()
export class UserSessions {
  constructor(
    private readonly store: SessionStore,
    private readonly deadline: StoreDeadline,
    private readonly clock: Clock,
    private readonly events: SessionEventPublisher,
    /** Absent when remember-me is off. */
    @Optional() private readonly devices?: RememberedDevices,
    @Optional() @Inject(STORE_IN_FRONT) inFront?: SessionStore,
  ) {
    this.store = inFront ?? store;
  }

  /** @param page `limit` 1 to 1000 (default 100); `cursor` is the `next` of the previous page */
  async list(userId: string, page: { readonly limit?: number; readonly cursor?: string }): Promise<SessionList> {
    const asked = Math.trunc(page.limit ?? DEFAULT_PAGE);
    const limit = Number.isNaN(asked) ? DEFAULT_PAGE : Math.min(Math.max(asked, 1), 1000);
    const list = await this.#call((store, now) => store.list(userId, { limit, cursor: page.cursor }, now));
    // sessions of another user are never shown, even if the store returns them
    const records = list.records.filter((record) => record.userId === userId && hasSoundTimes(record));
    const leftOut = list.records.length - records.length + (list.unreadable ?? 0);
    if (leftOut > 0) this.events.publish({ type: 'session.corrupt_record' });
    return { ...list, records };
  }

  async update(
    userId: string,
    changes: { readonly roles?: readonly string[]; readonly email?: string },
  ): Promise<number> {
    return this.#call((store, now) => store.updateByUser(userId, changes, now));
  }

  /** Ends one session. The device that started it is not forgotten. */
  async end(userId: string, id: string, reason: SessionEndReason, client?: ClientInfo): Promise<boolean> {
    const ended = await this.#call((store, now) => store.deleteByHandle(userId, id, now, reason));
    if (ended !== undefined) this.events.publish(destroyed(ended, reason, client));
    return ended !== undefined;
  }

  /** Ends the session that a digest names. The caller must know that the token is genuine. */
  async endByDigest(digest: string, reason: SessionEndReason, client?: ClientInfo): Promise<boolean> {
    const ended = await this.#call((store, now) => store.delete(digest, now, reason));
    if (ended !== undefined) this.events.publish(destroyed(ended, reason, client));
    return ended !== undefined;
  }

  /** Ends one session and forgets the device that started it. */
  async revoke(userId: string, id: string, reason: SessionEndReason, client?: ClientInfo): Promise<boolean> {
    // sent together: one round trip if one store keeps both
    const forgotten = this.devices?.forgetSession(userId, id);
    return (await Promise.all([this.end(userId, id, reason, client), forgotten]))[0];
  }

  /** Ends the selected sessions, and forgets their devices. */
  async revokeEach(
    userId: string,
    isMeant: (record: SessionRecord) => boolean,
    reason: SessionEndReason,
    client?: ClientInfo,
  ): Promise<number> {
    let revoked = 0;
    let cursor: string | undefined;
    do {
      const page = await this.list(userId, { limit: REVOKE_STEP, cursor });
      for (const { id } of page.records.filter(isMeant)) {
        if (await this.revoke(userId, id, reason, client)) revoked += 1;
      }
      cursor = page.next;
    } while (cursor !== undefined);
    return revoked;
  }

  /** Ends all sessions except the one with the handle `except`, and forgets their devices. */
  async revokeAll(
    userId: string,
    except: string | undefined,
    reason: SessionEndReason,
    client?: ClientInfo,
  ): Promise<number> {
    // sent together: one round trip if one store keeps both
    const [revoked, forgotten = 0] = await Promise.all([
      this.#deleteByUser(userId, except, reason, client),
      this.devices?.forgetOthers(userId, except),
    ]);
    if (forgotten === 0) return revoked;
    // a device may have signed itself in meanwhile; from now on its token is gone
    return revoked + (await this.#deleteByUser(userId, except, reason, client));
  }

  async #deleteByUser(
    userId: string,
    except: string | undefined,
    reason: SessionEndReason,
    client?: ClientInfo,
  ): Promise<number> {
    let revoked = 0;
    for (let more = true; more;) {
      const which = { except, limit: REVOKE_STEP, reason };
      const step = await this.#call((store, now) => store.deleteByUser(userId, which, now));
      for (const ended of step.ended) this.events.publish(destroyed(ended, reason, client));
      revoked += step.ended.length;
      more = step.more;
    }
    return revoked;
  }

  #call<T>(operation: (store: SessionStore, now: number) => Promise<T>): Promise<T> {
    return this.deadline.run(() => operation(this.store, this.clock.now()));
  }
}

/** Returns the event of a session that was ended. */
export function destroyed(ended: EndedSession, reason: SessionEndReason, client?: ClientInfo): UnstampedSessionEvent {
  return { type: 'session.destroyed', sessionId: ended.id, userId: ended.userId, reason, client };
}
