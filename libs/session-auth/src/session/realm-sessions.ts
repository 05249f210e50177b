import { Inject, Injectable, Optional } from '@nestjs/common';
import { StoreDeadline } from '../async/store-deadline.js';
import { SessionAuthError } from '../errors/session-auth.error.js';
import { SessionEventPublisher } from '../events/event-publisher.js';
import { DEFAULT_REALM, REALM } from '../realms/realm-name.js';
import { Clock } from '../time/clock.js';
import { MINUTE } from '../time/units.js';
import type { ClientInfo } from '../users/client.js';
import { RememberedDevices } from './remembered-devices.js';
import { SessionStore } from './session-store.js';
import { STORE_IN_FRONT } from './store-in-front.js';

/** Options of {@link SessionLifecycleService.endEverySession} and {@link SessionLifecycleService.endSessionsBefore}. */
export interface EndSessionsOfRealm {
  /** Whether remembered devices stay remembered, and sign in again by themselves. @default false */
  readonly keepDevices?: boolean;
}

/** In a Redis Cluster it is thousands of commands. */
const TIMEOUT = MINUTE;

/** Ends the sessions of a whole realm. {@link SessionLifecycleService} documents both methods. */
@Injectable()
export class RealmSessions {
  readonly #deadline = new StoreDeadline(TIMEOUT);
  readonly #front: SessionStore;

  constructor(
    private readonly store: SessionStore,
    private readonly clock: Clock,
    private readonly events: SessionEventPublisher,
    /** Absent when remember-me is off. */
    @Optional() private readonly devices?: RememberedDevices,
    @Optional() @Inject(STORE_IN_FRONT) inFront?: SessionStore,
    @Optional() @Inject(REALM) private readonly realm = DEFAULT_REALM,
  ) {
    this.#front = inFront ?? store;
  }

  endEvery(options: EndSessionsOfRealm, client?: ClientInfo): Promise<void> {
    return this.#end(undefined, options, client);
  }

  async endBefore(date: Date, options: EndSessionsOfRealm, client?: ClientInfo): Promise<void> {
    const time = date instanceof Date ? date.getTime() : NaN;
    if (!(time <= this.clock.now())) {
      const given = Number.isNaN(time) ? 'no valid date' : date.toISOString();
      throw new SessionAuthError(
        'invalid_configuration',
        `endSessionsBefore: given ${given}; allowed is a Date that is not in the future`,
      );
    }
    await this.#end(time, options, client);
  }

  async #end(
    createdBefore: number | undefined,
    { keepDevices = false }: EndSessionsOfRealm,
    client: ClientInfo | undefined,
  ): Promise<void> {
    // nothing ends if one of the two stores cannot do it
    this.#require(this.store, 'sessions', 'SessionStore');
    const devices = keepDevices ? undefined : this.devices?.tokenStore;
    if (devices !== undefined) this.#require(devices, 'rememberMe', 'RememberMeTokenStore');
    const now = this.clock.now();
    // Devices first: one that signs in meanwhile finds its token gone and ends its session, or is early enough for
    // its session to end here.
    if (devices !== undefined) await this.#deadline.run(() => this.devices!.forgetEvery(createdBefore));
    await this.#deadline.run(() => this.#front.deleteByRealm!({ createdBefore, reason: 'revoked' }, now));
    this.events.publish({
      type: 'session.all_ended',
      ...(createdBefore !== undefined && { createdBefore: new Date(createdBefore) }),
      keepDevices,
      client,
    });
  }

  #require(store: object, slot: string, port: string): void {
    if (typeof (store as Partial<SessionStore>).deleteByRealm === 'function') return;
    throw new SessionAuthError(
      'not_configured',
      `SessionAuthModule of realm '${this.realm}': storage.${slot}: ${store.constructor.name} has no deleteByRealm, ` +
        `the optional method of ${port} that ends all sessions of a realm`,
    );
  }
}
