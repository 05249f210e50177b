import { EntitySchema } from 'typeorm';
import type { AuditEventRow } from '../postgres/audit-event-row.js';
import { DEFAULT_REALM } from '../../realms/realm-name.js';
import { AUDIT_INDEXES, AUDIT_TABLE } from '../postgres/audit-tables.js';
import { NUMBER } from './column-transformers.js';

/** The entity of the table of audit events, for an application that reads it through a repository. Read only. */
export const AuditEventEntity = createAuditEventEntity();

/** {@link AuditEventEntity} for a table in another schema. */
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
      at: { type: 'bigint', transformer: NUMBER },
      event: { type: 'text' },
      level: { type: 'text' },
      type: { type: 'text' },
      realm: { type: 'text', collation: 'C', default: DEFAULT_REALM },
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
