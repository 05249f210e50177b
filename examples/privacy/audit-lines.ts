import type { AuditEntry } from 'nestjs-session-auth';

/** Records of a user: by the id, and those without one that are of a session of the user's. */
export function isOf(userId: string, entries: readonly AuditEntry[]): (entry: AuditEntry) => boolean {
  const sessions = new Set(entries.filter(({ userid }) => userid === userId).map(({ session }) => session));
  return ({ userid, session, source_ip, useragent }) =>
    userid === userId ||
    (userid === undefined &&
      session !== undefined &&
      sessions.has(session) &&
      (source_ip !== undefined || useragent !== undefined));
}

export function lineOf(entry: AuditEntry): string {
  return `${JSON.stringify(entry)}\n`;
}

export function entriesOf(text: string): AuditEntry[] {
  return text
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as AuditEntry);
}
