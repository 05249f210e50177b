-- Brings the tables of nestjs-session-auth from version 1 to those of this version, and keeps everything. Processes of the
-- version before go on working. Run it once: SQLite has no ADD COLUMN IF NOT EXISTS, so a second run fails at the first
-- statement and changes nothing.

ALTER TABLE session_auth_session ADD COLUMN generation INTEGER NOT NULL DEFAULT 0;
ALTER TABLE session_auth_remember_me ADD COLUMN generation INTEGER NOT NULL DEFAULT 0;

CREATE TABLE IF NOT EXISTS session_auth_generation (
  name TEXT NOT NULL PRIMARY KEY,
  generation INTEGER NOT NULL,
  ended_before INTEGER
) STRICT, WITHOUT ROWID;

INSERT OR IGNORE INTO session_auth_version (version) VALUES (2);
