import { Inject, Injectable } from '@nestjs/common';
import type { ClientInfo } from '../users/client.js';
import type { SessionUser, SessionUserId } from '../users/session-user-provider.js';
import { checkedUser, userIdOf } from '../users/valid-user.js';
import { admissionFor, type Admission } from './concurrency-limit.js';
import { CONCURRENCY_LIMIT, type ConcurrencyLimit } from './concurrency.options.js';
import { SessionLifecycleService } from './session-lifecycle.service.js';
import type { Session } from './session.js';

/**
 * The limit of parallel sessions of a user (ASVS 7.1.2). The store's create step applies it to new sessions. This
 * service reports it, and applies it outside of a login.
 */
@Injectable()
export class ConcurrentSessionsService {
  constructor(
    private readonly lifecycle: SessionLifecycleService,
    @Inject(CONCURRENCY_LIMIT) private readonly limit: ConcurrencyLimit,
  ) {}

  /**
   * Returns how many sessions this user may have, and what happens at the limit.
   *
   * @throws SessionAuthError `invalid_user`
   */
  async limitOf(user: SessionUser): Promise<Admission> {
    return admissionFor(this.limit, checkedUser(user));
  }

  /**
   * Returns how many live sessions a user has. Reads all pages of them.
   *
   * @throws SessionAuthError `invalid_user`
   */
  async count(userId: SessionUserId): Promise<number> {
    return (await this.#all(userId)).length;
  }

  /**
   * Ends the sessions of a user above the limit, after the limit was lowered: the least recently used ones with
   * `'evict-least-recent'`, otherwise the oldest. Returns how many ended.
   *
   * @throws SessionAuthError `invalid_user`
   */
  async enforce(user: SessionUser, client?: ClientInfo): Promise<number> {
    const { max, onLimit } = await this.limitOf(user);
    const userId = userIdOf(user.id);
    const sessions = await this.#all(userId);
    if (onLimit === 'evict-least-recent') {
      sessions.sort((a, b) => b.lastActivityAt.getTime() - a.lastActivityAt.getTime());
    }
    let ended = 0;
    for (const session of sessions.slice(Math.min(max, sessions.length))) {
      if (await this.lifecycle.revoke(userId, session.id, 'limit_lowered', client)) ended += 1;
    }
    return ended;
  }

  async #all(userId: SessionUserId): Promise<Session[]> {
    const sessions: Session[] = [];
    let cursor: string | undefined;
    do {
      const page = await this.lifecycle.list(userId, { limit: 1000, cursor });
      sessions.push(...page.sessions);
      cursor = page.next;
    } while (cursor !== undefined);
    return sessions;
  }
}
