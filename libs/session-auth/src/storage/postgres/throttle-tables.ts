import { qualifiedName } from './sql-identifier.js';

/** The table of the counts of failed logins. */
export const THROTTLE_TABLE = 'session_auth_throttle';

export const THROTTLE_INDEXES = { key: 'session_auth_throttle_pkey', expiry: 'session_auth_throttle_expiry' } as const;

export function throttleTable(schema: string | undefined): string {
  return qualifiedName(schema, THROTTLE_TABLE);
}

/**
 * The statements that create the table. It is written often and worth little, so it is unlogged: a crash empties it.
 */
export function createThrottleTable(schema: string | undefined): readonly string[] {
  const table = throttleTable(schema);
  return [
    `CREATE UNLOGGED TABLE ${table} (
      "key" text COLLATE "C" NOT NULL,
      "points" integer NOT NULL,
      "expires_at" bigint NOT NULL,
      CONSTRAINT "${THROTTLE_INDEXES.key}" PRIMARY KEY ("key")
    )`,
    `CREATE INDEX "${THROTTLE_INDEXES.expiry}" ON ${table} ("expires_at")`,
  ];
}

export function dropThrottleTable(schema: string | undefined): readonly string[] {
  return [`DROP TABLE ${throttleTable(schema)}`];
}
