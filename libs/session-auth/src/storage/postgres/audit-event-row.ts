import type { AuditLevel } from '../../events/audit-entry.js';
import type { SessionEventType } from '../../events/session-event.js';
import type { Row } from './postgres-statement.js';

/** A row of the table of audit events. */
export interface AuditEventRow {
  /** Increases with each event; a bigint as text. */
  readonly id: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** The name of the event in the OWASP Logging Vocabulary. */
  readonly event: string;
  readonly level: AuditLevel;
  readonly type: SessionEventType;
  /** The realm of the event. */
  readonly realm: string;
  readonly userId: string | null;
  /** The session's public handle. */
  readonly sessionId: string | null;
  readonly ip: string | null;
  readonly userAgent: string | null;
  /** The event's other fields. */
  readonly details: Readonly<Record<string, unknown>>;
}

/** Decodes a row that the statements of the audit log return. */
export function decodeAuditRow([
  id,
  at,
  event,
  level,
  type,
  realm,
  userId,
  sessionId,
  ip,
  userAgent,
  details,
]: Row): AuditEventRow {
  return {
    id: id!,
    at: Number(at),
    event: event!,
    level: level as AuditEventRow['level'],
    type: type as AuditEventRow['type'],
    realm: realm!,
    userId: userId ?? null,
    sessionId: sessionId ?? null,
    ip: ip ?? null,
    userAgent: userAgent ?? null,
    details: JSON.parse(details!) as Record<string, unknown>,
  };
}
