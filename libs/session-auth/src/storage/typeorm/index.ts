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
export { typeOrmStorage, type TypeOrmStorage, type TypeOrmStorageOptions } from './typeorm-storage.js';
