-- Brings the tables of nestjs-session-auth to those of this version. It may be repeated.
-- It ends all sessions where they are of version 0.1, and keeps everything else.

ALTER TABLE "session_auth_remember_me"
  ADD COLUMN IF NOT EXISTS "revision" bigint NOT NULL DEFAULT 0,
  ADD COLUMN IF NOT EXISTS "successor" json,
  ADD COLUMN IF NOT EXISTS "record_version" smallint NOT NULL DEFAULT 1;

ALTER TABLE "session_auth_audit_event"
  ADD COLUMN IF NOT EXISTS "realm" text COLLATE "C" NOT NULL DEFAULT 'default';

DO $session_auth$
BEGIN
  IF NOT EXISTS (SELECT FROM pg_attribute
    WHERE attrelid = to_regclass('"session_auth_session"') AND attname = 'revision' AND NOT attisdropped) THEN
    DROP TABLE IF EXISTS "session_auth_grace";
    TRUNCATE "session_auth_session";
    DROP INDEX IF EXISTS "session_auth_session_digest";
    ALTER TABLE "session_auth_session"
      ADD COLUMN IF NOT EXISTS "factors" json,
      ADD COLUMN IF NOT EXISTS "upstream" text,
      ADD COLUMN IF NOT EXISTS "tokens" json,
      ADD COLUMN IF NOT EXISTS "former_roles" json,
      ADD COLUMN IF NOT EXISTS "roles_since" integer,
      ADD COLUMN IF NOT EXISTS "revision" bigint NOT NULL DEFAULT 0,
      ADD COLUMN IF NOT EXISTS "device" text COLLATE "C";
  END IF;
END $session_auth$;

ALTER TABLE "session_auth_session"
  ADD COLUMN IF NOT EXISTS "record_version" smallint NOT NULL DEFAULT 1;

ALTER TABLE "session_auth_session"
  ADD COLUMN IF NOT EXISTS "generation" bigint NOT NULL DEFAULT 0;

ALTER TABLE "session_auth_remember_me"
  ADD COLUMN IF NOT EXISTS "generation" bigint NOT NULL DEFAULT 0;

CREATE TABLE IF NOT EXISTS "session_auth_generation" (
  "name" text COLLATE "C" NOT NULL,
  "generation" bigint NOT NULL DEFAULT 0,
  "ended_before" bigint,
  CONSTRAINT "session_auth_generation_pkey" PRIMARY KEY ("name")
);

CREATE TABLE IF NOT EXISTS "session_auth_version" (
  "version" integer NOT NULL,
  CONSTRAINT "session_auth_version_pkey" PRIMARY KEY ("version")
);

INSERT INTO "session_auth_version" ("version") VALUES (3) ON CONFLICT DO NOTHING;
