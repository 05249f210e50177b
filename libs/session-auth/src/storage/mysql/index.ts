export type { AuditEventRow } from '../postgres/audit-event-row.js';
export type { AuditQuery } from '../postgres/audit-query.js';
export { MysqlAuditLog, type MysqlAuditLogSettings } from './mysql-audit-log.js';
export type { MysqlStoreSettings } from './mysql-database.js';
export { MysqlLoginThrottleStore } from './mysql-login-throttle-store.js';
export type { MysqlPool } from './mysql-pool.js';
export { MysqlRememberMeTokenStore } from './mysql-remember-me-token-store.js';
export { MysqlSessionStore } from './mysql-session-store.js';
export {
  mysqlStorage,
  type MysqlAuditOptions,
  type MysqlStorage,
  type MysqlStorageOptions,
  type MysqlStorageSettings,
} from './mysql-storage.js';
