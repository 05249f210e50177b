-- The tables of nestjs-session-auth, for PostgreSQL 12 or later.

CREATE TABLE "session_auth_session" (
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
  CONSTRAINT "session_auth_session_pkey" PRIMARY KEY ("handle")
) WITH (fillfactor = 85);

CREATE INDEX "session_auth_session_user" ON "session_auth_session" ("user_id", "created_at", "handle");

CREATE INDEX "session_auth_session_sweep" ON "session_auth_session" ("sweep_at");

CREATE TABLE "session_auth_remember_me" (
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
  CONSTRAINT "session_auth_remember_me_pkey" PRIMARY KEY ("selector")
);

CREATE INDEX "session_auth_remember_me_user" ON "session_auth_remember_me" ("user_id", "created_at", "handle");

CREATE INDEX "session_auth_remember_me_expiry" ON "session_auth_remember_me" ("expires_at");

CREATE UNLOGGED TABLE "session_auth_throttle" (
  "key" text COLLATE "C" NOT NULL,
  "points" integer NOT NULL,
  "expires_at" bigint NOT NULL,
  CONSTRAINT "session_auth_throttle_pkey" PRIMARY KEY ("key")
);

CREATE INDEX "session_auth_throttle_expiry" ON "session_auth_throttle" ("expires_at");

CREATE TABLE "session_auth_audit_event" (
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
  CONSTRAINT "session_auth_audit_event_pkey" PRIMARY KEY ("id")
);

CREATE INDEX "session_auth_audit_event_at" ON "session_auth_audit_event" ("at", "id");

CREATE INDEX "session_auth_audit_event_user" ON "session_auth_audit_event" ("user_id", "at", "id");

CREATE TABLE "session_auth_generation" (
  "name" text COLLATE "C" NOT NULL,
  "generation" bigint NOT NULL DEFAULT 0,
  "ended_before" bigint,
  CONSTRAINT "session_auth_generation_pkey" PRIMARY KEY ("name")
);

CREATE TABLE "session_auth_version" (
  "version" integer NOT NULL,
  CONSTRAINT "session_auth_version_pkey" PRIMARY KEY ("version")
);

INSERT INTO "session_auth_version" ("version") VALUES (3);
