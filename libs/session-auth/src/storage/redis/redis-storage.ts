import type { InjectionToken } from '@nestjs/common';
import type { RememberMeTokenStore } from '../../remember-me/remember-me-token-store.js';
import type { SessionStore } from '../../session/session-store.js';
import type { LoginThrottleStore } from '../../throttle/login-throttle-store.js';
import { checkConnection, connectionOf } from './connection-of.js';
import type { RedisClient } from './redis-client.js';
import { RedisLoginThrottleStore } from './redis-login-throttle-store.js';
import { namespaceOf, type RedisSessionStoreOptions } from './redis-keys.js';
import { RedisRememberMeTokenStore } from './redis-remember-me-token-store.js';
import { RedisSessionStore } from './redis-session-store.js';

/** The options of {@link redisStorage}. */
export type RedisStorageOptions = Pick<RedisSessionStoreOptions, 'namespace' | 'link'> &
  (
    | {
        /**
         * The application's client, which the application opens and closes: `ioredis` 5 or 6, `redis` (node-redis) 5 or
         * 6, or `iovalkey`.
         */
        readonly client: RedisClient;
      }
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
 *
 * A client of `redis` does not connect by itself: call its `connect()` before the application is created.
 *
 * @throws SessionAuthError `invalid_configuration` for any other value; when the application is created, also for a
 *   client of `redis` that is not connected, and for one in subscriber mode
 */
export function redisStorage(options: RedisStorageOptions): RedisStorage {
  const { namespace, link } = options;
  const { client, inject } = options as { client?: RedisClient; inject?: InjectionToken };
  if (inject === undefined) connectionOf(client);
  const slot = <T>(open: (client: RedisClient) => T): RedisSlot<T> => ({
    inject: inject === undefined ? [] : [inject],
    useFactory: (injected) => {
      const given = inject === undefined ? client : injected;
      checkConnection(connectionOf(given));
      return open(given!);
    },
  });
  return {
    sessions: slot((given) => new RedisSessionStore(given, { namespace, link })),
    rememberMe: slot((given) => new RedisRememberMeTokenStore(given, { namespace })),
    throttle: slot((given) => new RedisLoginThrottleStore(given, namespaceOf({ namespace }))),
  };
}
