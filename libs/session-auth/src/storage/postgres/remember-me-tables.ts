import { qualifiedName } from './sql-identifier.js';

/** The table of remember-me tokens. */
export const REMEMBER_ME_TABLE = 'session_auth_remember_me';

/** The names of its indexes, which are in the schema of the table. */
export const REMEMBER_ME_INDEXES = {
  selector: 'session_auth_remember_me_pkey',
  user: 'session_auth_remember_me_user',
  expiry: 'session_auth_remember_me_expiry',
} as const;

/** Returns the table's name, qualified and quoted. */
export function rememberMeTable(schema: string | undefined): string {
  return qualifiedName(schema, REMEMBER_ME_TABLE);
}

/**
 * The statements that create the table. Times are milliseconds since the epoch. `successor` holds the validator that
 * will be the next one. `replaced_digests` holds recently replaced validators, the latest first. `replaced_until`, in
 * the same order, says until when requests with them count as in flight.
 */
export function createRememberMeTable(schema: string | undefined): readonly string[] {
  const table = rememberMeTable(schema);
  return [
    `CREATE TABLE ${table} (
      "selector" text COLLATE "C" NOT NULL,
      "handle" text COLLATE "C" NOT NULL,
      "user_id" text COLLATE "C" NOT NULL,
      "validator_digest" text COLLATE "C" NOT NULL,
      "replaced_digests" text[] COLLATE "C" NOT NULL DEFAULT '{}',
      "replaced_until" bigint[] NOT NULL DEFAULT '{}',
      "created_at" bigint NOT NULL,
      "last_used_at" bigint NOT NULL,
      "expires_at" bigint NOT NULL,
      "session_handle" text COLLATE "C" NOT NULL,
      "ip" text,
      "user_agent" text,
      "revision" bigint NOT NULL DEFAULT 0,
      "successor" json,
      "record_version" smallint NOT NULL DEFAULT 1,
      "generation" bigint NOT NULL DEFAULT 0,
      CONSTRAINT "${REMEMBER_ME_INDEXES.selector}" PRIMARY KEY ("selector")
    )`,
    `CREATE INDEX "${REMEMBER_ME_INDEXES.user}" ON ${table} ("user_id", "created_at", "handle")`,
    `CREATE INDEX "${REMEMBER_ME_INDEXES.expiry}" ON ${table} ("expires_at")`,
  ];
}

/**
 * The statements that bring the table of earlier versions to the columns of {@link createRememberMeTable}. They may be
 * repeated, and its rows stay valid.
 */
export function upgradeRememberMeTable(schema: string | undefined): readonly string[] {
  return [
    `ALTER TABLE ${rememberMeTable(schema)}
      ADD COLUMN IF NOT EXISTS "revision" bigint NOT NULL DEFAULT 0,
      ADD COLUMN IF NOT EXISTS "successor" json,
      ADD COLUMN IF NOT EXISTS "record_version" smallint NOT NULL DEFAULT 1`,
  ];
}

/** The statements that drop the table and its indexes. */
export function dropRememberMeTable(schema: string | undefined): readonly string[] {
  return [`DROP TABLE ${rememberMeTable(schema)}`];
}
