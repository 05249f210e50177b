export type { AuditEventRow } from '../postgres/audit-event-row.js';
export type { AuditQuery } from '../postgres/audit-query.js';
export { SqliteAuditLog, type SqliteAuditLogSettings } from './sqlite-audit-log.js';
export type { SqliteStoreSettings } from './sqlite-database.js';
export type { BetterSqlite3Handle, NodeSqliteHandle, SqliteHandle } from './sqlite-handle.js';
export { SqliteLoginThrottleStore } from './sqlite-login-throttle-store.js';
export { SqliteRememberMeTokenStore } from './sqlite-remember-me-token-store.js';
export { SqliteSessionStore } from './sqlite-session-store.js';
export {
  sqliteStorage,
  type SqliteAuditOptions,
  type SqliteStorage,
  type SqliteStorageOptions,
  type SqliteStorageSettings,
} from './sqlite-storage.js';
