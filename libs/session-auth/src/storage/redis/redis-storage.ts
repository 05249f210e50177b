import type { InjectionToken } from '@nestjs/common';
import type { SessionStore } from '../../session/session-store.js';
import type { RedisClient } from './redis-client.js';
import { RedisSessionStore, type RedisSessionStoreOptions } from './redis-session-store.js';

/** What {@link redisStorage} takes. */
export type RedisStorageOptions = RedisSessionStoreOptions &
  (
    | { /** The application's `ioredis` client, connected and closed by it. */ readonly client: RedisClient }
    | { /** The provider that is such a client. */ readonly inject: InjectionToken<RedisClient> }
  );

/** The slot of one part kept in Redis. */
export interface RedisStorage {
  readonly sessions: {
    readonly useFactory: (client?: RedisClient) => SessionStore;
    readonly inject: InjectionToken[];
  };
}

/** Keeps sessions in Redis: `storage: redisStorage({ client })`, or `redisStorage({ inject: REDIS })` for a provider. */
export function redisStorage(options: RedisStorageOptions): RedisStorage {
  const { namespace } = options;
  const given = 'client' in options ? options.client : undefined;
  return {
    sessions: {
      inject: 'inject' in options ? [options.inject] : [],
      useFactory: (injected) => new RedisSessionStore(injected ?? given!, { namespace }),
    },
  };
}
