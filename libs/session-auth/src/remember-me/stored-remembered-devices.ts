import { Inject, Injectable } from '@nestjs/common';
import { StoreDeadline } from '../async/store-deadline.js';
import { RememberedDevices } from '../session/remembered-devices.js';
import { Clock } from '../time/clock.js';
import { RememberMeTokenStore } from './remember-me-token-store.js';
import { REMEMBER_ME_SETTINGS, type RememberMeSettings } from './remember-me.options.js';

/** Forgets remembered devices by deleting their tokens from the store. Does nothing when remember-me is off. */
@Injectable()
export class StoredRememberedDevices extends RememberedDevices {
  constructor(
    private readonly store: RememberMeTokenStore,
    private readonly clock: Clock,
    private readonly deadline: StoreDeadline,
    @Inject(REMEMBER_ME_SETTINGS) private readonly settings: RememberMeSettings | undefined,
  ) {
    super();
  }

  override get tokenStore(): RememberMeTokenStore | undefined {
    return this.settings && this.store;
  }

  /** Without a deadline of its own: in a Redis Cluster it is thousands of commands. */
  override async forgetEvery(createdBefore: number | undefined): Promise<void> {
    await this.tokenStore?.deleteByRealm?.({ createdBefore }, this.clock.now());
  }

  async forgetSession(userId: string, sessionId: string): Promise<number> {
    if (this.settings === undefined) return 0;
    return this.deadline.run(() => this.store.deleteBySession(userId, sessionId, this.clock.now()));
  }

  async forgetOthers(userId: string, keepSessionId: string | undefined): Promise<number> {
    if (this.settings === undefined) return 0;
    return this.deadline.run(() => this.store.deleteByUser(userId, keepSessionId, this.clock.now()));
  }
}
