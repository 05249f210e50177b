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
  'remember_me.theft',
]);

/** What some readers take for the end of a line, or a terminal for a command, and JSON leaves as it is. */
const UNESCAPED_BY_JSON = /[\u007f-\u009f\u2028\u2029]/g;

/**
 * Writes each event as one line of JSON to Nest's logger, context `SessionAudit`. Line breaks and control characters
 * are escaped, so a forged `User-Agent` cannot forge a record (ASVS 16.4.1).
 */
export class LoggerAuditLog extends AuditLog {
  readonly #logger = new Logger('SessionAudit');

  record(event: SessionEvent): void {
    const line = JSON.stringify(event).replace(UNESCAPED_BY_JSON, escape);
    if (SUSPICIOUS.has(event.type)) this.#logger.warn(line);
    else this.#logger.log(line);
  }
}

function escape(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
