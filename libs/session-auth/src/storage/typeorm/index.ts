export {
  CreateSessionAuthTables,
  createSessionAuthMigration,
  type SessionAuthMigrationOptions,
} from './session-auth-migration.js';
export { GRACE_TABLE, SESSION_TABLE } from './session-tables.js';
export { createSessionEntity, SessionEntity, type SessionRow } from './session.entity.js';
export { TypeOrmSessionStore, type TypeOrmSessionStoreOptions } from './typeorm-session-store.js';
export { typeOrmStorage, type TypeOrmStorage, type TypeOrmStorageOptions } from './typeorm-storage.js';
