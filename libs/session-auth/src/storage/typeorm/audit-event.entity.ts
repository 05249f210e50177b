import { EntitySchema } from 'typeorm';
import type { AuditLevel } from '../../events/audit-entry.js';
import type { SessionEventType } from '../../events/session-event.js';
import { TIME } from './column-transformers.js';
import { AUDIT_INDEXES, AUDIT_TABLE } from './audit-tables.js';

/** A row of the table of audit events. */
export interface AuditEventRow {
  /** Grows with each event; a bigint as text. */
  readonly id: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** In the words of the OWASP Logging Vocabulary. */
  readonly event: string;
  readonly level: AuditLevel;
  readonly type: SessionEventType;
  readonly userId: string | null;
  /** The session's public handle. */
  readonly sessionId: string | null;
  readonly ip: string | null;
  readonly userAgent: string | null;
  /** What else the event says. */
  readonly details: Readonly<Record<string, unknown>>;
}

/** The entity of the table of audit events, for an application that reads it by a repository. Read only. */
export const AuditEventEntity = createAuditEventEntity();

/** {@link AuditEventEntity} for a table in a schema of its own. */
export function createAuditEventEntity({ schema }: { readonly schema?: string } = {}): EntitySchema<AuditEventRow> {
  return new EntitySchema<AuditEventRow>({
    name: 'AuditEventEntity',
    tableName: AUDIT_TABLE,
    schema,
    columns: {
      id: {
        type: 'bigint',
        primary: true,
        generated: 'increment',
        primaryKeyConstraintName: AUDIT_INDEXES.id,
      },
      at: { type: 'bigint', transformer: TIME },
      event: { type: 'text' },
      level: { type: 'text' },
      type: { type: 'text' },
      userId: { name: 'user_id', type: 'text', collation: 'C', nullable: true },
      sessionId: { name: 'session_id', type: 'text', collation: 'C', nullable: true },
      ip: { type: 'text', nullable: true },
      userAgent: { name: 'user_agent', type: 'text', nullable: true },
      details: { type: 'json' },
    },
    indices: [
      { name: AUDIT_INDEXES.at, columns: ['at', 'id'] },
      { name: AUDIT_INDEXES.user, columns: ['userId', 'at', 'id'] },
    ],
  });
}
