import { Inject, Injectable, Optional } from '@nestjs/common';
import { StoreDeadline } from '../async/store-deadline.js';
import { SessionEventPublisher } from '../events/event-publisher.js';
import { DEFAULT_REALM, REALM } from '../realms/realm-name.js';
import { Clock } from '../time/clock.js';
import { dataTooLarge, toSessionData } from './session-data.js';
import { MAX_DATA_SIZE } from './session-data.options.js';
import { sessionEnded } from './session-required.js';
import { isCorruptRecord } from './corrupt-record.js';
import type { SessionData, SessionRecord } from './session-record.js';
import { SessionStore, type UpdateOutcome } from './session-store.js';
import type { SessionScope } from './session-scope.js';
import type { SessionSignals, SessionSource } from './session.js';
import { STORE_IN_FRONT } from './store-in-front.js';

/** Serves the methods of sessions: merges patches into their data, and provides their end signals. */
@Injectable()
export class SessionUpdates implements SessionSource {
  #signals: SessionSignals | undefined;

  constructor(
    private readonly store: SessionStore,
    private readonly deadline: StoreDeadline,
    private readonly clock: Clock,
    private readonly events: SessionEventPublisher,
    @Inject(MAX_DATA_SIZE) private readonly maxDataSize: number,
    @Inject(REALM) readonly realm = DEFAULT_REALM,
    @Optional() @Inject(STORE_IN_FRONT) inFront?: SessionStore,
  ) {
    this.store = inFront ?? store;
  }

  /** The provider of signals depends on this class, so it registers itself. */
  provideSignals(signals: SessionSignals): void {
    this.#signals = signals;
  }

  signalOf(record: SessionRecord, scope: SessionScope | undefined): AbortSignal {
    return this.#signals!.signalOf(record, scope);
  }

  async update(digest: string, patch: object): Promise<SessionData> {
    const data = toSessionData(patch);
    let outcome: UpdateOutcome;
    try {
      outcome = await this.deadline.run(() => this.store.update(digest, data, this.clock.now(), this.maxDataSize));
    } catch (error) {
      if (!isCorruptRecord(error)) throw error;
      this.events.publish({ type: 'session.corrupt_record' });
      throw sessionEnded();
    }
    if (outcome.status === 'absent') throw sessionEnded();
    if (outcome.status === 'too_large') throw dataTooLarge(this.maxDataSize);
    return outcome.data;
  }
}
