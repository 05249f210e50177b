-- Brings the tables of nestjs-session-auth to those of this version. It may be repeated, and keeps everything. Nodes of the
-- version before go on working during it and after it. All of it has to run on one connection.

-- MySQL has no ADD COLUMN IF NOT EXISTS. Both servers add these columns at once, whatever the table holds.
SET @session_auth = (SELECT IF(COUNT(*) = 0,
  'ALTER TABLE session_auth_session ADD COLUMN record_version SMALLINT NOT NULL DEFAULT 1', 'DO 0')
  FROM information_schema.columns
  WHERE table_schema = DATABASE() AND table_name = 'session_auth_session' AND column_name = 'record_version');
PREPARE session_auth FROM @session_auth;
EXECUTE session_auth;
DEALLOCATE PREPARE session_auth;

SET @session_auth = (SELECT IF(COUNT(*) = 0,
  'ALTER TABLE session_auth_remember_me ADD COLUMN record_version SMALLINT NOT NULL DEFAULT 1', 'DO 0')
  FROM information_schema.columns
  WHERE table_schema = DATABASE() AND table_name = 'session_auth_remember_me' AND column_name = 'record_version');
PREPARE session_auth FROM @session_auth;
EXECUTE session_auth;
DEALLOCATE PREPARE session_auth;

SET @session_auth = (SELECT IF(COUNT(*) = 0,
  'ALTER TABLE session_auth_session ADD COLUMN generation BIGINT NOT NULL DEFAULT 0', 'DO 0')
  FROM information_schema.columns
  WHERE table_schema = DATABASE() AND table_name = 'session_auth_session' AND column_name = 'generation');
PREPARE session_auth FROM @session_auth;
EXECUTE session_auth;
DEALLOCATE PREPARE session_auth;

SET @session_auth = (SELECT IF(COUNT(*) = 0,
  'ALTER TABLE session_auth_remember_me ADD COLUMN generation BIGINT NOT NULL DEFAULT 0', 'DO 0')
  FROM information_schema.columns
  WHERE table_schema = DATABASE() AND table_name = 'session_auth_remember_me' AND column_name = 'generation');
PREPARE session_auth FROM @session_auth;
EXECUTE session_auth;
DEALLOCATE PREPARE session_auth;

CREATE TABLE IF NOT EXISTS session_auth_generation (
  name VARBINARY(64) NOT NULL,
  generation BIGINT NOT NULL,
  ended_before BIGINT,
  PRIMARY KEY (name)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC;

-- The version comes last: it tells that all is done.
INSERT IGNORE INTO session_auth_version (version) VALUES (3);
