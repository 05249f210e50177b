import type { InjectionToken } from '@nestjs/common';
import type { RememberMeTokenStore } from '../../remember-me/remember-me-token-store.js';
import type { SessionStore } from '../../session/session-store.js';
import type { RedisClient } from './redis-client.js';
import { RedisRememberMeTokenStore } from './redis-remember-me-token-store.js';
import { RedisSessionStore, type RedisSessionStoreOptions } from './redis-session-store.js';

/** What {@link redisStorage} takes. */
export type RedisStorageOptions = RedisSessionStoreOptions &
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
}

/** Keeps sessions and remember-me tokens in Redis: `storage: redisStorage({ client })`, or `redisStorage({ inject: REDIS })` for a provider. */
export function redisStorage(options: RedisStorageOptions): RedisStorage {
  const { namespace } = options;
  const given = 'client' in options ? options.client : undefined;
  const inject = 'inject' in options ? [options.inject] : [];
  return {
    sessions: { inject, useFactory: (injected) => new RedisSessionStore(injected ?? given!, { namespace }) },
    rememberMe: { inject, useFactory: (injected) => new RedisRememberMeTokenStore(injected ?? given!, { namespace }) },
  };
}
