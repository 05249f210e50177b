export type { RedisClient } from './redis-client.js';
export { RedisLoginThrottleStore } from './redis-login-throttle-store.js';
export { DEFAULT_REDIS_NAMESPACE } from './redis-keys.js';
export { RedisSessionStore, type RedisSessionStoreOptions } from './redis-session-store.js';
export { RedisRememberMeTokenStore } from './redis-remember-me-token-store.js';
export { redisStorage, type RedisStorage, type RedisStorageOptions } from './redis-storage.js';
