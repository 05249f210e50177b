export { AuditEventEntity, createAuditEventEntity, type AuditEventRow } from './audit-event.entity.js';
export { AUDIT_TABLE } from './audit-tables.js';
export {
  CreateSessionAuthTables,
  createSessionAuthMigration,
  type SessionAuthMigrationOptions,
} from './session-auth-migration.js';
export { REMEMBER_ME_TABLE } from './remember-me-tables.js';
export { GRACE_TABLE, SESSION_TABLE } from './session-tables.js';
export {
  createRememberMeTokenEntity,
  RememberMeTokenEntity,
  type RememberMeTokenRow,
} from './remember-me-token.entity.js';
export { createSessionEntity, SessionEntity, type SessionRow } from './session.entity.js';
export { TypeOrmRememberMeTokenStore } from './typeorm-remember-me-token-store.js';
export { TypeOrmSessionStore, type TypeOrmSessionStoreOptions } from './typeorm-session-store.js';
export {
  typeOrmStorage,
  type TypeOrmAuditOptions,
  type TypeOrmStorage,
  type TypeOrmStorageOptions,
} from './typeorm-storage.js';
export { TypeOrmAuditLog, type AuditQuery, type TypeOrmAuditLogOptions } from './typeorm-audit-log.js';
export { TypeOrmLoginThrottleStore } from './typeorm-login-throttle-store.js';
export { THROTTLE_TABLE } from './throttle-tables.js';
