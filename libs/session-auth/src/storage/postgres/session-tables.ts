import { qualifiedName } from './sql-identifier.js';

/** The table of sessions. */
export const SESSION_TABLE = 'session_auth_session';

/** The names of the indexes, which are in the schema of the table. */
export const SESSION_INDEXES = {
  handle: 'session_auth_session_pkey',
  user: 'session_auth_session_user',
  sweep: 'session_auth_session_sweep',
} as const;

/** Returns the table's name, qualified and quoted. */
export function sessionTable(schema: string | undefined): string {
  return qualifiedName(schema, SESSION_TABLE);
}

/**
 * The statements that create the table.
 *
 * - Times are milliseconds since the epoch: exact, and independent of the server's time zone and clock.
 * - Handles, digests, devices and users compare by bytes (`"C"`): faster than by language, and the order of pages.
 * - Lists and objects are `json`, not `jsonb`: it keeps the text, so keys stay in order, numbers keep their digits and
 *   `\u0000` is allowed. session-row.ts describes the layout of `data`.
 * - All tokens of a session find it by its handle, so no index holds a digest. No index holds `last_activity_at` or
 *   `expires_at` either. So a touch or a rotation rewrites the row within its page and no index (a HOT update;
 *   `fillfactor` leaves room for it). The sweep uses `sweep_at`, which is never later than `expires_at`; a sweep that
 *   finds the session alive increases it.
 * - Older nodes write no `record_version`; it defaults to 1 (record-version.ts).
 */
export function createSessionTable(schema: string | undefined): readonly string[] {
  const session = sessionTable(schema);
  return [
    `CREATE TABLE ${session} (
      "handle" text COLLATE "C" NOT NULL,
      "digest" text COLLATE "C" NOT NULL,
      "user_id" text COLLATE "C",
      "email" text,
      "roles" json NOT NULL,
      "created_at" bigint NOT NULL,
      "authenticated_at" bigint,
      "authentication" text,
      "rotated_at" bigint NOT NULL,
      "last_activity_at" bigint NOT NULL,
      "expires_at" bigint NOT NULL,
      "absolute_expires_at" bigint NOT NULL,
      "ip" text,
      "user_agent" text,
      "fingerprint" text,
      "data" json NOT NULL,
      "factors" json,
      "upstream" text,
      "sweep_at" bigint NOT NULL,
      "tokens" json,
      "former_roles" json,
      "roles_since" integer,
      "revision" bigint NOT NULL DEFAULT 0,
      "device" text COLLATE "C",
      "record_version" smallint NOT NULL DEFAULT 1,
      "generation" bigint NOT NULL DEFAULT 0,
      CONSTRAINT "${SESSION_INDEXES.handle}" PRIMARY KEY ("handle")
    ) WITH (fillfactor = 85)`,
    `CREATE INDEX "${SESSION_INDEXES.user}" ON ${session} ("user_id", "created_at", "handle")`,
    `CREATE INDEX "${SESSION_INDEXES.sweep}" ON ${session} ("sweep_at")`,
  ];
}

/** The statements that drop the table and its indexes. */
export function dropSessionTable(schema: string | undefined): readonly string[] {
  return [`DROP TABLE ${sessionTable(schema)}`];
}

/** The query that returns a row if the table is of a version with successors, and no row if it is of version 0.1. */
export function findUpgradedSessionTable(schema: string | undefined): { text: string; values: string[] } {
  return {
    text: `SELECT 1 FROM pg_attribute WHERE attrelid = to_regclass($1) AND attname = 'revision' AND NOT attisdropped`,
    values: [sessionTable(schema)],
  };
}

/**
 * The statements that bring the table of version 0.1 to the columns and indexes of {@link createSessionTable}. They may
 * be repeated after a failure; the last one, which adds all columns at once, shows that they are done.
 *
 * They empty the table: tokens of 0.1 contain no handle, so no request could find those sessions.
 */
export function renewSessionTable(schema: string | undefined): readonly string[] {
  const session = sessionTable(schema);
  return [
    `DROP TABLE IF EXISTS ${qualifiedName(schema, 'session_auth_grace')}`,
    `TRUNCATE ${session}`,
    `DROP INDEX IF EXISTS ${qualifiedName(schema, 'session_auth_session_digest')}`,
    `ALTER TABLE ${session}
      ADD COLUMN IF NOT EXISTS "factors" json,
      ADD COLUMN IF NOT EXISTS "upstream" text,
      ADD COLUMN IF NOT EXISTS "tokens" json,
      ADD COLUMN IF NOT EXISTS "former_roles" json,
      ADD COLUMN IF NOT EXISTS "roles_since" integer,
      ADD COLUMN IF NOT EXISTS "revision" bigint NOT NULL DEFAULT 0,
      ADD COLUMN IF NOT EXISTS "device" text COLLATE "C"`,
  ];
}

/**
 * The statement that adds the column that tables from before record versions lack. It may be repeated, and rewrites no
 * row.
 */
export function upgradeSessionTable(schema: string | undefined): readonly string[] {
  return [
    `ALTER TABLE ${sessionTable(schema)}
      ADD COLUMN IF NOT EXISTS "record_version" smallint NOT NULL DEFAULT 1`,
  ];
}
