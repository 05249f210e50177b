import { Injectable, Logger, type BeforeApplicationShutdown, type OnModuleDestroy } from '@nestjs/common';
import { stackOf } from '../errors/stack-of.js';
import { Clock } from '../time/clock.js';
import { MINUTE } from '../time/units.js';
import { clientNetwork } from '../users/client.js';
import { AuditLog } from './audit-log.js';
import type { SessionEvent, SessionEventType } from './session-event.js';

/** Events that anybody can cause in any number. Signs of theft and guessing are never among them. */
const FLOODS: ReadonlySet<SessionEventType> = new Set([
  'csrf.rejected',
  'session.used_after_end',
  'session.ambiguous_cookie',
  'login.failed',
  'login.throttled',
]);

const WINDOW = MINUTE;

/** The most open windows; beyond that the oldest one is closed early. */
const MAX_WINDOWS = 10_000;

/** Events of one kind since the first of them was recorded. */
interface Window {
  readonly until: number;
  last: SessionEvent;
  repeated: number;
}

/** Whether the audit log aggregates events of this type. */
export function isAggregated({ type }: SessionEvent): boolean {
  return FLOODS.has(type);
}

/**
 * Keeps floods of events out of the audit log: rejected CSRF tokens, dead cookies and failed logins. The first event by
 * one client, for one user or session, is recorded at once. Those of the following minute become one record with their
 * number, as `repeated`. Subscribers receive every event.
 */
@Injectable()
export class AuditAggregation implements OnModuleDestroy, BeforeApplicationShutdown {
  readonly #logger = new Logger('SessionAudit');
  /** Oldest first. */
  readonly #windows = new Map<string, Window>();
  #timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly clock: Clock,
    private readonly auditLog: AuditLog,
  ) {}

  record(event: SessionEvent): void | Promise<void> {
    this.#closeWindows();
    if (!isAggregated(event)) return this.auditLog.record(event);
    const kind = kindOf(event);
    const window = this.#windows.get(kind);
    if (window !== undefined) {
      window.last = event;
      window.repeated += 1;
      return undefined;
    }
    if (this.#windows.size >= MAX_WINDOWS) this.#closeOldest();
    this.#windows.set(kind, { until: this.clock.now() + WINDOW, last: event, repeated: 0 });
    this.#timer ??= setTimeout(() => this.#closeLater(), WINDOW).unref();
    return this.auditLog.record(event);
  }

  /** Records what has been counted so far. */
  flush(): void {
    while (this.#windows.size > 0) this.#closeOldest();
  }

  // early, because the audit log writes its last records in the hook of this name
  onModuleDestroy(): void {
    this.flush();
  }

  // again, for requests that were under way
  beforeApplicationShutdown(): void {
    clearTimeout(this.#timer);
    this.flush();
  }

  /** Closes windows that have ended while no event arrives. */
  #closeLater(): void {
    this.#timer = undefined;
    this.#closeWindows();
    if (this.#windows.size > 0) this.#timer = setTimeout(() => this.#closeLater(), WINDOW).unref();
  }

  #closeWindows(): void {
    const now = this.clock.now();
    for (const { until } of this.#windows.values()) {
      // a clock that was set back must not keep windows open indefinitely
      if (until > now && until - now <= WINDOW) break;
      this.#closeOldest();
    }
  }

  #closeOldest(): void {
    const [kind, { last, repeated }] = this.#windows.entries().next().value!;
    this.#windows.delete(kind);
    if (repeated > 0) void this.#deliver(Object.freeze({ ...last, repeated }));
  }

  async #deliver(event: SessionEvent): Promise<void> {
    try {
      await this.auditLog.record(event);
    } catch (error) {
      this.#logger.error(`${event.type} could not be recorded`, stackOf(error));
    }
  }
}

/** Events of one type, client and user or session are of one kind, so that one person's flood hides no other events. */
function kindOf(event: SessionEvent): string {
  const { type, client } = event;
  const { userId = '', sessionId = '' } = event as { userId?: string; sessionId?: string };
  const network = client?.ip === undefined ? '' : clientNetwork(client.ip);
  return JSON.stringify([type, network, userId, sessionId]);
}
