import { Inject, Injectable, Logger, Optional } from '@nestjs/common';
import { stackOf } from '../errors/stack-of.js';
import { DEFAULT_REALM, REALM } from '../realms/realm-name.js';
import { Clock } from '../time/clock.js';
import { AuditAggregation } from './audit-aggregation.js';
import { AuditLog } from './audit-log.js';
import type { SessionEvent, UnstampedSessionEvent } from './session-event.js';

/** Receives every event. It may be slow or fail: nobody waits for it. */
export type SessionEventListener = (event: SessionEvent) => void | Promise<void>;

/**
 * Publishes all events: first to the audit log, then to the subscribers. A failing listener is logged, and harms
 * neither the request nor other listeners.
 */
@Injectable()
export class SessionEventPublisher {
  readonly #logger = new Logger('SessionEvents');
  readonly #listeners: SessionEventListener[];

  constructor(
    private readonly clock: Clock,
    auditLog: AuditLog,
    /** Absent: the audit log receives each event by itself. */
    @Optional() aggregation?: AuditAggregation,
    @Inject(REALM) private readonly realm = DEFAULT_REALM,
  ) {
    this.#listeners = [(event) => (aggregation ?? auditLog).record(event)];
  }

  /** Adds a listener. Returns the function that removes it. */
  subscribe(listener: SessionEventListener): () => void {
    this.#listeners.push(listener);
    return () => {
      const index = this.#listeners.indexOf(listener);
      if (index >= 0) this.#listeners.splice(index, 1);
    };
  }

  publish(event: UnstampedSessionEvent): void {
    // frozen, so that no listener changes what the others see
    const at = new Date(this.clock.now());
    const stamped = Object.freeze({ ...event, realm: this.realm, at }) as SessionEvent;
    for (const listener of [...this.#listeners]) {
      void this.#deliver(listener, stamped);
    }
  }

  async #deliver(listener: SessionEventListener, event: SessionEvent): Promise<void> {
    try {
      await listener(event);
    } catch (error) {
      this.#logger.error(`a listener failed on ${event.type}`, stackOf(error));
    }
  }
}
