/**
 * The tables that version 0.1 created, with a session and a remembered device in them.
 *
 * @param columns that the table of sessions has besides those of the first release
 */
export function tablesOf01(schema: string, columns: string): string {
  return `
CREATE TABLE ${schema}."session_auth_session" (
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
  ${columns}
  "sweep_at" bigint NOT NULL,
  CONSTRAINT "session_auth_session_pkey" PRIMARY KEY ("handle")
) WITH (fillfactor = 85);
CREATE UNIQUE INDEX "session_auth_session_digest" ON ${schema}."session_auth_session" ("digest");
CREATE INDEX "session_auth_session_user" ON ${schema}."session_auth_session" ("user_id", "created_at", "handle");
CREATE INDEX "session_auth_session_sweep" ON ${schema}."session_auth_session" ("sweep_at");

CREATE TABLE ${schema}."session_auth_grace" (
  "digest" text COLLATE "C" NOT NULL,
  "handle" text COLLATE "C" NOT NULL,
  "until" bigint NOT NULL,
  CONSTRAINT "session_auth_grace_pkey" PRIMARY KEY ("digest")
);
CREATE INDEX "session_auth_grace_handle" ON ${schema}."session_auth_grace" ("handle");
CREATE INDEX "session_auth_grace_until" ON ${schema}."session_auth_grace" ("until");

CREATE TABLE ${schema}."session_auth_remember_me" (
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
  CONSTRAINT "session_auth_remember_me_pkey" PRIMARY KEY ("selector")
);
CREATE INDEX "session_auth_remember_me_user" ON ${schema}."session_auth_remember_me" ("user_id", "created_at", "handle");
CREATE INDEX "session_auth_remember_me_expiry" ON ${schema}."session_auth_remember_me" ("expires_at");

CREATE UNLOGGED TABLE ${schema}."session_auth_throttle" (
  "key" text COLLATE "C" NOT NULL,
  "points" integer NOT NULL,
  "expires_at" bigint NOT NULL,
  CONSTRAINT "session_auth_throttle_pkey" PRIMARY KEY ("key")
);
CREATE INDEX "session_auth_throttle_expiry" ON ${schema}."session_auth_throttle" ("expires_at");

CREATE TABLE ${schema}."session_auth_audit_event" (
  "id" bigserial,
  "at" bigint NOT NULL,
  "event" text NOT NULL,
  "level" text NOT NULL,
  "type" text NOT NULL,
  "user_id" text COLLATE "C",
  "session_id" text COLLATE "C",
  "ip" text,
  "user_agent" text,
  "details" json NOT NULL,
  CONSTRAINT "session_auth_audit_event_pkey" PRIMARY KEY ("id")
);
CREATE INDEX "session_auth_audit_event_at" ON ${schema}."session_auth_audit_event" ("at", "id");
CREATE INDEX "session_auth_audit_event_user" ON ${schema}."session_auth_audit_event" ("user_id", "at", "id");

INSERT INTO ${schema}."session_auth_session" (handle, digest, roles, created_at, rotated_at, last_activity_at, expires_at,
    absolute_expires_at, data, sweep_at)
  VALUES ('session', 'aa1', '[]', 1, 1, 1, 9000000000000, 9000000000000, '{}', 9000000000000);
INSERT INTO ${schema}."session_auth_grace" VALUES ('aa0', 'session', 9000000000000);
INSERT INTO ${schema}."session_auth_remember_me" (selector, handle, user_id, validator_digest, created_at, last_used_at,
    expires_at, session_handle)
  VALUES ('selector', 'device', 'alice', 'v', 1, 1, 9000000000000, 'session')`;
}
