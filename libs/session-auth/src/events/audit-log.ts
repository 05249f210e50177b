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

  /**
   * Erases a user from what has been recorded, by the user's id and by the handles of the user's sessions, which events
   * without a user have. Called once for each `SessionLifecycleService.eraseUser`, after the events of that. Rejects
   * when it fails; a later call does the rest, and one that finds nothing is harmless.
   *
   * Only records of the log's realm are meant: another realm may have a user with the same id.
   *
   * Optional: a log without it is named in what `eraseUser` returns.
   *
   * @returns how many records were changed or removed
   */
  eraseUser?(userId: string, how: AuditErasure): Promise<number>;

  /**
   * Returns what has been recorded of a user, as {@link eraseUser} would find it, in a form that JSON can carry.
   *
   * Optional: a log without it is named in what `SessionLifecycleService.exportUser` returns.
   */
  exportUser?(userId: string): Promise<readonly object[]>;

  /**
   * Returns a log of the same backend for another realm than the default one. Optional, since an event says by itself
   * which realm it is of, so one log may record for all realms; but not of a log that has `eraseUser` or `exportUser`:
   * without this a second realm is refused at boot.
   */
  ofRealm?(realm: string): AuditLog;
}

/**
 * What happens to records of a user who is erased: `anonymise` keeps them without the user's id, address and agent, and
 * without whatever else says who it was; `delete` removes them.
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
