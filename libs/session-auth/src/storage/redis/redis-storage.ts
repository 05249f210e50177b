import type { InjectionToken } from '@nestjs/common';
import type { RememberMeTokenStore } from '../../remember-me/remember-me-token-store.js';
import type { SessionStore } from '../../session/session-store.js';
import type { LoginThrottleStore } from '../../throttle/login-throttle-store.js';
import type { RedisClient } from './redis-client.js';
import { RedisLoginThrottleStore } from './redis-login-throttle-store.js';
import { namespaceOf, type RedisSessionStoreOptions } from './redis-keys.js';
import { RedisRememberMeTokenStore } from './redis-remember-me-token-store.js';
import { RedisSessionStore } from './redis-session-store.js';

/** The options of {@link redisStorage}. */
export type RedisStorageOptions = Pick<RedisSessionStoreOptions, 'namespace'> &
  (
    | { /** The application's `ioredis` client, connected and closed by it. */ readonly client: RedisClient }
    | { /** The provider that is such a client. */ readonly inject: InjectionToken<RedisClient> }
  );

interface RedisSlot<T> {
  readonly useFactory: (client?: RedisClient) => T;
  readonly inject: InjectionToken[];
}

/** The slots of the parts kept in Redis. */
export interface RedisStorage {
  readonly sessions: RedisSlot<SessionStore>;
  readonly rememberMe: RedisSlot<RememberMeTokenStore>;
  readonly throttle: RedisSlot<LoginThrottleStore>;
}

/**
 * Keeps sessions, remember-me tokens and the counts of failed logins in Redis: `storage: redisStorage({ client })`, or
 * `redisStorage({ inject: REDIS })` for a provider.
 */
export function redisStorage(options: RedisStorageOptions): RedisStorage {
  const { namespace } = options;
  const given = 'client' in options ? options.client : undefined;
  const inject = 'inject' in options ? [options.inject] : [];
  return {
    sessions: { inject, useFactory: (injected) => new RedisSessionStore(injected ?? given!, { namespace }) },
    rememberMe: { inject, useFactory: (injected) => new RedisRememberMeTokenStore(injected ?? given!, { namespace }) },
    throttle: {
      inject,
      useFactory: (injected) => new RedisLoginThrottleStore(injected ?? given!, namespaceOf({ namespace })),
    },
  };
}
