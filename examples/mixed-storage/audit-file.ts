import { appendFile } from 'node:fs/promises';
import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { AuditLog, toAuditEntry, type SessionEvent } from 'nestjs-session-auth';

/** One line of JSON an event, in the order of the events. */
@Injectable()
export class AuditFile extends AuditLog implements OnApplicationShutdown {
  #written: Promise<void> = Promise.resolve();

  record(event: SessionEvent): Promise<void> {
    const line = `${JSON.stringify(toAuditEntry(event))}\n`;
    this.#written = this.#written.catch(() => undefined).then(() => appendFile(process.env['AUDIT_FILE']!, line));
    return this.#written;
  }

  /** Nothing that was recorded is lost when the application ends. */
  onApplicationShutdown(): Promise<void> {
    return this.#written;
  }
}
