import { Injectable } from '@nestjs/common';
import { StoreDeadline } from '../async/store-deadline.js';
import { digestOf, issueSessionToken } from '../crypto/session-token.js';
import { Clock } from '../time/clock.js';
import { SessionStore } from './session-store.js';

/** The result of {@link SessionStoreHealthIndicator}: a `HealthIndicatorResult` of `@nestjs/terminus`. */
export type SessionStoreHealth<Key extends string = string> = Record<
  Key,
  { readonly status: 'up' } | { readonly status: 'down'; readonly message: string }
>;

/**
 * Checks whether the session store works, for a readiness probe. It is an indicator for `@nestjs/terminus`, but does
 * not require that package.
 */
@Injectable()
export class SessionStoreHealthIndicator {
  constructor(
    private readonly store: SessionStore,
    private readonly clock: Clock,
    private readonly deadline: StoreDeadline,
  ) {}

  /**
   * Looks up a session that does not exist, as a request would: one read, at most `storeTimeout`. Never rejects. It
   * reports no details of a failure, because health responses are often public.
   *
   * @param key the name in the result
   */
  async pingCheck<Key extends string = 'sessions'>(key = 'sessions' as Key): Promise<SessionStoreHealth<Key>> {
    const digest = digestOf(issueSessionToken(undefined));
    const touch = { now: this.clock.now(), idle: 1, interval: 1 };
    const health: SessionStoreHealth[string] = await this.deadline
      .run(() => this.store.find(digest, touch))
      .then(
        () => ({ status: 'up' }),
        () => ({ status: 'down', message: 'the session store does not respond' }),
      );
    return { [key]: health } as SessionStoreHealth<Key>;
  }
}
