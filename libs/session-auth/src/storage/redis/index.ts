export type { RedisClient } from './redis-client.js';
export { RedisLoginThrottleStore } from './redis-login-throttle-store.js';
export { DEFAULT_REDIS_NAMESPACE, type RedisSessionStoreOptions } from './redis-keys.js';
export { RedisSessionStore } from './redis-session-store.js';
export { RedisRememberMeTokenStore } from './redis-remember-me-token-store.js';
export { redisStorage, type RedisStorage, type RedisStorageOptions } from './redis-storage.js';
