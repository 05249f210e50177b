import { qualifiedName } from './sql-identifier.js';

/** The table of sessions. */
export const SESSION_TABLE = 'session_auth_session';

/** The table of replaced digests that still find their session, for their grace. */
export const GRACE_TABLE = 'session_auth_grace';

/** The names of the indexes, which are in the schema of the tables. */
export const SESSION_INDEXES = {
  handle: 'session_auth_session_pkey',
  digest: 'session_auth_session_digest',
  user: 'session_auth_session_user',
  sweep: 'session_auth_session_sweep',
} as const;

export const GRACE_INDEXES = {
  digest: 'session_auth_grace_pkey',
  handle: 'session_auth_grace_handle',
  until: 'session_auth_grace_until',
} as const;

/** The names of both tables, qualified and quoted. */
export interface SessionTables {
  readonly session: string;
  readonly grace: string;
}

export function sessionTables(schema: string | undefined): SessionTables {
  return { session: qualifiedName(schema, SESSION_TABLE), grace: qualifiedName(schema, GRACE_TABLE) };
}

/**
 * The statements that create the tables.
 *
 * - Times are milliseconds since the epoch: exact, and free of the server's time zone and clock.
 * - Handles, digests and users compare by bytes (`"C"`): faster than by language, and the order of pages.
 * - `data` and `roles` are `json`, not `jsonb`: it keeps the text, so keys stay in order, numbers keep their digits and
 *   `\u0000` is allowed. session-row.ts describes the layout of `data`.
 * - No index holds `last_activity_at` or `expires_at`, so a touch rewrites the row within its page and no index (a HOT
 *   update; `fillfactor` leaves it room). The sweep looks for `sweep_at`, which is never later than `expires_at`; a
 *   sweep that finds the session alive moves it on.
 */
export function createSessionTables(schema: string | undefined): readonly string[] {
  const { session, grace } = sessionTables(schema);
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
      CONSTRAINT "${SESSION_INDEXES.handle}" PRIMARY KEY ("handle")
    ) WITH (fillfactor = 85)`,
    `CREATE UNIQUE INDEX "${SESSION_INDEXES.digest}" ON ${session} ("digest")`,
    `CREATE INDEX "${SESSION_INDEXES.user}" ON ${session} ("user_id", "created_at", "handle")`,
    `CREATE INDEX "${SESSION_INDEXES.sweep}" ON ${session} ("sweep_at")`,
    `CREATE TABLE ${grace} (
      "digest" text COLLATE "C" NOT NULL,
      "handle" text COLLATE "C" NOT NULL,
      "until" bigint NOT NULL,
      CONSTRAINT "${GRACE_INDEXES.digest}" PRIMARY KEY ("digest")
    )`,
    `CREATE INDEX "${GRACE_INDEXES.handle}" ON ${grace} ("handle")`,
    `CREATE INDEX "${GRACE_INDEXES.until}" ON ${grace} ("until")`,
  ];
}

/** The statements that drop the tables and their indexes. */
export function dropSessionTables(schema: string | undefined): readonly string[] {
  const { session, grace } = sessionTables(schema);
  return [`DROP TABLE ${grace}`, `DROP TABLE ${session}`];
}
