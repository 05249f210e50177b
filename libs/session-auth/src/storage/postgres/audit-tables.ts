import { qualifiedName } from './sql-identifier.js';

/** The table of audit events. */
export const AUDIT_TABLE = 'session_auth_audit_event';

export const AUDIT_INDEXES = {
  id: 'session_auth_audit_event_pkey',
  at: 'session_auth_audit_event_at',
  user: 'session_auth_audit_event_user',
} as const;

export function auditTable(schema: string | undefined): string {
  return qualifiedName(schema, AUDIT_TABLE);
}

/**
 * The statements that create the table. `at` is milliseconds since the epoch; `details` holds the fields of an event
 * without a column.
 */
export function createAuditTable(schema: string | undefined): readonly string[] {
  const table = auditTable(schema);
  return [
    `CREATE TABLE ${table} (
      "id" bigserial,
      "at" bigint NOT NULL,
      "event" text NOT NULL,
      "level" text NOT NULL,
      "type" text NOT NULL,
      "realm" text COLLATE "C" NOT NULL DEFAULT 'default',
      "user_id" text COLLATE "C",
      "session_id" text COLLATE "C",
      "ip" text,
      "user_agent" text,
      "details" json NOT NULL,
      CONSTRAINT "${AUDIT_INDEXES.id}" PRIMARY KEY ("id")
    )`,
    `CREATE INDEX "${AUDIT_INDEXES.at}" ON ${table} ("at", "id")`,
    `CREATE INDEX "${AUDIT_INDEXES.user}" ON ${table} ("user_id", "at", "id")`,
  ];
}

/**
 * The statement that adds the column that tables from before realms lack. It may be repeated, and rewrites no row: rows
 * that older nodes have written, or still write, belong to the default realm.
 */
export function upgradeAuditTable(schema: string | undefined): readonly string[] {
  return [
    `ALTER TABLE ${auditTable(schema)}
      ADD COLUMN IF NOT EXISTS "realm" text COLLATE "C" NOT NULL DEFAULT 'default'`,
  ];
}

export function dropAuditTable(schema: string | undefined): readonly string[] {
  return [`DROP TABLE ${auditTable(schema)}`];
}
