-- The tables of nestjs-session-auth in SQLite 3.37 or later. May be run again: it leaves what is there.
-- Tables of version 1 stay so: upgrade.sql brings them to this one.
--
-- - Times are milliseconds since the epoch.
-- - Text is compared byte by byte (BINARY): no 'a' is taken for 'A', 'á' or 'a '.
-- - What is a list or an object is JSON.
-- - Rows of all realms are in the same tables: keys of realms other than the default one begin with '@<realm>:', ids of
--   their users with U+001A and '@<realm>:'.
-- - Tables are STRICT: nothing has another type than its column. Those of short rows are WITHOUT ROWID.

CREATE TABLE IF NOT EXISTS session_auth_session (
  handle TEXT NOT NULL PRIMARY KEY,
  digest TEXT NOT NULL,
  user_id TEXT,
  email TEXT,
  roles TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  authenticated_at INTEGER,
  authentication TEXT,
  rotated_at INTEGER NOT NULL,
  last_activity_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  absolute_expires_at INTEGER NOT NULL,
  ip TEXT,
  user_agent TEXT,
  fingerprint TEXT,
  data TEXT NOT NULL,
  factors TEXT,
  upstream TEXT,
  tokens TEXT,
  former_roles TEXT,
  roles_since INTEGER,
  revision INTEGER NOT NULL,
  device TEXT,
  -- of the form of this row; and the generation: a session of another one than the present one has ended
  record_version INTEGER NOT NULL,
  generation INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE INDEX IF NOT EXISTS session_auth_session_user ON session_auth_session (user_id, created_at, handle);
CREATE INDEX IF NOT EXISTS session_auth_session_expiry ON session_auth_session (expires_at);

CREATE TABLE IF NOT EXISTS session_auth_remember_me (
  selector TEXT NOT NULL PRIMARY KEY,
  handle TEXT NOT NULL,
  user_id TEXT NOT NULL,
  validator_digest TEXT NOT NULL,
  revision INTEGER NOT NULL,
  -- the validator that is to be the next one
  successor TEXT,
  -- validators that were replaced lately
  replaced TEXT,
  created_at INTEGER NOT NULL,
  last_used_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  session_handle TEXT NOT NULL,
  ip TEXT,
  user_agent TEXT,
  record_version INTEGER NOT NULL,
  generation INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE INDEX IF NOT EXISTS session_auth_remember_me_user ON session_auth_remember_me (user_id, created_at, handle);
CREATE INDEX IF NOT EXISTS session_auth_remember_me_expiry ON session_auth_remember_me (expires_at);

CREATE TABLE IF NOT EXISTS session_auth_throttle (
  name TEXT NOT NULL PRIMARY KEY,
  points INTEGER NOT NULL,
  expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX IF NOT EXISTS session_auth_throttle_expiry ON session_auth_throttle (expires_at);

CREATE TABLE IF NOT EXISTS session_auth_audit_event (
  -- never one that an event had before
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  at INTEGER NOT NULL,
  event TEXT NOT NULL,
  level TEXT NOT NULL,
  type TEXT NOT NULL,
  realm TEXT NOT NULL,
  user_id TEXT,
  session_id TEXT,
  ip TEXT,
  user_agent TEXT,
  details TEXT NOT NULL
) STRICT;

CREATE INDEX IF NOT EXISTS session_auth_audit_event_at ON session_auth_audit_event (realm, at);
CREATE INDEX IF NOT EXISTS session_auth_audit_event_user ON session_auth_audit_event (user_id, at);
CREATE INDEX IF NOT EXISTS session_auth_audit_event_session ON session_auth_audit_event (session_id);

-- The present generations: a row for the sessions of a realm, and one for its remembered devices, once all were ended.
CREATE TABLE IF NOT EXISTS session_auth_generation (
  name TEXT NOT NULL PRIMARY KEY,
  generation INTEGER NOT NULL,
  ended_before INTEGER
) STRICT, WITHOUT ROWID;

-- The versions that these tables have come to, one after the other: the greatest is the present one.
CREATE TABLE IF NOT EXISTS session_auth_version (
  version INTEGER NOT NULL PRIMARY KEY
) STRICT;

INSERT OR IGNORE INTO session_auth_version (version)
  SELECT 2 FROM pragma_table_info('session_auth_session') WHERE name = 'generation';
