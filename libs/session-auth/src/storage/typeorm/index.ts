export type { AuditEventRow } from '../postgres/audit-event-row.js';
export { AUDIT_TABLE } from '../postgres/audit-tables.js';
export type { AuditQuery } from '../postgres/audit-query.js';
export { REMEMBER_ME_TABLE } from '../postgres/remember-me-tables.js';
export { SESSION_TABLE } from '../postgres/session-tables.js';
export { THROTTLE_TABLE } from '../postgres/throttle-tables.js';
export { AuditEventEntity, createAuditEventEntity } from './audit-event.entity.js';
export {
  createRememberMeTokenEntity,
  RememberMeTokenEntity,
  type RememberMeTokenRow,
} from './remember-me-token.entity.js';
export {
  CreateSessionAuthTables,
  createSessionAuthMigration,
  type SessionAuthMigrationOptions,
} from './session-auth-migration.js';
export { createSessionAuthUpgrade, UpgradeSessionAuthTables } from './session-auth-upgrade.js';
export { createSessionEntity, SessionEntity, type SessionRow } from './session.entity.js';
export { TypeOrmAuditLog, type TypeOrmAuditLogOptions } from './typeorm-audit-log.js';
export { TypeOrmLoginThrottleStore } from './typeorm-login-throttle-store.js';
export { TypeOrmRememberMeTokenStore } from './typeorm-remember-me-token-store.js';
export { TypeOrmSessionStore } from './typeorm-session-store.js';
export type { TypeOrmLinked, TypeOrmLinkOptions, TypeOrmSessionStoreOptions } from './typeorm-session-store.options.js';
export {
  typeOrmStorage,
  type TypeOrmAuditOptions,
  type TypeOrmStorage,
  type TypeOrmStorageOptions,
} from './typeorm-storage.js';
