import { appendFile, readFile, rename, writeFile } from 'node:fs/promises';
import { Injectable } from '@nestjs/common';
import { AuditLog, toAuditEntry, type AuditEntry, type AuditErasure, type SessionEvent } from 'nestjs-session-auth';
import { entriesOf, isOf, lineOf } from './audit-lines.js';

/** One line of JSON an event, in a file that a user can be erased from. */
@Injectable()
export class ErasableAuditFile extends AuditLog {
  readonly #file = process.env['AUDIT_FILE']!;
  #last: Promise<unknown> = Promise.resolve();

  override record(event: SessionEvent): Promise<void> {
    return this.#inTurn(() => appendFile(this.#file, lineOf(toAuditEntry(event))));
  }

  override exportUser(userId: string): Promise<readonly AuditEntry[]> {
    return this.#inTurn(async () => {
      const entries = await this.#read();
      return entries.filter(isOf(userId, entries));
    });
  }

  override eraseUser(userId: string, how: AuditErasure): Promise<number> {
    return this.#inTurn(async () => {
      const entries = await this.#read();
      const isTheirs = isOf(userId, entries);
      const kept = entries.flatMap((entry) => {
        if (!isTheirs(entry)) return [entry];
        return how === 'delete' ? [] : [{ ...entry, userid: undefined, source_ip: undefined, useragent: undefined }];
      });
      await writeFile(`${this.#file}.new`, kept.map(lineOf).join(''));
      await rename(`${this.#file}.new`, this.#file); // all of it or nothing
      return entries.filter(isTheirs).length;
    });
  }

  /** Runs one operation after the other, so that no event is lost meanwhile. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#last.catch(() => undefined).then(work);
    this.#last = turn;
    return turn;
  }

  async #read(): Promise<AuditEntry[]> {
    return entriesOf(await readFile(this.#file, 'utf8').catch(() => ''));
  }
}
