-- The tables of nestjs-session-auth in MariaDB 10.6, MySQL 8.0.1 or later. May be run again: it leaves what is there.
-- Tables of an earlier version stay so: upgrade.sql brings them to this one.
--
-- - Times are milliseconds since the epoch: exact, and free of time zones and sql_mode.
-- - Ids, digests and users are bytes: no collation takes 'a' for 'A', 'á' or 'a '.
-- - What is a list or an object is JSON in bytes, which the server leaves as it is.
-- - What has no length of its own is LONGBLOB: without strict mode a shorter column would cut what is longer.
-- - user_key is SHA-256 of the user's id, which may be longer than a key of an index. Rows of all realms are in the same
--   tables; keys of realms other than the default one begin with '@<realm>:', and so does what is hashed.

CREATE TABLE IF NOT EXISTS session_auth_session (
  handle VARBINARY(64) NOT NULL,
  digest VARBINARY(128) NOT NULL,
  user_id LONGBLOB,
  user_key BINARY(32),
  email LONGBLOB,
  roles LONGBLOB NOT NULL,
  created_at BIGINT NOT NULL,
  authenticated_at BIGINT,
  authentication VARBINARY(32),
  rotated_at BIGINT NOT NULL,
  last_activity_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  absolute_expires_at BIGINT NOT NULL,
  ip LONGBLOB,
  user_agent LONGBLOB,
  fingerprint VARBINARY(128),
  data LONGBLOB NOT NULL,
  factors LONGBLOB,
  upstream VARBINARY(128),
  tokens LONGBLOB,
  former_roles LONGBLOB,
  roles_since INT,
  revision BIGINT NOT NULL,
  device VARBINARY(64),
  -- when a sweep looks at the row: never later than expires_at, so that a request moves no entry of an index
  sweep_at BIGINT NOT NULL,
  -- another one after each write: what a change of the row goes by
  version BIGINT NOT NULL,
  -- the version of the record's form; nodes of before write none
  record_version SMALLINT NOT NULL DEFAULT 1,
  -- with another one than the present generation, the session has ended
  generation BIGINT NOT NULL DEFAULT 0,
  PRIMARY KEY (handle),
  KEY session_auth_session_user (user_key, created_at),
  KEY session_auth_session_sweep (sweep_at)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC;

CREATE TABLE IF NOT EXISTS session_auth_remember_me (
  selector VARBINARY(64) NOT NULL,
  handle VARBINARY(64) NOT NULL,
  user_id LONGBLOB NOT NULL,
  user_key BINARY(32) NOT NULL,
  validator_digest VARBINARY(64) NOT NULL,
  -- the validator that is to be the next one
  successor LONGBLOB,
  -- validators that were replaced lately
  replaced LONGBLOB,
  created_at BIGINT NOT NULL,
  last_used_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  session_handle VARBINARY(64) NOT NULL,
  ip LONGBLOB,
  user_agent LONGBLOB,
  revision BIGINT NOT NULL,
  record_version SMALLINT NOT NULL DEFAULT 1,
  generation BIGINT NOT NULL DEFAULT 0,
  PRIMARY KEY (selector),
  KEY session_auth_remember_me_user (user_key, created_at),
  KEY session_auth_remember_me_expiry (expires_at)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC;

CREATE TABLE IF NOT EXISTS session_auth_throttle (
  name VARBINARY(255) NOT NULL,
  points INT NOT NULL,
  expires_at BIGINT NOT NULL,
  PRIMARY KEY (name),
  KEY session_auth_throttle_expiry (expires_at)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC;

CREATE TABLE IF NOT EXISTS session_auth_audit_event (
  id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
  at BIGINT NOT NULL,
  event VARBINARY(64) NOT NULL,
  level VARBINARY(16) NOT NULL,
  type VARBINARY(64) NOT NULL,
  realm VARBINARY(32) NOT NULL,
  -- at most 512 characters, as all text of events
  user_id VARBINARY(2048),
  session_id VARBINARY(2048),
  ip LONGBLOB,
  user_agent LONGBLOB,
  details LONGBLOB NOT NULL,
  PRIMARY KEY (id),
  KEY session_auth_audit_event_at (realm, at),
  KEY session_auth_audit_event_user (user_id, at)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC;

-- A row for each user who has logged in lately: what counts or changes a user's sessions holds the lock of the row.
CREATE TABLE IF NOT EXISTS session_auth_user_lock (
  user_key BINARY(32) NOT NULL,
  used_at BIGINT NOT NULL,
  PRIMARY KEY (user_key),
  KEY session_auth_user_lock_used (used_at)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC;

-- The present generations: a row for the sessions of a realm, and one for its remembered devices, once all were ended.
CREATE TABLE IF NOT EXISTS session_auth_generation (
  name VARBINARY(64) NOT NULL,
  generation BIGINT NOT NULL,
  ended_before BIGINT,
  PRIMARY KEY (name)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC;

-- The versions that these tables have come to, one after the other: the greatest is the present one.
CREATE TABLE IF NOT EXISTS session_auth_version (
  version INT NOT NULL,
  PRIMARY KEY (version)
) ENGINE=InnoDB;

INSERT IGNORE INTO session_auth_version (version)
  SELECT 3 FROM information_schema.columns
  WHERE table_schema = DATABASE() AND table_name = 'session_auth_session' AND column_name = 'generation';
