import { Logger } from '@nestjs/common';
import type { SessionEvent } from './session-event.js';

/**
 * Where the events go that an auditor asks for. Override the provider to keep them elsewhere.
 *
 * `record` is called once an event, in order, and never awaited by a request: a sink that fails or is slow delays
 * and breaks nothing, and the failure is logged.
 */
export abstract class AuditLog {
  abstract record(event: SessionEvent): void | Promise<void>;
}

/** Events by which somebody tries what they should not: logged as warnings. */
const SUSPICIOUS: ReadonlySet<SessionEvent['type']> = new Set([
  'session.used_after_end',
  'session.corrupt_record',
  'session.fingerprint_mismatch',
  'csrf.rejected',
  'login.failed',
]);

/**
 * Writes each event as one line of JSON to Nest's logger, context `SessionAudit`. JSON escapes line breaks, so a
 * forged `User-Agent` cannot forge a record (ASVS 16.4.1).
 */
export class LoggerAuditLog extends AuditLog {
  readonly #logger = new Logger('SessionAudit');

  record(event: SessionEvent): void {
    const line = JSON.stringify(event);
    if (SUSPICIOUS.has(event.type)) this.#logger.warn(line);
    else this.#logger.log(line);
  }
}
