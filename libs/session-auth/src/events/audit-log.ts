import { Injectable, Logger } from '@nestjs/common';
import { toAuditEntry } from './audit-entry.js';
import type { SessionEvent } from './session-event.js';

/**
 * Receives the events that an auditor needs. Fill the slot `storage.audit` to keep them elsewhere.
 *
 * `record` is called once for each event, in order. No request waits for it: a slow or failing sink delays and breaks
 * nothing, and a failure is logged. {@link toAuditEntry} returns the record to write.
 */
export abstract class AuditLog {
  abstract record(event: SessionEvent): void | Promise<void>;

  /**
   * Erases a user from the records, by the user's id and by the handles of the user's sessions, which events without a
   * user have. Called once for each `SessionLifecycleService.eraseUser`, after its events. Rejects when it fails.
   * Calling it again is safe, and finishes the work.
   *
   * Erases only records of the log's realm: another realm may have a user with the same id.
   *
   * Optional: `eraseUser` names a log without it in its result.
   *
   * @returns how many records were changed or removed
   */
  eraseUser?(userId: string, how: AuditErasure): Promise<number>;

  /**
   * Returns the records of a user that {@link eraseUser} would find, in a form that JSON can carry.
   *
   * Optional: `SessionLifecycleService.exportUser` names a log without it in its result.
   */
  exportUser?(userId: string): Promise<readonly object[]>;

  /**
   * Returns a log of the same backend for a realm other than the default one. Optional if the log has neither
   * `eraseUser` nor `exportUser`, because each event names its realm and one log may record for all realms. If it has
   * one of them, a second realm is refused at boot without this method.
   */
  ofRealm?(realm: string): AuditLog;
}

/**
 * What happens to the records of an erased user: `anonymise` removes the user's id, address, agent and all other
 * personal data from them; `delete` removes the records.
 */
export type AuditErasure = 'anonymise' | 'delete';

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
