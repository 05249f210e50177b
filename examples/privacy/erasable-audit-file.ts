import { appendFile, readFile, rename, writeFile } from 'node:fs/promises';
import { Injectable } from '@nestjs/common';
import { AuditLog, toAuditEntry, type AuditEntry, type AuditErasure, type SessionEvent } from 'nestjs-session-auth';

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

  /** One after the other: an event that comes meanwhile is not lost. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#last.catch(() => undefined).then(work);
    this.#last = turn;
    return turn;
  }

  async #read(): Promise<AuditEntry[]> {
    const text = await readFile(this.#file, 'utf8').catch(() => '');
    return text
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line) as AuditEntry);
  }
}

/** Records of a user: by the id, and those without one that are of a session of the user's. */
function isOf(userId: string, entries: readonly AuditEntry[]): (entry: AuditEntry) => boolean {
  const sessions = new Set(entries.filter(({ userid }) => userid === userId).map(({ session }) => session));
  return ({ userid, session, source_ip, useragent }) =>
    userid === userId ||
    (userid === undefined &&
      session !== undefined &&
      sessions.has(session) &&
      (source_ip !== undefined || useragent !== undefined));
}

function lineOf(entry: AuditEntry): string {
  return `${JSON.stringify(entry)}\n`;
}
