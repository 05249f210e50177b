import type { Clock } from '../time/clock.js';
import { withStoreDeadline } from '../time/store-deadline.js';
import type { RememberMeTokenStore } from './remember-me-token-store.js';

/** Forgets remembered devices by the sessions they were signed in by. */
export class RememberMeDevices {
  constructor(
    private readonly store: RememberMeTokenStore,
    private readonly clock: Clock,
    private readonly storeTimeout: number,
  ) {}

  forgetSession(userId: string, sessionId: string): Promise<number> {
    return withStoreDeadline(this.storeTimeout, () => this.store.deleteBySession(userId, sessionId, this.clock.now()));
  }

  forgetOthers(userId: string, keepSessionId: string | undefined): Promise<number> {
    return withStoreDeadline(this.storeTimeout, () => this.store.deleteByUser(userId, keepSessionId, this.clock.now()));
  }
}
