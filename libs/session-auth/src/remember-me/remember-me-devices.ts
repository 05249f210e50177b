import type { Clock } from '../time/clock.js';
import { StoreDeadline } from '../async/store-deadline.js';
import type { RememberMeTokenStore } from './remember-me-token-store.js';

/** Forgets remembered devices by the sessions they were signed in by. */
export class RememberMeDevices {
  readonly #deadline: StoreDeadline;

  constructor(
    private readonly store: RememberMeTokenStore,
    private readonly clock: Clock,
    storeTimeout: number,
  ) {
    this.#deadline = new StoreDeadline(storeTimeout);
  }

  forgetSession(userId: string, sessionId: string): Promise<number> {
    return this.#deadline.run(() => this.store.deleteBySession(userId, sessionId, this.clock.now()));
  }

  forgetOthers(userId: string, keepSessionId: string | undefined): Promise<number> {
    return this.#deadline.run(() => this.store.deleteByUser(userId, keepSessionId, this.clock.now()));
  }
}
