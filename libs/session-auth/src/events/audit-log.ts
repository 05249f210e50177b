import { Injectable, Logger } from '@nestjs/common';
import { toAuditEntry } from './audit-entry.js';
import type { SessionEvent } from './session-event.js';

/**
 * Where the events go that an auditor asks for. Give the slot `storage.audit` to keep them elsewhere.
 *
 * `record` is called once an event, in order, and never awaited by a request: a sink that fails or is slow delays
 * and breaks nothing, and the failure is logged. {@link toAuditEntry} gives the words to write.
 */
export abstract class AuditLog {
  abstract record(event: SessionEvent): void | Promise<void>;
}

/**
 * Writes each event as one line of JSON to Nest's logger, context `SessionAudit`: see {@link AuditEntry}. Line breaks
 * and control characters are replaced, so a forged `User-Agent` cannot forge a record (ASVS 16.4.1).
 */
@Injectable()
export class LoggerAuditLog extends AuditLog {
  readonly #logger = new Logger('SessionAudit');

  record(event: SessionEvent): void {
    const entry = toAuditEntry(event);
    const line = JSON.stringify(entry);
    if (entry.level === 'info') this.#logger.log(line);
    else this.#logger.warn(line);
  }
}
